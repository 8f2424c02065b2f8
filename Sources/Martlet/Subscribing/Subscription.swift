public import MartletDelivery

/// Events as they come, one by one, each with what is known about it.
///
/// One task reads at a time. An event counts as handled when the next one is asked for; leaving the
/// loop leaves the last one unhandled. The sequence ends when the node closes, and throws when the
/// subscription cannot go on or an event cannot be read.
public struct Subscription<Value: Sendable>: AsyncSequence, Sendable {
    /// An event, and how it came.
    public typealias Element = (event: Value, delivery: Delivery)

    /// Reading fails with nothing else.
    public typealias Failure = MartletError

    private let source: SubscriptionSource
    private let read: @Sendable (RecordedEvent) throws(MartletError) -> Value?

    init(
        _ source: SubscriptionSource,
        read: @escaping @Sendable (RecordedEvent) throws(MartletError) -> Value?
    ) {
        self.source = source
        self.read = read
    }

    /// Begins to read.
    public func makeAsyncIterator() -> Iterator {
        Iterator(cursor: SubscriptionCursor(source), read: read)
    }

    /// How many events had to be asked for so far: they were missed when they were published, or
    /// were there before the subscription.
    public var fetchedCount: UInt64 { source.fetchedCount }

    /// The same events, as many at a time as came together.
    public var batches: EventBatches { EventBatches(source) }

    /// Hands out the events of a frame before it asks for the next.
    public struct Iterator: AsyncIteratorProtocol {
        @usableFromInline let cursor: SubscriptionCursor
        @usableFromInline let read: @Sendable (RecordedEvent) throws(MartletError) -> Value?
        @usableFromInline var events: Frame.Iterator?
        @usableFromInline var from: UInt64 = 0
        @usableFromInline var isWhole = true
        @usableFromInline var missed: UInt64 = 0

        init(
            cursor: SubscriptionCursor,
            read: @escaping @Sendable (RecordedEvent) throws(MartletError) -> Value?
        ) {
            self.cursor = cursor
            self.read = read
        }

        /// The next event, or nil after the end. Throws `cancelled` with the task.
        @inlinable
        @inline(__always)
        public mutating func next() async throws(MartletError) -> Element? {
            if let element = try nextOfFrame() { return element }
            return try await nextOfNextFrame()
        }

        // Runs where its caller does, so that an event at hand costs no look at executors.
        /// The next event, on the caller's actor.
        @inlinable
        @inline(__always)
        nonisolated(nonsending) public mutating func next(
            isolation actor: (any Actor)?
        ) async throws(MartletError) -> Element? {
            if let element = try nextOfFrame() { return element }
            return try await nextOfNextFrame()
        }

        /// What is left of the frame at hand.
        @inlinable
        mutating func nextOfFrame() throws(MartletError) -> Element? {
            while let event = events?.next() {
                guard event.sequence >= from, isWhole || cursor.wants(event) else { continue }
                let value: Value
                if Value.self == RecordedEvent.self {
                    // Decided when it is compiled. Sound: they are one type.
                    value = unsafe unsafeBitCast(event, to: Value.self)
                } else {
                    guard let made = try read(event) else { continue }
                    value = made
                }
                unsafe cursor.handedOut.pointee = event.sequence
                defer { missed = 0 }
                return (value, Delivery(event, missed: missed))
            }
            return nil
        }

        @inlinable
        mutating func nextOfNextFrame() async throws(MartletError) -> Element? {
            while let step = try await cursor.next() {
                events = step.frame.makeIterator()
                from = step.from
                isWhole = step.isWhole
                missed = step.missed
                if let element = try nextOfFrame() { return element }
                cursor.keep(missed: missed, of: step.frame.channel)
                missed = 0
            }
            return nil
        }
    }
}
