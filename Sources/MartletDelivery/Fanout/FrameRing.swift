/// The frames of a channel that were sealed last, for readers that missed them: as many as their
/// bytes allow, and the last one always.
struct FrameRing {
    private let byteCountMax: Int
    private var frames: [Frame] = []
    /// How many of the frames at the front have gone; they are removed in bulk.
    private var gone = 0
    private(set) var byteCount = 0

    init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

    /// The first sequence that is here; nil if none is.
    var first: UInt64? { gone < frames.count ? frames[gone].sequences.lowerBound : nil }

    /// Adds the frame that follows the last one.
    mutating func append(_ frame: Frame) {
        frames.append(frame)
        byteCount += frame.bytes.count
        while byteCount > byteCountMax, gone < frames.count - 1 {
            byteCount -= frames[gone].bytes.count
            gone += 1
        }
        // Each frame is moved once at most for each time that as many have gone.
        if gone > 64, gone * 2 > frames.count {
            frames.removeFirst(gone)
            gone = 0
        }
    }

    /// The frames from the one that holds this sequence, or the first behind it.
    func frames(from sequence: UInt64) -> ArraySlice<Frame> {
        var low = gone
        var high = frames.count
        while low < high {
            let middle = (low + high) / 2
            if frames[middle].sequences.upperBound <= sequence {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return frames[low...]
    }

    /// The sequence of the first event of this time or later, by a running maximum: once an event
    /// of such a time has come, all that follow count.
    func sequence(at time: Timestamp) -> UInt64? {
        for frame in frames[gone...] {
            if let event = frame.first(where: { $0.time >= time }) { return event.sequence }
        }
        return nil
    }
}
