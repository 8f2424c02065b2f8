/// What a worker has of a channel whose keys are to stay in order.
///
/// Frames wait as they came, and go to one handler at a time, event by event: that keeps every key
/// in order and costs nothing for each event. Where that is not enough, since handlers are slow or
/// something is special about a key, frames are unfolded: each of their events waits in the strand
/// of its key, and strands go side by side. Nothing goes folded again until all that was unfolded
/// has ended.
struct WorkRow: Sendable {
    /// Frames that nothing has been unfolded of.
    private(set) var waiting = Queue<HeldFrame>()
    /// How many events of the first of them have been taken.
    private var taken = 0
    /// What a handler has of a frame, folded.
    private(set) var out: (held: HeldFrame, places: Range<Int>)?
    /// Events that were unfolded and have not ended.
    var looseCount = 0
    /// How many strands are blocked. While one is, no frame waits: what comes is unfolded.
    var blockedCount = 0
    /// Whether it stands among those that can go.
    var isListed = false

    /// Whether events can be taken.
    var isReady: Bool { out == nil && looseCount == 0 && blockedCount == 0 && !waiting.isEmpty }

    /// Whether nothing is known of it.
    var isIdle: Bool { out == nil && looseCount == 0 && blockedCount == 0 && waiting.isEmpty }

    mutating func append(_ held: HeldFrame) { waiting.append(held) }

    /// The first events that wait, for a handler.
    mutating func take(atMost count: Int) -> HeldEvents? {
        guard isReady, let held = waiting.first else { return nil }
        let places = taken..<min(taken + count, held.frame.count)
        pass(places.upperBound, of: held)
        out = (held, places)
        return HeldEvents(held, places)
    }

    private mutating func pass(_ end: Int, of held: HeldFrame) {
        taken = end
        guard end == held.frame.count else { return }
        _ = waiting.popFirst()
        taken = 0
    }

    /// Events that a handler has, folded, have ended: all before this place. False if they are not
    /// folded any more.
    mutating func end(before place: Int, of held: HeldFrame) -> Bool {
        guard let out, out.held === held, place > out.places.lowerBound,
            place <= out.places.upperBound
        else { return false }
        self.out = place < out.places.upperBound ? (held, place..<out.places.upperBound) : nil
        return true
    }

    /// What a handler has, which is not folded any more.
    mutating func unfoldOut() -> HeldEvents? {
        defer { out = nil }
        return out.map { HeldEvents($0.held, $0.places) }
    }

    /// Whether a frame waits for which it is so.
    func hasWaiting(where isSo: (HeldFrame) -> Bool) -> Bool {
        var has = false
        waiting.forEach { has = has || isSo($0) }
        return has
    }

    /// What waits of the first frame, which is not folded any more.
    mutating func unfoldNext() -> HeldEvents? {
        guard let held = waiting.first else { return nil }
        let events = HeldEvents(held, taken..<held.frame.count)
        pass(held.frame.count, of: held)
        return events
    }
}
