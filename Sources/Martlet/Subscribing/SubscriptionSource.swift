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

    init(
        _ queue: SubscriptionQueue, _ patterns: [TopicPattern], where filter: Filter?,
        onGap: (@Sendable (Gap) -> Void)?, loop: SocketLoop
    ) {
        self.queue = queue
        self.patterns = patterns
        self.filter = filter
        self.onGap = onGap
        self.loop = loop
    }

    /// Events that had to be asked for.
    var fetchedCount: UInt64 { fetched.load(ordering: .relaxed) }

    func addFetched(_ count: UInt64) { fetched.add(count, ordering: .relaxed) }

    /// Whether all events of the frame are wanted.
    func wantsAll(of frame: Frame) -> Bool {
        filter == nil && frame.allKinds { wants($0.topic) }
    }

    /// Whether an event is wanted.
    func wants(_ event: RecordedEvent) -> Bool {
        wants(event.topic) && filter?.matches(event) ?? true
    }

    private func wants(_ topic: Topic) -> Bool { patterns.contains { $0.matches(topic) } }

    func finish(_ frame: Frame, from peer: Int) {
        if queue.finish(frame, from: peer) { loop.notify() }
    }

    /// What a consumer had taken ahead and did not get to.
    func putBack(_ items: ArraySlice<SubscriptionQueue.Item>) {
        if !items.isEmpty { queue.putBack(items) }
    }
}
