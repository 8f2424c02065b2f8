/// Events that came together, in the order of their numbers.
public struct EventBatch: Sequence, Sendable {
    private let frame: Frame
    private let from: UInt64
    private let source: SubscriptionSource?

    /// How many events of the channel were lost just before these.
    public let missed: UInt64

    init(_ frame: Frame, from: UInt64, missed: UInt64, _ source: SubscriptionSource?) {
        self.frame = frame
        self.from = from
        self.missed = missed
        self.source = source
    }

    /// Their channel.
    public var channel: Channel { frame.channel }

    /// Where the last of them stands, or one behind it that is not wanted.
    var lastPosition: Position {
        Position(
            channel: frame.channel, epoch: frame.header.epoch,
            sequence: frame.sequences.upperBound - 1)
    }

    /// At least as many events are here, or fewer where a filter chooses.
    public var underestimatedCount: Int {
        source == nil && from <= frame.header.firstSequence ? frame.count : 0
    }

    /// The events one by one.
    public func makeIterator() -> Iterator {
        Iterator(events: frame.makeIterator(), from: from, source: source)
    }

    /// Calls `body` with each event, which is the fastest way through them.
    public func forEach(_ body: (RecordedEvent) throws -> Void) rethrows {
        if source == nil, from <= frame.header.firstSequence { return try frame.forEach(body) }
        for event in self { try body(event) }
    }

    /// Walks through a batch.
    public struct Iterator: IteratorProtocol {
        private var events: Frame.Iterator
        private let from: UInt64
        private let source: SubscriptionSource?

        init(events: Frame.Iterator, from: UInt64, source: SubscriptionSource?) {
            self.events = events
            self.from = from
            self.source = source
        }

        /// The next event, or nil behind the last.
        public mutating func next() -> RecordedEvent? {
            while let event = events.next() {
                if event.sequence >= from, source?.wants(event) ?? true { return event }
            }
            return nil
        }
    }
}

/// Events as they come, as many at a time as came together. A batch counts as handled when the next
/// one is asked for.
public struct EventBatches: AsyncSequence, Sendable {
    /// Events that came together, one at least.
    public typealias Element = EventBatch

    /// Reading fails with nothing else.
    public typealias Failure = MartletError

    private let source: SubscriptionSource

    init(_ source: SubscriptionSource) { self.source = source }

    /// Begins to read.
    public func makeAsyncIterator() -> Iterator { Iterator(source) }

    /// Hands out batch after batch.
    public struct Iterator: AsyncIteratorProtocol {
        private let source: SubscriptionSource
        private let cursor: SubscriptionCursor

        init(_ source: SubscriptionSource) {
            self.source = source
            cursor = SubscriptionCursor(source)
        }

        /// The next events, or nil after the end. Throws `cancelled` with the task.
        public mutating func next() async throws(MartletError) -> EventBatch? {
            while let step = try await cursor.next() {
                let batch = EventBatch(
                    step.frame, from: step.from, missed: step.missed, step.isWhole ? nil : source)
                if step.isWhole || batch.contains(where: { _ in true }) { return batch }
                cursor.keep(missed: step.missed, of: batch.channel)
            }
            return nil
        }

        // Runs where its caller does.
        /// The next events, on the caller's actor.
        nonisolated(nonsending) public mutating func next(
            isolation actor: (any Actor)?
        ) async throws(MartletError) -> EventBatch? { try await next() }
    }
}
