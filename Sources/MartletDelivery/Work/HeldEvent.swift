/// An event that a worker has been given.
package struct HeldEvent: Sendable {
    /// The event.
    package let event: RecordedEvent
    /// How it was given.
    package let lease: Work.Lease
    /// The publisher that it came from, by the number of the connection.
    package let peer: Int
    /// What it must stay in order with: the same number for events of one key of one channel. Nil
    /// if with nothing.
    package let strand: UInt64?
    /// Nothing is begun after this moment, unless the publisher has been heard of meanwhile.
    package let leaseUntil: MonotonicTime
    /// Tells what a publisher gave from what another one gave at its address before.
    let life: UInt64
    /// For how many terms the publisher had been heard of when it came.
    let term: UInt64

    /// How it is handed to a handler.
    package var delivery: Delivery {
        Delivery(
            event, attempt: lease.attempt, mayBeRepeat: lease.mayRepeat, fence: lease.fence)
    }
}

/// Under what a worker holds events of a channel.
struct HoldKey: Hashable, Sendable {
    let stream: StreamName
    let lane: Int
    let fence: UInt64

    init(_ held: HeldEvent) {
        stream = held.event.frame.channel.stream
        lane = held.event.frame.channel.lane
        fence = held.lease.fence
    }

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
