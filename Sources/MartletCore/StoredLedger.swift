/// What a group of workers has done with the events of a channel.
///
/// Every event ends handled, dead or lost, and then counts as settled; an event that nobody wanted
/// is settled too.
public struct StoredLedger: Sendable, Hashable, Codable {
    /// Events that a group will never get, and why.
    public struct Loss: Sendable, Hashable, Codable {
        /// Why events are lost.
        public enum Reason: UInt8, Sendable, Hashable, CaseIterable, Codable {
            /// They were kept no more when the group got to them.
            case expired = 1
            /// They are damaged in the journal.
            case corrupt = 2
            /// Nobody worked for the group, and its stream lives in memory.
            case abandoned = 3
        }

        /// The events.
        public let sequences: Range<UInt64>
        /// Why.
        public let reason: Reason

        /// Events that are lost.
        public init(_ sequences: Range<UInt64>, _ reason: Reason) {
            self.sequences = sequences
            self.reason = reason
        }
    }

    /// An event of which attempts have failed.
    public struct Failing: Sendable, Hashable, Codable {
        /// Its number.
        public let sequence: UInt64
        /// How many attempts that count have failed.
        public var attempts: Int

        /// An event and its failed attempts.
        public init(_ sequence: UInt64, attempts: Int) {
            self.sequence = sequence
            self.attempts = attempts
        }
    }

    /// How many events came to what.
    public struct Tally: Sendable, Hashable, Codable {
        /// Handled.
        public var handled: UInt64 = 0
        /// Set aside.
        public var dead: UInt64 = 0
        /// Given to a worker once more, after a failure or a loss.
        public var repeated: UInt64 = 0
        /// Lost, for any reason.
        public var lost: UInt64 = 0
        /// Tried again after they had been set aside: each ends once more.
        public var reopened: UInt64 = 0

        /// Nothing yet.
        public init() {}
    }

    /// All events before this one are settled, but for those that were reopened.
    public var next: UInt64
    /// Events behind it that are settled.
    public var settled = SequenceSet()
    /// Events before this one may have been given to workers.
    public var leasedThrough: UInt64
    /// Events that are not settled, and have failed, in their order.
    public var failing: [Failing] = []
    /// Events that were set aside, and are tried again.
    public var reopened = SequenceSet()
    /// Keys, by their hashes, of which everything is set aside, in their order.
    public var parkedKeys: [UInt64] = []
    /// The latest losses, in the order in which they were noticed.
    public var losses: [Loss] = []
    /// All in all.
    public var tally = Tally()

    /// The ledger of a group that begins with this event.
    public init(from first: UInt64) {
        next = first
        leasedThrough = first
    }

    /// The first event that is not done with.
    public var firstOpen: UInt64 { min(next, reopened.first ?? .max) }

    /// Whether an event is done with.
    public func isSettled(_ sequence: UInt64) -> Bool {
        (sequence < next || settled.contains(sequence)) && !reopened.contains(sequence)
    }
}

/// Whose ledger it is, and of which channel.
public struct LedgerName: Sendable, Hashable {
    /// The group.
    public let group: String
    /// The channel.
    public let channel: Channel

    /// The ledger of a group for a channel.
    public init(_ group: String, _ channel: Channel) {
        self.group = group
        self.channel = channel
    }
}

/// A group of workers as a node remembers it.
public struct StoredGroup: Sendable, Hashable {
    /// What the group wants, and how it goes about it, as its workers have defined it.
    public let definition: Bytes
    /// From which events on this holds, for the channels that there were when it came; from their
    /// beginning for all others.
    public let starts: [Channel: UInt64]
    /// What held before, for as long as some event may need it.
    public let before: Bytes?

    /// A group.
    public init(definition: Bytes, starts: [Channel: UInt64], before: Bytes? = nil) {
        self.definition = definition
        self.starts = starts
        self.before = before
    }
}
