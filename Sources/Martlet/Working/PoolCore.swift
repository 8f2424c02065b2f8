internal import MartletDelivery
import Synchronization

/// A pool at work: the machine that says what may be handled, and the runners that handle it.
///
/// One lock guards the machine and who waits for it. Runners take events in batches under it, and
/// handle them outside.
final class PoolCore: Sendable {
    private struct State {
        var worker: Worker
        /// Runners with nothing to do.
        var idle: [CheckedContinuation<Void, Never>] = []
        /// Runners that begin nothing more.
        var retired: Set<Int> = []
        /// What each runner has at hand.
        var batches: [Int: WorkBatch] = [:]
        /// How long a handler takes, in microseconds, by a moving mean.
        var meanTime = Double(Limits.batchTime.components.attoseconds / 1_000_000_000_000)
        /// When something was said last.
        var saidAt = MonotonicTime(microseconds: 0)
        var isClosing = false
    }

    let pool: WorkerPool
    let handler: PoolHandler
    /// Raised when something is to be said, or the pool has come further.
    let changes = ChangeSignal()
    private let notify: @Sendable () -> Void
    private let state: Lock<State>
    private let counts = Counts()

    /// Handlers that have ended, by how.
    final class Counts: Sendable {
        let handled = Atomic<UInt64>(0)
        let failed = Atomic<UInt64>(0)
        let rejected = Atomic<UInt64>(0)
        let repeats = Atomic<UInt64>(0)
    }

    /// A runner that has been at one event for so long, in microseconds, lets others have the rest
    /// of its batch. Longer than it takes until a runner looks at the clock.
    private static let stealAfter: UInt64 = 10_000
    /// What a pool takes should be handled within so many microseconds.
    private static let windowTime = 20_000.0
    /// Where handlers take so long on average, in microseconds, keys of a channel go side by side.
    private static let slowHandler = 10.0

    init(
        _ pool: WorkerPool, _ codecs: CodecSet, notify: @escaping @Sendable () -> Void
    ) throws(MartletError) {
        self.pool = pool
        self.notify = notify
        handler = pool.makeHandler(codecs)
        let definition = try pool.definition()
        state = Lock(
            State(worker: try Worker(definition, width: pool.width, at: NodeClock.now)))
    }

    // MARK: The loop

    /// Lets the machine take something in, on the loop's thread, and wakes runners for what has
    /// come.
    func change(_ body: (inout Worker) -> Void) {
        let woken = state.withLock { state in
            body(&state.worker)
            return PoolCore.takeWoken(&state)
        }
        for runner in woken { runner.resume() }
    }

    /// As many runners as there may be batches.
    private static func takeWoken(
        _ state: inout State
    ) -> ArraySlice<CheckedContinuation<Void, Never>> {
        guard !state.idle.isEmpty, state.isClosing || state.worker.hasReady else { return [] }
        // One for so much as takes a while: each that wakes costs the system more than that.
        let (handlers, events) = state.worker.readiness
        let share = batchSize(state, atMost: .max)
        let wanted = max(1, min(handlers, (events - 1) / share + 1))
        let count = isOver(state) ? state.idle.count : min(state.idle.count, wanted)
        let woken = state.idle.suffix(count)
        state.idle.removeLast(count)
        return woken
    }

    /// What is to be said, and to whom, after time has passed.
    func takeMessages(ticking: Bool, at now: MonotonicTime) -> [(peer: Int, SessionMessage)] {
        let (messages, woken) = state.withLock { state in
            state.saidAt = now
            state.worker.capacity = Int(
                Double(pool.width) * PoolCore.windowTime / max(state.meanTime, 0.01))
            if ticking {
                for batch in state.batches.values { tell(batch, &state.worker) }
                state.worker.tick(at: now)
                if !state.idle.isEmpty, !state.worker.hasReady { findMore(&state, at: now) }
            } else {
                state.worker.flush(at: now)
            }
            return (state.worker.takeMessages(), PoolCore.takeWoken(&state))
        }
        for runner in woken { runner.resume() }
        return messages
    }

