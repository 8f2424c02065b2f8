/// Who submits events to a node, and which of them the node has: so that each is stored once,
/// however often it is sent.
public struct StoredProducer: Sendable, Hashable {
    /// Events that were submitted one after the other, and stand in a channel one after the other.
    public struct Run: Sendable, Hashable {
        /// The producer's number of the first.
        public let first: UInt64
        /// The channel.
        public let channel: Channel
        /// The numbers that they have there.
        public private(set) var sequences: Range<UInt64>

        /// Events from this number of the producer's on.
        public init(first: UInt64, channel: Channel, sequences: Range<UInt64>) {
            self.first = first
            self.channel = channel
            self.sequences = sequences
        }

        /// The producer's number behind the last.
        public var end: UInt64 { first + UInt64(sequences.count) }

        /// Takes in the event that follows in both. False if it does not.
        mutating func extend(by number: UInt64, in channel: Channel, as sequence: UInt64) -> Bool {
            guard number == end, channel == self.channel, sequence == sequences.upperBound else {
                return false
            }
            sequences = sequences.lowerBound..<sequence + 1
            return true
        }
    }

    /// Which of those that go by this name: the last one that opened it.
    public var epoch: Epoch
    /// The number of the next event; all before are stored.
    public var next: UInt64
    /// When it was heard of last.
    public var usedAt: Timestamp
    /// Where its latest events stand, the last ones last.
    public var runs: [Run]

    /// A producer as it is stored.
    public init(epoch: Epoch, next: UInt64, usedAt: Timestamp, runs: [Run] = []) {
        self.epoch = epoch
        self.next = next
        self.usedAt = usedAt
        self.runs = runs
    }
}

extension [StoredProducer.Run] {
    /// Takes in an event behind the others.
    public mutating func append(_ number: UInt64, in channel: Channel, as sequence: UInt64) {
        let isExtended =
            !isEmpty && self[count - 1].extend(by: number, in: channel, as: sequence)
        guard !isExtended else { return }
        append(Element(first: number, channel: channel, sequences: sequence..<sequence + 1))
    }
}
