public import MartletDelivery

/// A consumer's place in what has come for its subscription.
@safe
@usableFromInline
final class SubscriptionCursor {
    /// Events to be handed out.
    @usableFromInline
    struct Step {
        @usableFromInline let frame: Frame
        @usableFromInline let from: UInt64
        /// Whether all events of the frame are wanted.
        @usableFromInline let isWhole: Bool
        /// How many events of the channel were lost just before.
        @usableFromInline let missed: UInt64
    }

    private let source: SubscriptionSource
    private var items: ArraySlice<SubscriptionQueue.Item> = []
    private var current: (frame: Frame, peer: Int)?
    private var missed: [Channel: UInt64] = [:]
    // Sound: allocated for this object alone, and freed with it. A stored property would be checked
    // for exclusive access at every event.
    /// The number of the event of the frame at hand that was handed out last.
    @usableFromInline let handedOut: UnsafeMutablePointer<UInt64>

    init(_ source: SubscriptionSource) {
        self.source = source
        unsafe handedOut = .allocate(capacity: 1)
        unsafe handedOut.initialize(to: 0)
    }

    deinit {
        // Whoever leaves the loop has not handled what was handed out last.
        if let current {
            let rest = unsafe SubscriptionQueue.Item.frame(
                current.frame, from: handedOut.pointee, peer: current.peer)
            items.insert(rest, at: items.startIndex)
        }
        source.putBack(items)
        unsafe handedOut.deallocate()
    }

    /// The next events, or nil after the end. What was handed out before counts as handled.
    @usableFromInline
    func next() async throws(MartletError) -> Step? {
        if let current {
            source.finish(current.frame, from: current.peer)
            self.current = nil
        }
        if Task.isCancelled { throw SubscriptionQueue.cancelledError }
        while true {
            while let item = items.popFirst() {
                switch item {
                case .gap(let gap): report(gap)
                case .frame(let frame, let from, let peer):
                    current = (frame, peer)
                    unsafe handedOut.pointee = from
                    return Step(
                        frame: frame, from: from, isWhole: source.wantsAll(of: frame),
                        missed: missed.removeValue(forKey: frame.channel) ?? 0)
                }
            }
            guard let taken = try await source.queue.take() else { return nil }
            items = taken[...]
        }
    }

    /// Nothing of a frame was wanted: what was lost before it is told with the next of its channel.
    @usableFromInline
    func keep(missed count: UInt64, of channel: Channel) {
        if count > 0 { missed[channel, default: 0] &+= count }
    }

    /// Whether an event of a frame is wanted of which not all are.
    @usableFromInline
    func wants(_ event: RecordedEvent) -> Bool {
        // Who asks for an event has handled those before it.
        if let current, event.sequence > current.frame.sequences.lowerBound {
            source.handled(current.frame, before: event.sequence)
        }
        return source.wants(event)
    }

    private func report(_ gap: Gap) {
        if let last = gap.last { missed[gap.channel, default: 0] &+= last - gap.first + 1 }
        source.onGap?(gap)
    }
}
