internal import MartletDelivery
import Synchronization

/// Tasks that wait until something has changed: that there is room, that somebody has come.
final class ChangeSignal: Sendable {
    /// How a wait ends.
    enum Outcome: Sendable { case changed, timedOut, cancelled, closed }

    private struct Waiter: Sendable {
        let number: UInt64
        let deadline: MonotonicTime?
        let continuation: CheckedContinuation<Outcome, Never>

        func isLate(at now: MonotonicTime) -> Bool { deadline.map { $0 <= now } ?? false }
    }

    private struct State: Sendable {
        var waiters: [Waiter] = []
        var lastNumber: UInt64 = 0
        var isClosed = false
        /// So that one who was about to wait sees that it was late.
        var changes: UInt64 = 0
    }

    private let state = Lock(State())

    /// Read it before you look, and wait with it if you do not like what you see.
    var changes: UInt64 { state.withLock { $0.changes } }

    /// Waits until something has changed since `changes` was read.
    func wait(since changes: UInt64, until deadline: MonotonicTime? = nil) async -> Outcome {
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waiter = Waiter(number: number, deadline: deadline, continuation: continuation)
                let outcome = state.withLock { state -> Outcome? in
                    // Cancellation sets the flag before it calls the handler, so that one of the
                    // two sees the other.
                    if Task.isCancelled { return .cancelled }
                    if state.isClosed { return .closed }
                    if state.changes != changes { return .changed }
                    state.waiters.append(waiter)
                    return nil
                }
                if let outcome { continuation.resume(returning: outcome) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> Waiter? in
                guard let place = state.waiters.firstIndex(where: { $0.number == number }) else {
                    return nil
                }
                return state.waiters.remove(at: place)
            }
            waiter?.continuation.resume(returning: .cancelled)
        }
    }

    /// Something has changed: everybody looks again.
    func raise() { end(with: .changed) { $0.changes &+= 1 } }

    /// Nothing will change any more.
    func close() { end(with: .closed) { $0.isClosed = true } }

    /// Ends the waits that have lasted too long.
    func expire(at now: MonotonicTime) {
        let late = state.withLock { state in
            let late = state.waiters.filter { $0.isLate(at: now) }
            if !late.isEmpty { state.waiters.removeAll { $0.isLate(at: now) } }
            return late
        }
        for waiter in late { waiter.continuation.resume(returning: .timedOut) }
    }

    private func end(with outcome: Outcome, _ change: (inout State) -> Void) {
        let waiters = state.withLock { state in
            change(&state)
            let waiters = state.waiters
            state.waiters = []
            return waiters
        }
        for waiter in waiters { waiter.continuation.resume(returning: outcome) }
    }
}
