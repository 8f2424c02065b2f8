/// Somebody who goes by a name wants to submit events.
package struct ProducerOpening: Sendable, Hashable {
    package let producer: String
    /// Tells those who go by one name from each other.
    package let random: UInt32
    /// The epoch in which it has been opened before; nil at first.
    package let epoch: Epoch?

    package init(producer: String, random: UInt32, epoch: Epoch?) {
        self.producer = producer
        self.random = random
        self.epoch = epoch
    }
}

/// The answer to it.
package struct ProducerOpened: Sendable, Hashable {
    package let producer: String
    /// Nil if it may submit.
    package let refusal: SubmissionRefusal?
    /// The epoch in which it may.
    package let epoch: Epoch
    /// The number of its next event; all before are stored.
    package let next: UInt64
    /// Where its latest events stand.
    package let runs: [SubmittedRun]
    /// The streams that take its events.
    package let streams: [StreamName]

    package init(
        producer: String, refusal: SubmissionRefusal? = nil, epoch: Epoch, next: UInt64,
        runs: [SubmittedRun] = [], streams: [StreamName] = []
    ) {
        self.producer = producer
        self.refusal = refusal
        self.epoch = epoch
        self.next = next
        self.runs = runs
        self.streams = streams
    }
}

/// Why nothing is taken from a producer.
package struct SubmissionRefusal: Sendable, Hashable, Error {
    /// The reasons.
    package enum Code: UInt8, Sendable, Hashable {
        /// Another one has opened the producer since.
        case replaced = 1
        /// There are too many producers.
        case full = 2
        /// The node takes no events from others.
        case unavailable = 3
        /// An event cannot be stored, ever.
        case invalid = 4
    }

    package let code: Code
    package let text: String

    package init(_ code: Code, _ text: String) {
        self.code = code
        self.text = text
    }
}

/// Events that are to be stored.
///
/// They travel in frames, which say in place of a node's epoch the producer's, and count events as
/// the producer does; all are of lane 0, since only their node knows how many lanes there are.
package struct Submission: Sendable, Hashable {
    package let producer: String
    /// How often the producer has begun to send anew, so that answers to what came before are told
    /// from those to come.
    package let attempt: UInt64
    package let frames: [Bytes]

    package init(producer: String, attempt: UInt64, frames: [Bytes]) {
        self.producer = producer
        self.attempt = attempt
        self.frames = frames
    }

    /// How much memory it keeps.
    package var byteCount: Int { frames.reduce(0) { $0 + $1.count } }
}

/// The answer to it.
package struct Submitted: Sendable, Hashable {
    /// What became of the events.
    package enum Outcome: Sendable, Hashable {
        /// They are stored, now or before, as far as these rows say.
        case stored([SubmittedRun])
        /// They do not follow the producer's last.
        case behind
        /// They are to come again later.
        case busy
        /// They are not taken.
        case refused(SubmissionRefusal)
    }

    package let producer: String
    package let attempt: UInt64
    /// The number of the producer's next event; all before are stored.
    package let next: UInt64
    package let outcome: Outcome

    package init(producer: String, attempt: UInt64, next: UInt64, outcome: Outcome) {
        self.producer = producer
        self.attempt = attempt
        self.next = next
        self.outcome = outcome
    }
}

/// Where events stand that were submitted one after the other.
package struct SubmittedRun: Sendable, Hashable {
    /// The producer's number of the first.
    package let first: UInt64
    package let stream: StreamName
    package let lane: Int
    package let epoch: Epoch
    package let sequences: Range<UInt64>

    package init(
        first: UInt64, stream: StreamName, lane: Int, epoch: Epoch, sequences: Range<UInt64>
    ) {
        self.first = first
        self.stream = stream
        self.lane = lane
        self.epoch = epoch
        self.sequences = sequences
    }

    /// Where an event stands; nil if it is not one of these.
    package func position(of number: UInt64, at node: NodeID) -> Position? {
        guard number >= first, number - first < UInt64(sequences.count) else { return nil }
        return Position(
            channel: Channel(node: node, stream: stream, lane: lane), epoch: epoch,
            sequence: sequences.lowerBound + (number - first))
    }
}
