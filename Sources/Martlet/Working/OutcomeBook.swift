internal import MartletDelivery
import Synchronization

/// Who waits to hear what groups make of events, and what has been heard before anybody waited.
final class OutcomeBook: Sendable {
    typealias Ended = Result<WorkFate, MartletError>

    private struct Entry {
        var fate: WorkFate?
        var continuation: CheckedContinuation<Ended, Never>?
        var deadline: MonotonicTime?
    }

    private struct State {
        var entries: [WatchedEvent: Entry] = [:]
        var isClosed = false
    }

    private let state = Lock(State())

    /// Somebody will wait for it.
    func add(_ event: WatchedEvent) { state.withLock { $0.entries[event] = Entry() } }

    /// What has become of an event.
    func tell(_ fate: WorkFate, of event: WatchedEvent) {
        let waiting = state.withLock { state -> CheckedContinuation<Ended, Never>? in
            guard let entry = state.entries[event] else { return nil }
            if entry.continuation == nil {
                state.entries[event]?.fate = fate
            } else {
                state.entries[event] = nil
            }
            return entry.continuation
        }
        waiting?.resume(returning: .success(fate))
    }

    /// Waits until it is told.
    func wait(
        for event: WatchedEvent, until deadline: MonotonicTime
    ) async throws(MartletError) -> WorkFate {
        let ended = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let known = state.withLock { state -> Ended? in
                    if let fate = state.entries[event]?.fate {
                        state.entries[event] = nil
                        return .success(fate)
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
        with error: MartletError, where isTaken: (WatchedEvent, Entry) -> Bool
    ) {
        let taken = state.withLock { state in
            guard !state.entries.isEmpty else { return [CheckedContinuation<Ended, Never>?]() }
            let taken = state.entries.filter { isTaken($0.key, $0.value) }
            for event in taken.keys { state.entries[event] = nil }
            return taken.values.map(\.continuation)
        }
        for continuation in taken { continuation?.resume(returning: .failure(error)) }
    }

    private static let cancelled = MartletError(
        .cancelled,
        "The task was cancelled before the group was done with its event, which stays published.")

    private static let late = MartletError(
        .timedOut,
        "The event was published, and the group is not done with it yet: it has too few workers, "
            + "or they fail. It may be handled yet.")

    private static let closed = MartletError(
        .closed,
        "The node has closed before the group was done with the event, which may be handled yet if "
            + "it is stored.")
}
