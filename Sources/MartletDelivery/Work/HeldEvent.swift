/// A frame that a worker has been given, and what holds for all of its events.
package final class HeldFrame: Sendable {
    let frame: Frame
    let lease: Work.Lease
    /// The publisher that it came from, by the number of the connection.
    let peer: Int
    /// The row of events that must stay in order with those of their keys; nil where none must.
    let row: UInt64?
    /// Nothing is begun after this moment, unless the publisher has been heard of meanwhile.
    let leaseUntil: MonotonicTime
    /// Tells what a publisher gave from what another one gave at its address before.
    let life: UInt64
    /// For how many terms the publisher had been heard of when it came.
    let term: UInt64

    init(_ frame: Frame, _ lease: Work.Lease, from source: WorkSource, inRow row: UInt64?) {
        self.frame = frame
        self.lease = lease
        self.row = row
        peer = source.peer
        leaseUntil = source.leaseUntil
        life = source.life
        term = source.term
    }
}

/// An event that a worker has been given. Small, since it goes through many hands.
package struct HeldEvent: Sendable {
    let held: HeldFrame
    let place: Int

    init(_ held: HeldFrame, at place: Int) {
        self.held = held
        self.place = place
    }

    /// What it must stay in order with: the same number for events of one key of one channel. Nil
    /// if with nothing.
    package var strand: UInt64? {
        held.row.map { row in (KeyHash.of(event) ?? 0) ^ row }
    }

    /// The event.
    package var event: RecordedEvent { held.frame[place] }

    /// Its number.
    var sequence: UInt64 { held.frame.sequence(at: place) }

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

/// Events that a handler is given one after the other.
package struct HeldEvents: Sendable {
    enum Content: Sendable {
        /// Some of a frame, in their order.
        case run(HeldFrame, Range<Int>)
        case events(ArraySlice<HeldEvent>)
    }

    let content: Content

    init(_ held: HeldFrame, _ places: Range<Int>) { content = .run(held, places) }

    init(_ events: ArraySlice<HeldEvent>) { content = .events(events) }

    /// None.
    package init() { content = .events([]) }

    /// How many there are.
    package var count: Int {
        switch content {
        case .run(_, let places): places.count
        case .events(let events): events.count
        }
    }

    /// Whether there are none.
    package var isEmpty: Bool { count == 0 }

    /// Whether they are some of a frame whose events must stay in order.
    package var isFolded: Bool {
        guard case .run(let held, _) = content else { return false }
        return held.row != nil
    }

    /// The event at a place among them.
    package subscript(place: Int) -> HeldEvent {
        switch content {
        case .run(let held, let places): HeldEvent(held, at: places.lowerBound + place)
        case .events(let events): events[events.startIndex + place]
        }
    }

    /// Those at some places among them.
    package subscript(range: Range<Int>) -> HeldEvents {
        switch content {
        case .run(let held, let places):
            let first = places.lowerBound
            return HeldEvents(held, first + range.lowerBound..<first + range.upperBound)
        case .events(let events):
            let first = events.startIndex
            return HeldEvents(events[first + range.lowerBound..<first + range.upperBound])
        }
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
