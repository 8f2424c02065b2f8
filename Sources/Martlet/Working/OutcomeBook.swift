internal import MartletDelivery
import Synchronization

/// Who waits to hear what groups make of events, and what has been heard before anybody waited.
final class OutcomeBook<Key: Hashable & Sendable>: Sendable {
    typealias Ended = Result<Outcome, MartletError>

    private struct Entry {
        var ended: Ended?
        var continuation: CheckedContinuation<Ended, Never>?
        var deadline: MonotonicTime?
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var isClosed = false
    }

    private let state = Lock(State())

    /// Somebody will wait for it.
    func add(_ event: Key) { state.withLock { $0.entries[event] = Entry() } }

    /// What has become of an event.
    func tell(_ outcome: Outcome, of event: Key) { end(event, with: .success(outcome)) }

    /// It cannot be told.
    func fail(_ error: MartletError, of event: Key) { end(event, with: .failure(error)) }

    private func end(_ event: Key, with ended: Ended) {
        let waiting = state.withLock { state -> CheckedContinuation<Ended, Never>? in
            guard let entry = state.entries[event] else { return nil }
            if entry.continuation == nil {
                state.entries[event]?.ended = ended
            } else {
                state.entries[event] = nil
            }
            return entry.continuation
        }
        waiting?.resume(returning: ended)
    }

    /// Waits until it is told.
    func wait(
        for event: Key, until deadline: MonotonicTime
    ) async throws(MartletError) -> Outcome {
        let ended = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let known = state.withLock { state -> Ended? in
                    if let ended = state.entries[event]?.ended {
                        state.entries[event] = nil
                        return ended
                    }
                    if state.isClosed || Task.isCancelled {
                        state.entries[event] = nil
                        return .failure(state.isClosed ? Self.closed : Self.cancelled)
                    }
                    state.entries[event] = Entry(continuation: continuation, deadline: deadline)
                    return nil
                }
                if let known { continuation.resume(returning: known) }
            }
        } onCancel: {
            // Who has not begun to wait sees for itself that it was cancelled.
            end(with: Self.cancelled) { $0 == event && $1.continuation != nil }
        }
        return try ended.get()
    }

    /// Nothing will be told of any event.
    func fail(_ error: MartletError) { end(with: error) { _, entry in entry.continuation != nil } }

    /// Ends the waits that have lasted too long.
    func expire(at now: MonotonicTime) {
        end(with: Self.late) { $1.deadline.map { $0 <= now } ?? false }
    }

    /// Nothing is told any more.
    func close() {
        state.withLock { $0.isClosed = true }
        end(with: Self.closed) { $1.continuation != nil }
    }

    private func end(
        with error: MartletError, where isTaken: (Key, Entry) -> Bool
    ) {
        let taken = state.withLock { state in
            guard !state.entries.isEmpty else { return [CheckedContinuation<Ended, Never>?]() }
            let taken = state.entries.filter { isTaken($0.key, $0.value) }
            for event in taken.keys { state.entries[event] = nil }
            return taken.values.map(\.continuation)
        }
        for continuation in taken { continuation?.resume(returning: .failure(error)) }
    }

    private static var cancelled: MartletError {
        MartletError(
            .cancelled,
            "The task was cancelled before the group was done with its event, which stays "
                + "published.")
    }

    private static var late: MartletError {
        MartletError(
            .timedOut,
            "The event was published, and the group is not done with it yet: it has too few "
                + "workers, or they fail. It may be handled yet.")
    }

    private static var closed: MartletError {
        MartletError(
            .closed,
            "The node has closed before the group was done with the event, which may be handled "
                + "yet if it is stored.")
    }
}
