/// Events of a journal, from a start up to an end.
public struct StoredHistory: AsyncSequence, Sendable {
    /// An event as it was recorded.
    public typealias Element = RecordedEvent

    /// Reading fails with nothing else.
    public typealias Failure = MartletError

    private let storage: any Storage
    private let patterns: [TopicPattern]
    private let start: Start
    private let end: HistoryEnd?
    private let filter: Filter?
    private let onGap: (@Sendable (Gap) -> Void)?

    init(
        _ storage: any Storage, _ patterns: [TopicPattern], from start: Start,
        upTo end: HistoryEnd?, where filter: Filter?, onGap: (@Sendable (Gap) -> Void)?
    ) {
        self.storage = storage
        self.patterns = patterns
        self.start = start
        self.end = end
        self.filter = filter
        self.onGap = onGap
    }

    /// Begins to read.
    public func makeAsyncIterator() -> Iterator { Iterator(self) }

    /// Reads lanes beside each other.
    public struct Iterator: AsyncIteratorProtocol {
        private let history: StoredHistory
        private var lanes: [Lane]?

        init(_ history: StoredHistory) { self.history = history }

        /// The next event, or nil behind the last. Throws `cancelled` with the task.
        public mutating func next() async throws(MartletError) -> RecordedEvent? {
            if Task.isCancelled { throw MartletError(.cancelled, "The task was cancelled.") }
            var lanes = try await takeLanes()
            defer { self.lanes = lanes }
            var earliest: Int?
            var place = 0
            while place < lanes.count {
                if lanes[place].head == nil {
                    try await lanes[place].advance(history)
                    // A lane without events any more.
                    guard lanes[place].head != nil else {
                        lanes.remove(at: place)
                        continue
                    }
                }
                if earliest.map({ lanes[place].precedes(lanes[$0]) }) ?? true { earliest = place }
                place += 1
            }
            return earliest.flatMap { lanes[$0].takeHead() }
        }

        private mutating func takeLanes() async throws(MartletError) -> [Lane] {
            if let lanes {
                // One owner, so that they are changed in their place.
                self.lanes = nil
                return lanes
            }
            var lanes: [Lane] = []
            for stored in history.storage.channels where history.wants(stored.channel.stream) {
                if let lane = try await history.lane(stored) { lanes.append(lane) }
            }
            return lanes
        }
    }

    /// A channel that is being read.
    struct Lane {
        let stored: StoredChannel
        var next: UInt64
        let end: UInt64
        var frames: ArraySlice<StoredFrame> = []
        var events: Frame.Iterator?
        var head: RecordedEvent?

        func precedes(_ other: Lane) -> Bool {
            guard let head, let other = other.head else { return false }
            return head.time < other.time
        }

        mutating func takeHead() -> RecordedEvent? {
            defer { head = nil }
            return head
        }
    }

    private func wants(_ stream: StreamName) -> Bool {
        patterns.contains { $0.stream.map { $0 == stream } ?? true }
    }

    fileprivate func wants(_ event: RecordedEvent) -> Bool {
        patterns.contains { $0.matches(event.topic) } && filter?.matches(event) ?? true
    }

    /// A channel from its start to its end; nil if nothing lies between.
    private func lane(_ stored: StoredChannel) async throws(MartletError) -> Lane? {
        var start = self.start
        if case .cursor(let name) = start { start = .after(storage.cursors[name] ?? []) }
        let first: UInt64
        switch start {
        case .beginning: first = stored.first
        case .now: first = stored.next
        case .after(let positions):
            let position = positions.first { $0.channel == stored.channel }
            first = position.map { $0.sequence + 1 } ?? stored.first
        case .time(let time): first = try await sequence(at: time, stored.channel)
        case .cursor: return nil
        }
        let end: UInt64
        switch self.end {
        case nil: end = stored.next
        case .time(let time): end = try await sequence(at: time, stored.channel)
        case .positions(let positions):
            let position = positions.first { $0.channel == stored.channel }
            end = position.map { Swift.min($0.sequence + 1, stored.next) } ?? 0
        }
        let lane = Lane(stored: stored, next: Swift.max(first, stored.first), end: end)
        return lane.next < end ? lane : nil
    }

    private func sequence(
        at time: Timestamp, _ channel: Channel
    ) async throws(MartletError) -> UInt64 {
        let storage = storage
        return try await BlockingCall.run { () throws(MartletError) in
            try storage.sequence(at: time, of: channel)
        }
    }

    fileprivate func read(
        _ channel: Channel, from sequence: UInt64
    ) async throws(MartletError) -> StoredEvents {
        let storage = storage
        // All lanes together keep so much, as far as frames are not larger.
        let byteCountMax = Limits.bufferBytes / Swift.max(1, storage.channels.count)
        return try await BlockingCall.run { () throws(MartletError) in
            try storage.read(channel, from: sequence, byteCountMax: byteCountMax)
        }
    }

    fileprivate func report(_ damaged: Range<UInt64>, of stored: StoredChannel) {
        onGap?(
            Gap(
                channel: stored.channel,
                epoch: stored.epoch(of: damaged.lowerBound) ?? Epoch(rawValue: 0),
                first: damaged.lowerBound,
                last: damaged.upperBound - 1, reason: .corrupt))
    }
}

extension StoredHistory.Lane {
    /// Goes to the next event that is wanted; there is none at the end.
    mutating func advance(_ history: StoredHistory) async throws(MartletError) {
        while true {
            while let event = events?.next() {
                guard event.sequence < end else { return }
                guard event.sequence >= next else { continue }
                next = event.sequence + 1
                guard history.wants(event) else { continue }
                head = event
                return
            }
            if let stored = frames.popFirst() {
                // It has been checked as a whole, but not its records.
                events = try Frame(stored.bytes, verifyingChecksum: false).makeIterator()
                continue
            }
            guard next < end else { return }
            let read = try await history.read(stored.channel, from: next)
            frames = read.frames[...]
            if frames.isEmpty {
                guard let damaged = read.damaged else { return }
                history.report(
                    max(next, damaged.lowerBound)..<min(damaged.upperBound, end), of: stored)
                next = damaged.upperBound
            }
        }
    }
}
