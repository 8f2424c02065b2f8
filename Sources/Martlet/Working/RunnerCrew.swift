internal import MartletDelivery
import Synchronization

/// The runners of a pool: one takes the place of each that was cancelled.
final class RunnerCrew: Sendable {
    private struct State {
        var tasks: [Int: Task<Void, Never>] = [:]
        var lastNumber = 0
        var isEnding = false
    }

    private let core: PoolCore
    private let state = Lock(State())

    /// Handlers are looked at so often.
    static let watchInterval = Duration.milliseconds(50)

    init(_ core: PoolCore) { self.core = core }

    func begin() { for _ in 0..<core.pool.width { add() } }

    private func add() {
        let core = core
        state.withLock { state in
            guard !state.isEnding else { return }
            state.lastNumber += 1
            let number = state.lastNumber
            state.tasks[number] = Task { await PoolRunner(number: number, core: core).run() }
        }
    }

    /// Handlers that take too long are told to end. Each keeps its place until it does.
    func watch(at now: MonotonicTime) {
        for number in core.overdue(at: now) {
            let task = state.withLock { state -> Task<Void, Never>? in
                guard !state.isEnding else { return nil }
                return state.tasks.removeValue(forKey: number)
            }
            guard let task else { continue }
            core.retire(number)
            task.cancel()
            core.wakeAll()
            Task { [self] in
                await task.value
                add()
            }
        }
    }

    /// Cancels what is left, and waits for those that end.
    func end() async {
        let tasks = state.withLock { state in
            state.isEnding = true
            return state.tasks
        }
        for (number, task) in tasks {
            core.retire(number)
            task.cancel()
        }
        core.wakeAll()
        for task in tasks.values { await task.value }
    }
}
