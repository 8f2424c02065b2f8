internal import MartletDelivery

/// Tasks that wait until events are stored, in the order of the events. Used under its owner's
/// lock.
struct SequenceWaiters<Value: Sendable>: Sendable {
    typealias Outcome = Result<Value, MartletError>

    /// An object: to copy a continuation costs more than all the rest.
    final class Waiter: Sendable {
        /// Tells it from all others, so that it can be cancelled.
        let number: UInt64
        let sequence: UInt64
        let deadline: MonotonicTime
        private let continuation: CheckedContinuation<Outcome, Never>

        init(
            number: UInt64, sequence: UInt64, deadline: MonotonicTime,
            _ continuation: CheckedContinuation<Outcome, Never>
        ) {
            self.number = number
            self.sequence = sequence
            self.deadline = deadline
            self.continuation = continuation
        }

        func resume(_ outcome: Outcome) { continuation.resume(returning: outcome) }
    }

    private var waiters: [Waiter] = []

    mutating func insert(_ waiter: Waiter) {
        let place = waiters.lastIndex { $0.sequence <= waiter.sequence }
        waiters.insert(waiter, at: place.map { $0 + 1 } ?? 0)
    }

    /// Those whose events come before this one.
    mutating func take(before sequence: UInt64) -> [Waiter] {
        let count = waiters.prefix { $0.sequence < sequence }.count
        guard count > 0 else { return [] }
        if count == waiters.count {
            defer { waiters = [] }
            return waiters
        }
        defer { waiters.removeFirst(count) }
        return Array(waiters[..<count])
    }

    /// Those for which it is so.
    mutating func take(where isTaken: (Waiter) -> Bool) -> [Waiter] {
        guard waiters.contains(where: isTaken) else { return [] }
        let taken = waiters.filter(isTaken)
        waiters.removeAll(where: isTaken)
        return taken
    }
}
