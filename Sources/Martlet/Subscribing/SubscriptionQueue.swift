internal import MartletDelivery
import Synchronization

/// What has come for a subscription and waits for its consumer; and back, what the consumer is done
/// with. Frames, not events, so that a thread is crossed once for many.
final class SubscriptionQueue: Sendable {
    /// Something for the consumer.
    enum Item: Sendable {
        /// The events of a frame from this number on, that came from the peer with this number.
        case frame(Frame, from: UInt64, peer: Int)
        case gap(Gap)
    }

    /// A frame that the consumer is done with.
    struct Finished: Sendable {
        let frame: Frame
        let peer: Int
    }

    private struct State: Sendable {
        var items: [Item] = []
        var finished: [Finished] = []
        var finishedBytes = 0
        var consumer: CheckedContinuation<Void, Never>?
        var ending: Result<Void, MartletError>?
    }

    /// The loop is told of finished frames when there are so many bytes of them, or so many frames;
    /// fewer it finds by itself before long.
    private static let finishedBytesMax = 256 * 1_024
    private static let finishedFramesMax = 32

    private let buffering: Buffering
    private let bytesMax: Int
    private let state = Lock(State())

    init(_ buffering: Buffering, bytesMax: Int) {
        self.buffering = buffering
        self.bytesMax = bytesMax
    }

    // MARK: The loop

    /// Adds what has come.
    func push(_ items: [Item]) {
        let consumer = state.withLock { state in
            guard state.ending == nil else { return nil as CheckedContinuation<Void, Never>? }
            if state.items.isEmpty { state.items = items } else { state.items += items }
            switch buffering {
            case .replay, .fail: break
            case .dropOldest:
                drop(&state, keeping: bytesMax)
                mergeGaps(&state)
            case .keepLatest:
                keepLatest(&state)
                mergeGaps(&state)
            }
            return state.consumer.take()
        }
        consumer?.resume()
    }

    /// What the consumer is done with since the last call.
    func takeFinished() -> [Finished] {
        state.withLock { state in
            state.finishedBytes = 0
            let finished = state.finished
            state.finished = []
            return finished
        }
    }

    /// Nothing more comes. What is here can still be taken; after that, the error is thrown.
    func end(with ending: Result<Void, MartletError>) {
        let consumer = state.withLock { state in
            state.ending = state.ending ?? ending
            return state.consumer.take()
        }
        consumer?.resume()
    }

    // MARK: Dropping

    /// The oldest frames go until so many bytes are left; the last always stays.
    private func drop(_ state: inout sending State, keeping bytesMax: Int) {
        var byteCount = state.items.reduce(0) { $0 + $1.byteCount }
        guard byteCount > bytesMax else { return }
        let last = state.items.lastIndex { $0.byteCount > 0 }
        for place in state.items.indices where byteCount > bytesMax && place != last {
            byteCount -= state.items[place].byteCount
            drop(place, &state)
        }
    }

    private func keepLatest(_ state: inout sending State) {
        var seen: Set<Channel> = []
        for place in state.items.indices.reversed() {
            guard case .frame(let frame, _, _) = state.items[place] else { continue }
            if !seen.insert(frame.channel).inserted { drop(place, &state) }
        }
    }

    /// Gaps that follow each other in a channel become one, so that a consumer that stands still
    /// gathers no more of them than there are channels.
    private func mergeGaps(_ state: inout sending State) {
        var merged: [Item] = []
        var lastGaps: [Channel: (place: Int, gap: Gap)] = [:]
        for item in state.items {
            switch item {
            case .frame(let frame, _, _):
                lastGaps[frame.channel] = nil
                merged.append(item)
            case .gap(let gap):
                if let before = lastGaps[gap.channel], let whole = before.gap.joined(with: gap) {
                    merged[before.place] = .gap(whole)
                    lastGaps[gap.channel] = (before.place, whole)
                } else {
                    lastGaps[gap.channel] = (merged.count, gap)
                    merged.append(item)
                }
            }
        }
        state.items = merged
    }

    /// A gap takes the frame's place.
    private func drop(_ place: Int, _ state: inout sending State) {
        guard case .frame(let frame, let from, let peer) = state.items[place] else { return }
        let gap = Gap(
            channel: frame.channel, epoch: frame.header.epoch, first: from,
            last: frame.sequences.upperBound - 1, reason: .dropped)
        state.items[place] = .gap(gap)
        state.finished.append(Finished(frame: frame, peer: peer))
    }

    // MARK: The consumer

    /// What there is, at least one item; nil after the end.
    func take() async throws(MartletError) -> [Item]? {
        while true {
            let (items, ending) = state.withLock { state in
                var items: [Item] = []
                swap(&items, &state.items)
                return (items, state.ending)
            }
            if !items.isEmpty { return items }
            switch ending {
            case .success?: return nil
            case .failure(let error)?: throw error
            case nil: break
            }
            guard await waitForChange() else {
                throw MartletError(
                    .wrongState,
                    "Another task reads this subscription. Let one task read and share its work.")
            }
            if Task.isCancelled { throw SubscriptionQueue.cancelledError }
        }
    }

    /// What was taken and has not been handled comes first again.
    func putBack(_ items: ArraySlice<Item>) {
        state.withLock { $0.items.insert(contentsOf: items, at: 0) }
    }

    /// The consumer is done with a frame. True if the loop should be told.
    func finish(_ frame: Frame, from peer: Int) -> Bool {
        state.withLock { state in
            state.finished.append(Finished(frame: frame, peer: peer))
            let wasBelow = state.finishedBytes < SubscriptionQueue.finishedBytesMax
            state.finishedBytes += frame.bytes.count
            return wasBelow && state.finishedBytes >= SubscriptionQueue.finishedBytesMax
                || state.finished.count == SubscriptionQueue.finishedFramesMax
        }
    }

    static var cancelledError: MartletError {
        MartletError(.cancelled, "The task was cancelled while it waited for events.")
    }

    /// False when somebody else waits already.
    private func waitForChange() async -> Bool {
        let isOnly = Atomic<Bool>(true)
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isWaiting = state.withLock { state in
                    // Cancellation sets the flag before it calls the handler, so that one of the
                    // two sees the other.
                    if !state.items.isEmpty || state.ending != nil || Task.isCancelled {
                        return false
                    }
                    guard state.consumer == nil else {
                        isOnly.store(false, ordering: .relaxed)
                        return false
                    }
                    state.consumer = continuation
                    return true
                }
                if !isWaiting { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.consumer.take() }?.resume()
        }
        return isOnly.load(ordering: .relaxed)
    }
}

extension SubscriptionQueue.Item {
    fileprivate var byteCount: Int {
        if case .frame(let frame, _, _) = self { frame.bytes.count } else { 0 }
    }
}
