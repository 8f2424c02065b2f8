/// A frame that a worker has been given, and what holds for all of its events.
package final class HeldFrame: Sendable {
    let frame: Frame
    let lease: Work.Lease
    /// The publisher that it came from, by the number of the connection.
    let peer: Int
    /// Nothing is begun after this moment, unless the publisher has been heard of meanwhile.
    let leaseUntil: MonotonicTime
    /// Tells what a publisher gave from what another one gave at its address before.
    let life: UInt64
    /// For how many terms the publisher had been heard of when it came.
    let term: UInt64

    init(_ frame: Frame, _ lease: Work.Lease, from source: WorkSource) {
        self.frame = frame
        self.lease = lease
        peer = source.peer
        leaseUntil = source.leaseUntil
        life = source.life
        term = source.term
    }
}

/// An event that a worker has been given. Small, since it goes through many hands.
package struct HeldEvent: Sendable {
    let held: HeldFrame
    private let place: Int32
    /// What it must stay in order with: the same number for events of one key of one channel. Nil
    /// if with nothing.
    package let strand: UInt64?

    init(_ held: HeldFrame, at place: Int, strand: UInt64?) {
        self.held = held
        self.place = Int32(truncatingIfNeeded: place)
        self.strand = strand
    }

    /// The event.
    package var event: RecordedEvent { held.frame[Int(place)] }

    /// Its number.
    var sequence: UInt64 { held.frame.sequence(at: Int(place)) }

    /// How it was given.
    package var lease: Work.Lease { held.lease }

    /// The publisher that it came from, by the number of the connection.
    package var peer: Int { held.peer }

    /// Nothing is begun after this moment, unless the publisher has been heard of meanwhile.
    package var leaseUntil: MonotonicTime { held.leaseUntil }

    /// How it is handed to a handler.
    package var delivery: Delivery {
        Delivery(event, attempt: lease.attempt, mayBeRepeat: lease.mayRepeat, fence: lease.fence)
    }
}

/// Under what a worker holds events of a channel.
struct HoldKey: Hashable, Sendable {
    let stream: StreamName
    let lane: Int
    let fence: UInt64

    init(_ held: HeldFrame) { self.init(held.frame, held.lease.fence) }

    init(_ frame: Frame, _ fence: UInt64) {
        stream = frame.channel.stream
        lane = frame.channel.lane
        self.fence = fence
    }

    func result(_ sequences: SequenceSet, _ verdict: WorkResult.Verdict) -> WorkResult {
        WorkResult(
            stream: stream, lane: lane, fence: fence, sequences: sequences, verdict: verdict)
    }

    func comes(before other: HoldKey) -> Bool {
        if stream != other.stream { return stream.precedes(other.stream) }
        return lane == other.lane ? fence < other.fence : lane < other.lane
    }
}