    /// Why the pool cannot work.
    var refusal: String? { state.withLock { $0.worker.refusal?.text } }

    /// How far it is.
    var standing: (isJoined: Bool, unfinished: Int, isDrained: Bool) {
        state.withLock {
            ($0.worker.isJoined, $0.worker.unfinishedCount, $0.worker.isDrained(at: NodeClock.now))
        }
    }

    /// What has been done so far.
    var tally: PoolTally {
        PoolTally(
            handled: counts.handled.load(ordering: .relaxed),
            failed: counts.failed.load(ordering: .relaxed),
            rejected: counts.rejected.load(ordering: .relaxed),
            repeats: counts.repeats.load(ordering: .relaxed),
            stale: state.withLock { $0.worker.staleCount })
    }

    // MARK: Runners

    /// As many as take a while.
    private static func batchSize(
        _ state: State, atMost count: Int = Limits.batchEvents
    ) -> Int {
        let time = Double(Limits.batchTime.components.attoseconds / 1_000_000_000_000)
        return max(1, min(count, Int(time / max(state.meanTime, 0.01))))
    }

    /// Events for a runner; nil at the end.
    func nextBatch(for runner: Int) async -> WorkBatch? {
        while true {
            let (batch, isOver, woken) = state.withLock { state in
                let (batch, isOver) = take(&state, runner)
                return (batch, isOver, batch == nil ? [] : wakeForOtherKeys(&state))
            }
            for other in woken { other.resume() }
            if let batch { return batch }
            if isOver { return nil }
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    // Whoever retires runners wakes those who wait, after that.
                    guard !state.worker.hasReady, !PoolCore.isOver(state),
                        !state.retired.contains(runner)
                    else { return true }
                    state.idle.append(continuation)
                    return false
                }
                if isReady { continuation.resume() }
            }
        }
    }

    /// A runner ends what it has begun, and begins nothing more. What it has besides is for others.
    func retire(_ runner: Int) {
        let woken = state.withLock { state in
            state.retired.insert(runner)
            if let batch = state.batches[runner] { takeRest(of: batch, &state) }
            return PoolCore.takeWoken(&state)
        }
        for runner in woken { runner.resume() }
    }

    /// What a runner has not begun waits again.
    private func takeRest(of batch: WorkBatch, _ state: inout State) {
        tell(batch, &state.worker)
        let rest = batch.takeRest()
        if !rest.isEmpty { state.worker.putBack(rest) }
    }

    /// Whether nothing more is to be handled.
    private static func isOver(_ state: State) -> Bool {
        state.isClosing && state.worker.unfinishedCount == 0
    }

    private func take(_ state: inout State, _ runner: Int) -> (WorkBatch?, isOver: Bool) {
        guard state.retired.remove(runner) == nil else { return (nil, true) }
        let now = NodeClock.now
        var events = state.worker.take(atMost: PoolCore.batchSize(state), at: now)
        if events.isEmpty {
            // What had seemed ready was not any more.
            findMore(&state, at: now)
            events = state.worker.take(atMost: PoolCore.batchSize(state), at: now)
        }
        guard !events.isEmpty else {
            return (nil, PoolCore.isOver(state))
        }
        let batch = WorkBatch(events)
        state.batches[runner] = batch
        return (batch, false)
    }

    /// Where handlers are slow, what waits behind what a runner has just taken goes by its keys at
    /// once, for those that are idle.
    private func wakeForOtherKeys(
        _ state: inout State
    ) -> ArraySlice<CheckedContinuation<Void, Never>> {
        guard PoolCore.isSlow(state), !state.idle.isEmpty else { return [] }
        if !state.worker.hasReady { state.worker.unfold() }
        return PoolCore.takeWoken(&state)
    }

    private static func isSlow(_ state: State) -> Bool {
        state.meanTime >= PoolCore.slowHandler
    }

    /// Looks for more where others have it: what runners cannot get to, since they are held up,
    /// and where handlers are slow what waits behind other keys.
    private func findMore(_ state: inout State, at now: MonotonicTime) {
        var mustUnfold = PoolCore.isSlow(state)
        for batch in state.batches.values {
            let begun = batch.begunAt.load(ordering: .relaxed)
            let isHeldUp = begun > 0 && now.microseconds > begun + PoolCore.stealAfter
            guard isHeldUp || PoolCore.isSlow(state) && batch.events.isFolded else { continue }
            takeRest(of: batch, &state)
            mustUnfold = true
        }
        // What waits behind it may be of other keys.
        if mustUnfold { state.worker.unfold() }
    }

    /// Whether a runner may begin with an event that it took a while ago.
    func mayBegin(_ held: HeldEvent, at now: MonotonicTime) -> Bool {
        state.withLock { $0.worker.mayBegin(held, at: now) }
    }

    /// A runner has ended an event in another way than by handling it, after those before.
    func finish(_ place: Int, of batch: WorkBatch, _ verdict: WorkResult.Verdict) {
        let woken = state.withLock { state in
            tell(batch, &state.worker)
            state.worker.finish(batch.events[place], verdict)
            batch.skip(place)
            return PoolCore.takeWoken(&state)
        }
        for runner in woken { runner.resume() }
        switch verdict {
        case .value: counts.handled.wrappingAdd(1, ordering: .relaxed)
        case .retry: counts.failed.wrappingAdd(1, ordering: .relaxed)
        case .reject: counts.rejected.wrappingAdd(1, ordering: .relaxed)
        case .done, .returned: break
        }
        notify()
    }

    /// A runner is done with a batch.
    func finish(_ batch: WorkBatch, of runner: Int, after time: UInt64) {
        var mustTell = false
        let woken = state.withLock { state in
            tell(batch, &state.worker)
            state.batches[runner] = nil
            // While there is more to do, what is done is told together.
            mustTell =
                !state.worker.hasReady || NodeClock.now >= state.saidAt + Limits.batchTime
            let mean = Double(time) / Double(max(batch.endedCount, 1))
            state.meanTime += (mean - state.meanTime) / (mean > state.meanTime ? 2 : 16)
            return PoolCore.takeWoken(&state)
        }
        for runner in woken { runner.resume() }
        if mustTell { notify() }
    }

    private func tell(_ batch: WorkBatch, _ worker: inout Worker) {
        let done = batch.takeDone()
        guard !done.isEmpty else { return }
        worker.finishDone(done)
        counts.handled.wrappingAdd(UInt64(done.count), ordering: .relaxed)
    }

    func noteRepeat() { counts.repeats.wrappingAdd(1, ordering: .relaxed) }

    /// Events whose handlers should end: they take too long, or may be with others.
    func overdue(at now: MonotonicTime) -> [Int] {
        let limit = pool.timeLimit
        return state.withLock { state in
            state.batches.compactMap { runner, batch in
                let begun = MonotonicTime(microseconds: batch.begunAt.load(ordering: .relaxed))
                guard begun.microseconds > 0, let held = batch.current else { return nil }
                let isLate = now >= begun + limit || !state.worker.isCurrent(held)
                return isLate ? runner : nil
            }
        }
    }

    // MARK: The end

    /// Takes nothing more. Runners end when they have ended what they have.
    func close() {
        let woken = state.withLock { state in
            state.worker.drain()
            state.isClosing = true
            return PoolCore.takeWoken(&state)
        }
        for runner in woken { runner.resume() }
        notify()
    }

    /// Runners that wait look again, whether they were retired.
    func wakeAll() {
        let woken = state.withLock { state in
            defer { state.idle = [] }
            return state.idle
        }
        for runner in woken { runner.resume() }
    }

    /// Says that the pool works no more.
    func leave() { state.withLock { $0.worker.leave() } }
}

/// What a pool has done since it began.
public struct PoolTally: Sendable, Hashable {
    /// Events whose handler returned.
    public let handled: UInt64
    /// Attempts that failed.
    public let failed: UInt64
    /// Events that were set aside at once.
    public let rejected: UInt64
    /// Events that may have been handled before.
    public let repeats: UInt64
    /// Events that were handled in vain: they had been given to others.
    public let stale: UInt64
}
