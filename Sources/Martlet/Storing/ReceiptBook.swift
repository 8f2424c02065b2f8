internal import MartletDelivery
import Synchronization

/// Which events of a durable stream are on the disk, and who waits for the others.
final class ReceiptBook: Sendable {
    private typealias Waiters = SequenceWaiters<Epoch>

    private struct Lane {
        /// The number of the next event to be stored.
        var next: UInt64 = 1
        /// Which epochs events were stored in, the latest last.
        var epochs: [StoredChannel.EpochStart] = []
        var waiters = Waiters()

        func epoch(of sequence: UInt64) -> Epoch? { epochs.last { $0.first <= sequence }?.epoch }
    }

    private struct State {
        var lanes: [Int: Lane] = [:]
        var lastNumber: UInt64 = 0
        /// Why nothing is stored at present.
        var failure: MartletError?
    }

    private let state = Lock(State())

    /// Why nothing is stored at present; nil while all is well.
    var failure: MartletError? { state.withLock { $0.failure } }

    // MARK: The writer

    /// What was there when the node started.
    func begin(_ channels: [StoredChannel]) {
        state.withLock { state in
            for stored in channels {
                state.lanes[stored.channel.lane] = Lane(
                    next: stored.next, epochs: stored.epochs)
            }
        }
    }

    /// The disk works again.
    func recover() { state.withLock { $0.failure = nil } }

    /// Nothing is stored any more: who waits, and who comes, is told.
    func close() { fail(Outlet.closedError) }

    /// Events are on the disk.
    func stored(_ frames: some Sequence<(lane: Int, sequences: Range<UInt64>)>, in epoch: Epoch) {
        let done = state.withLock { state in
            var done: [Waiters.Waiter] = []
            for (lane, sequences) in frames {
                var place = state.lanes[lane] ?? Lane()
                place.next = sequences.upperBound
                if place.epochs.last?.epoch != epoch {
                    place.epochs.append(.init(epoch, first: sequences.lowerBound))
                }
                done += place.waiters.take(before: sequences.upperBound)
                state.lanes[lane] = place
            }
            return done
        }
        for waiter in done { waiter.resume(.success(epoch)) }
    }

    /// Nothing can be stored until the disk works again: who waits is told.
    func fail(_ error: MartletError) {
        let waiters = takeWaiters {
            $0.failure = error
        } where: { _ in
            true
        }
        for waiter in waiters { waiter.resume(.failure(error)) }
    }

    /// Ends the waits that have lasted too long.
    func expire(at now: MonotonicTime) {
        let late = takeWaiters { _ in
        } where: {
            $0.deadline <= now
        }
        for waiter in late { waiter.resume(.failure(Self.late)) }
    }

    private func takeWaiters(
        _ change: (inout State) -> Void, where isTaken: (Waiters.Waiter) -> Bool
    ) -> [Waiters.Waiter] {
        state.withLock { state in
            change(&state)
            var taken: [Waiters.Waiter] = []
            for lane in Array(state.lanes.keys) {
                taken += state.lanes[lane]?.waiters.take(where: isTaken) ?? []
            }
            return taken
        }
    }

    // MARK: Publishers

    /// Waits until an event is on the disk, and says in which epoch it is.
    func wait(
        for event: AppendedEvent, until deadline: MonotonicTime
    ) async throws(MartletError) -> Epoch {
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waiter = Waiters.Waiter(
                    number: number, sequence: event.sequence, deadline: deadline, continuation)
                let outcome = state.withLock { state in
                    add(waiter, event.lane, &state)
                }
                if let outcome { continuation.resume(returning: outcome) }
            }
        } onCancel: {
            let waiter = takeWaiters { _ in
            } where: {
                $0.number == number
            }.first
            waiter?.resume(.failure(Self.cancelled))
        }
        return try outcome.get()
    }

    /// Whether the event is on the disk already, or will not be soon; nil if it is waited for.
    private func add(
        _ waiter: Waiters.Waiter, _ lane: Int, _ state: inout State
    ) -> Waiters.Outcome? {
        var place = state.lanes[lane] ?? Lane()
        if waiter.sequence < place.next, let epoch = place.epoch(of: waiter.sequence) {
            return .success(epoch)
        }
        // Cancellation sets the flag before it calls the handler, so that one of the two sees the
        // other.
        if Task.isCancelled { return .failure(Self.cancelled) }
        if let failure = state.failure { return .failure(failure) }
        place.waiters.insert(waiter)
        state.lanes[lane] = place
        return nil
    }

    private static let cancelled = MartletError(
        .cancelled,
        "The task was cancelled before its event was known to be on disk. It may be stored yet: "
            + "look for its id before you publish it again.")

    private static let late = MartletError(
        .timedOut,
        "The event was published, and is not on disk yet: the disk is slow, or readers are waited "
            + "for. It may be stored yet: look for its id before you publish it again.")
}
