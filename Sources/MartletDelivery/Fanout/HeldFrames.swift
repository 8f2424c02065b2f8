/// Frames that came too early: they wait for the hole before them to be filled, in the order of
/// their sequences, within bounds.
struct HeldFrames {
    private let byteCountMax: Int
    private(set) var frames: [Frame] = []
    private(set) var byteCount = 0

    init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

    /// Holds a frame. False if there is no room: it is as if it had been lost, and will be fetched.
    mutating func insert(_ frame: Frame) -> Bool {
        guard byteCount + frame.bytes.count <= byteCountMax else { return false }
        let start = frame.sequences.lowerBound
        let place = frames.firstIndex { $0.sequences.lowerBound >= start } ?? frames.count
        if place < frames.count, frames[place].sequences == frame.sequences { return true }
        frames.insert(frame, at: place)
        byteCount += frame.bytes.count
        return true
    }

    /// The first frame, if it begins at this sequence or before. It is no longer held.
    mutating func take(upTo sequence: UInt64) -> Frame? {
        guard let first = frames.first, first.sequences.lowerBound <= sequence else { return nil }
        frames.removeFirst()
        byteCount -= first.bytes.count
        return first
    }

    mutating func removeAll() {
        frames = []
        byteCount = 0
    }

    /// Where the hole before the first frame ends.
    var firstSequence: UInt64? { frames.first?.sequences.lowerBound }
}
