internal import MartletDelivery
internal import MartletSockets
import Synchronization

/// What a subscription wants, and where it comes from.
final class SubscriptionSource: Sendable {
    let queue: SubscriptionQueue
    let onGap: (@Sendable (Gap) -> Void)?
    private let patterns: [TopicPattern]
    private let filter: Filter?
    private let loop: SocketLoop
    private let fetched = Atomic<UInt64>(0)
    /// The cursor that it goes by.
    let tracker: CursorTracker?

    init(
        _ queue: SubscriptionQueue, _ patterns: [TopicPattern], where filter: Filter?,
        onGap: (@Sendable (Gap) -> Void)?, loop: SocketLoop, tracker: CursorTracker?
    ) {
        self.tracker = tracker
        self.queue = queue
        self.patterns = patterns
        self.filter = filter
        self.onGap = onGap
        self.loop = loop
    }

    /// Events that had to be asked for.
    var fetchedCount: UInt64 { fetched.load(ordering: .relaxed) }

    func addFetched(_ count: UInt64) { fetched.add(count, ordering: .relaxed) }

    /// Whether all events of the frame are wanted, and nobody need know which of them is handled.
    func wantsAll(of frame: Frame) -> Bool {
        tracker == nil && filter == nil && frame.allKinds { wants($0.topic) }
    }

    /// Whether an event is wanted.
    func wants(_ event: RecordedEvent) -> Bool {
        wants(event.topic) && filter?.matches(event) ?? true
    }

    private func wants(_ topic: Topic) -> Bool { patterns.contains { $0.matches(topic) } }

    /// All events of a frame before this number are handled.
    func handled(_ frame: Frame, before sequence: UInt64) {
        tracker?.reached(
            Position(channel: frame.channel, epoch: frame.header.epoch, sequence: sequence - 1))
    }

    func finish(_ frame: Frame, from peer: Int) {
        handled(frame, before: frame.sequences.upperBound)
        if queue.finish(frame, from: peer) { loop.notify() }
    }

    /// What a consumer had taken ahead and did not get to.
    func putBack(_ items: ArraySlice<SubscriptionQueue.Item>) {
        if !items.isEmpty { queue.putBack(items) }
    }
}
