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
