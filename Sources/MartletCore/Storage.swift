/// Where a node keeps what must outlive it: the events of its durable streams, as frames, and named
/// positions.
///
/// One thread at a time commits; any thread reads meanwhile. What a commit has returned from is
/// kept whatever happens to the process or to the power of its machine. After a commit that throws,
/// nobody knows what was kept until `recover` has looked.
public protocol Storage: AnyObject, Sendable {
    /// Whose events are kept.
    var node: NodeID { get }

    /// The last epoch that was raised; nil before the first.
    var epoch: Epoch? { get }

    /// The streams that are kept, and into how many partitions each is divided.
    var partitions: [StreamName: Int] { get }

    /// The channels that are kept.
    var channels: [StoredChannel] { get }

    /// Named positions, at most one for each channel.
    var cursors: [String: [Position]] { get }

    /// Who submits events, by their names.
    var producers: [String: StoredProducer] { get }

    /// Groups of workers, by their names.
    var groups: [String: StoredGroup] { get }

    /// What groups have done with the events of channels.
    var ledgers: [LedgerName: StoredLedger] { get }

    /// How many bytes are kept on the medium.
    var byteCount: UInt64 { get }

    /// Keeps all of it or, if it throws, perhaps some. Each frame follows the last one of its
    /// channel, and epochs rise.
    ///
    /// - Parameter meanwhile: what there is to do beside, while the medium works. It is called once
    ///   at most, perhaps by a commit that throws then. It may read, and must not change anything.
    func commit(_ changes: StorageChanges, meanwhile: () -> Void) throws(MartletError)

    /// The frames from the one that holds this event on, of so many bytes together, but one at
    /// least. Where events are damaged, it says which.
    func read(
        _ channel: Channel, from sequence: UInt64, byteCountMax: Int
    ) throws(MartletError) -> StoredEvents

    /// The number of the first event of this time or later, by a running maximum: once an event of
    /// such a time has come, all that follow count. The next to come if there is none.
    func sequence(at time: Timestamp, of channel: Channel) throws(MartletError) -> UInt64

    /// From which events on channels of a stream would be kept if it had so many bytes at most: the
    /// oldest of all its channels go first, in pieces as large as the storage gives room back.
    /// Channels that would lose nothing are not named.
    func firsts(
        of stream: StreamName, keeping byteCount: UInt64
    ) throws(MartletError) -> [Channel: UInt64]

    /// Gives back the room of events that are kept no more, as far as it can.
    func shrink() throws(MartletError)

    /// Lets go of everything that may be wrong after a failure, and looks what is there.
    func recover() throws(MartletError)

    /// Reads everything, and names what is damaged. `progress` is told the bytes that were read.
    func check(_ progress: (UInt64) -> Void) throws(MartletError) -> [StorageDamage]

    /// Ends its use. What comes after throws `closed`.
    func close() throws(MartletError)
}

extension Storage {
    /// Keeps all of it or, if it throws, perhaps some.
    public func commit(_ changes: StorageChanges) throws(MartletError) {
        try commit(changes) {}
    }
}

/// What is to be kept, in the order of the fields.
public struct StorageChanges: Sendable {
    /// A new epoch. Frames are of the last that was raised.
    public var epoch: Epoch?
    /// Streams that are new, and their partitions.
    public var streams: [StreamName: Int] = [:]
    /// Frames, of any channels of these streams.
    public var frames: [StoredFrame] = []
    /// Channels of which the events before a number need not be kept any more.
    public var firsts: [Channel: UInt64] = [:]
    /// Cursors in the place of those of the same names; one without positions is forgotten.
    public var cursors: [String: [Position]] = [:]
    /// Producers in the place of those of the same names; nil for one that is forgotten.
    public var producers: [String: StoredProducer?] = [:]
    /// Groups in the place of those of the same names; nil for one that is forgotten, with all its
    /// ledgers.
    public var groups: [String: StoredGroup?] = [:]
    /// Ledgers in the place of those of the same names.
    public var ledgers: [LedgerName: StoredLedger] = [:]

    /// Nothing yet.
    public init() {}

    /// Whether there is nothing to keep.
    public var isEmpty: Bool {
        epoch == nil && streams.isEmpty && frames.isEmpty && firsts.isEmpty && cursors.isEmpty
            && producers.isEmpty && groups.isEmpty && ledgers.isEmpty
    }
}

