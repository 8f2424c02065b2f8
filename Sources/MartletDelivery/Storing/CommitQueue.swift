/// What a node publishes in durable streams, between being numbered and being on disk.
///
/// When a commit fails, nobody knows what of it is on the disk. The storage then looks; what is
/// there keeps its epoch, and what is not is numbered anew, in the same order, in an epoch that is
/// raised for it. Nothing is tried again before the storage has looked.
package struct CommitQueue: Sendable {
    /// A frame on its way, and the place of its stream.
    package struct Entry: Sendable {
        /// The place of the stream at the publisher.
        package let place: Int
        /// The stream.
        package let stream: StreamName
        /// The frame.
        package fileprivate(set) var frame: SealedFrame

        /// A frame of a stream.
        package init(place: Int, stream: StreamName, frame: SealedFrame) {
            self.place = place
            self.stream = stream
            self.frame = frame
        }
    }

    /// Frames that are on the disk, and in which epoch. They may be published.
    package struct Stored: Sendable {
        package let epoch: Epoch
        package let entries: ArraySlice<Entry>
    }

    private let node: NodeID
    /// The epoch in which streams number their frames.
    private let numberedIn: Epoch
    /// The epoch in which frames are stored.
    package private(set) var epoch: Epoch
    private var entries: [Entry] = []
    private var cursors: [String: [Position]] = [:]
    private var producers: [String: StoredProducer?] = [:]
    private var streams: [StreamName: Int] = [:]
    private var groups: [String: StoredGroup?] = [:]
    private var ledgers: [LedgerName: StoredLedger] = [:]
    /// From which events on channels are to be kept.
    package private(set) var firsts: [Channel: UInt64] = [:]
    /// Bytes of the frames that wait.
    package private(set) var byteCount = 0
    /// The last commit has failed.
    package private(set) var isDoubtful = false

    /// A queue of a node that has just raised this epoch.
    package init(_ node: NodeID, _ epoch: Epoch) {
        self.node = node
        numberedIn = epoch
        self.epoch = epoch
    }

    /// Whether nothing waits.
    package var isEmpty: Bool {
        entries.isEmpty && cursors.isEmpty && firsts.isEmpty && producers.isEmpty
            && groups.isEmpty && ledgers.isEmpty && streams.isEmpty
    }

    /// How many frames wait.
    package var count: Int { entries.count }

    /// A frame waits that follows the last one of its channel.
    package mutating func add(_ entry: Entry) {
        var entry = entry
        if epoch != numberedIn { entry.frame = entry.frame.restamped(epoch) }
        entries.append(entry)
        byteCount += entry.frame.bytes.count
    }

    /// A stream is new, of which frames wait.
    package mutating func add(stream: StreamName, partitions: Int) { streams[stream] = partitions }

    /// A cursor waits.
    package mutating func add(cursor name: String, _ positions: [Position]) {
        cursors[name] = positions
    }

    /// Producers wait, with the frames that hold their events.
    package mutating func add(producers: [String: StoredProducer?]) {
        if self.producers.isEmpty {
            self.producers = producers
        } else {
            self.producers.merge(producers) { $1 }
        }
    }

    /// Groups wait, and ledgers, with what they say of frames that wait.
    package mutating func add(
        groups: [String: StoredGroup?], ledgers: [LedgerName: StoredLedger]
    ) {
        for (name, group) in groups { self.groups.updateValue(group, forKey: name) }
        self.ledgers.merge(ledgers) { $1 }
    }

    /// What comes before these events need not be kept any more.
    package mutating func add(firsts: [Channel: UInt64]) {
        self.firsts.merge(firsts, uniquingKeysWith: max)
    }

    /// Stores what waits. What it returns is on the disk, in its order; what it throws may have
    /// left something there. Call it again then: it begins by looking.
    ///
    /// - Parameters:
    ///   - random: the low half of an epoch, should one be raised.
    ///   - meanwhile: what there is to do while the medium works. It is called if everything waits
    ///     for the first time, so that nobody need look what of it is there.
    package mutating func commit(
        to storage: any Storage, random: @autoclosure () -> UInt32 = .random(in: 0 ... .max),
        meanwhile: () -> Void = {}, _ publish: (Stored) -> Void
    ) throws(MartletError) {
        if isDoubtful {
            try storage.recover()
            try takeFound(in: storage, publish)
            try raise(storage, random())
        } else {
            isDoubtful = true
            try storage.commit(changes(), meanwhile: meanwhile)
        }
        isDoubtful = false
        let stored = Stored(epoch: epoch, entries: entries[...])
        entries = []
        cursors = [:]
        producers = [:]
        streams = [:]
        groups = [:]
        ledgers = [:]
        firsts = [:]
        byteCount = 0
        if !stored.entries.isEmpty { publish(stored) }
    }

    private func changes() -> StorageChanges {
        var changes = StorageChanges()
        changes.frames = entries.map { $0.stored(in: epoch, at: node) }
        changes.cursors = cursors
        changes.producers = producers
        changes.streams = streams
        changes.groups = groups
        changes.ledgers = ledgers
        changes.firsts = firsts
        return changes
    }

    /// A commit is whole or not at all: what is there are all frames, or none.
    private mutating func takeFound(
        in storage: any Storage, _ publish: (Stored) -> Void
    ) throws(MartletError) {
        // The attempt to go on in another epoch may have got so far.
        if let stored = storage.epoch { epoch = stored }
        var nexts: [Channel: UInt64] = [:]
        for stored in storage.channels { nexts[stored.channel] = stored.next }
        let found = entries.prefix {
            let channel = Channel(node: node, stream: $0.stream, lane: $0.frame.lane)
            return $0.frame.sequences.lowerBound < nexts[channel] ?? 1
        }
        guard !found.isEmpty else { return }
        entries.removeFirst(found.count)
        byteCount -= found.reduce(0) { $0 + $1.frame.bytes.count }
        publish(Stored(epoch: epoch, entries: found))
    }

    private mutating func raise(
        _ storage: any Storage, _ random: UInt32
    ) throws(MartletError) {
        guard epoch.start < .max else {
            throw MartletError(.resourceExhausted, "The journal was begun anew too often.")
        }
        let next = Epoch(start: epoch.start + 1, random: random)
        for place in entries.indices {
            entries[place].frame = entries[place].frame.restamped(next)
        }
        epoch = next
        var changes = changes()
        changes.epoch = next
        try storage.commit(changes)
    }
}

extension CommitQueue.Entry {
    fileprivate func stored(in epoch: Epoch, at node: NodeID) -> StoredFrame {
        StoredFrame(
            channel: Channel(node: node, stream: stream, lane: frame.lane), epoch: epoch,
            sequences: frame.sequences, latest: frame.latest, bytes: frame.bytes)
    }
}

extension SealedFrame {
    /// The same events numbered in another epoch.
    fileprivate func restamped(_ epoch: Epoch) -> SealedFrame {
        // It was made here, and is a frame.
        guard let bytes = try? Frame.restamped(bytes, epoch) else { return self }
        return SealedFrame(lane: lane, sequences: sequences, latest: latest, bytes: bytes)
    }
}