/// A frame to be stored, or one that was.
public struct StoredFrame: Sendable, Hashable {
    /// The channel.
    public let channel: Channel
    /// The epoch in which its events were numbered.
    public let epoch: Epoch
    /// The numbers of its events.
    public let sequences: Range<UInt64>
    /// The latest time of an event of the channel, up to the end of this frame.
    public let latest: Timestamp
    /// The frame.
    public let bytes: Bytes

    /// A frame, and what is asked about it.
    public init(
        channel: Channel, epoch: Epoch, sequences: Range<UInt64>, latest: Timestamp, bytes: Bytes
    ) {
        self.channel = channel
        self.epoch = epoch
        self.sequences = sequences
        self.latest = latest
        self.bytes = bytes
    }
}

/// A channel as it is kept.
public struct StoredChannel: Sendable, Hashable {
    /// From which event on an epoch has numbered.
    public struct EpochStart: Sendable, Hashable {
        /// The epoch.
        public let epoch: Epoch
        /// The number of its first event.
        public let first: UInt64

        /// An epoch that began with this event.
        public init(_ epoch: Epoch, first: UInt64) {
            self.epoch = epoch
            self.first = first
        }
    }

    /// The channel.
    public let channel: Channel
    /// The epochs that were raised since the channel began, in their order, also those without
    /// events; the oldest are forgotten.
    public private(set) var epochs: [EpochStart]
    /// The number of the first event that is kept; the next to come if none is.
    public var first: UInt64
    /// The number of the next event.
    public var next: UInt64
    /// The latest time of an event.
    public var latest: Timestamp

    /// A channel without events.
    public init(_ channel: Channel) {
        self.init(channel, epochs: [], first: 1, next: 1, latest: .earliest)
    }

    /// A channel as it was kept.
    public init(
        _ channel: Channel, epochs: [EpochStart], first: UInt64, next: UInt64, latest: Timestamp
    ) {
        self.channel = channel
        self.epochs = epochs
        self.first = first
        self.next = next
        self.latest = latest
    }

    /// An epoch was raised, in which the next events are numbered.
    public mutating func raise(_ epoch: Epoch) {
        guard epochs.last?.epoch != epoch else { return }
        epochs.append(EpochStart(epoch, first: next))
        if epochs.count > Limits.epochsMax { epochs.removeFirst() }
    }

    /// A frame that follows the last one has been stored.
    public mutating func append(_ frame: StoredFrame) {
        raise(frame.epoch)
        next = frame.sequences.upperBound
        latest = max(latest, frame.latest)
    }

    /// The epoch in which an event was numbered; nil for one that has not been.
    public func epoch(of sequence: UInt64) -> Epoch? {
        guard sequence < next else { return nil }
        return epochs.last { $0.first <= sequence }?.epoch
    }

    /// Whether an event of this number was, or may yet be, numbered in this epoch: it does not lie
    /// behind the end of the epoch.
    public func reaches(_ sequence: UInt64, in epoch: Epoch) -> Bool {
        guard sequence < next else { return false }
        // What is so old that nobody remembers it is taken at its word.
        if let oldest = epochs.first, epochs.count == Limits.epochsMax, epoch < oldest.epoch {
            return sequence < oldest.first
        }
        guard let place = epochs.firstIndex(where: { $0.epoch == epoch }) else { return false }
        return place + 1 == epochs.count || sequence < epochs[place + 1].first
    }
}

/// What was read.
public struct StoredEvents: Sendable {
    /// Frames that follow each other.
    public let frames: [StoredFrame]
    /// Events that are damaged, behind the frames.
    public let damaged: Range<UInt64>?

    /// Frames, and what is damaged behind them.
    public init(_ frames: [StoredFrame], damaged: Range<UInt64>? = nil) {
        self.frames = frames
        self.damaged = damaged
    }
}

/// Events that were kept and cannot be read any more.
public struct StorageDamage: Sendable, Hashable {
    /// The channel.
    public let channel: Channel
    /// The events.
    public let sequences: Range<UInt64>
    /// Where and what.
    public let reason: String

    /// Damage.
    public init(_ channel: Channel, _ sequences: Range<UInt64>, _ reason: String) {
        self.channel = channel
        self.sequences = sequences
        self.reason = reason
    }
}
