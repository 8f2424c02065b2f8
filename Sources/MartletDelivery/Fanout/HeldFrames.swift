/// Frames that came too early: they wait for the hole before them to be filled, in the order of
/// their sequences, within bounds.
struct HeldFrames {
    var byteCountMax: Int
    /// Those that have gone left their places empty, so that their memory is free at once.
    private var frames: [Frame?] = []
    /// How many places at the front are empty; they are removed in bulk.
    private var gone = 0
    private(set) var byteCount = 0

    init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

    /// The first frame.
    var first: Frame? { gone < frames.count ? frames[gone] : nil }

    /// The last frame.
    var last: Frame? { gone < frames.count ? frames[frames.count - 1] : nil }

    /// Holds a frame. Without room it is as if it had been lost, and will be fetched.
    mutating func insert(_ frame: Frame) {
        guard byteCount + frame.bytes.count <= byteCountMax else { return }
        // Most come in order, behind the last.
        var place = frames.count
        let start = frame.sequences.lowerBound
        while place > gone, let before = frames[place - 1], before.sequences.lowerBound > start {
            place -= 1
        }
        if place > gone, let before = frames[place - 1], isSame(before, frame) { return }
        frames.insert(frame, at: place)
        byteCount += frame.bytes.count
    }

    private func isSame(_ left: Frame, _ right: Frame) -> Bool {
        left.sequences == right.sequences && left.header.epoch == right.header.epoch
    }

    /// Lets go of the first frame, which must be there.
    mutating func removeFirst() {
        byteCount -= frames[gone]?.bytes.count ?? 0
        frames[gone] = nil
        gone += 1
        if gone == frames.count {
            frames.removeAll(keepingCapacity: true)
            gone = 0
        } else if gone > 64, gone * 2 > frames.count {
            frames.removeFirst(gone)
            gone = 0
        }
    }

    /// Lets go of all frames.
    mutating func removeAll() -> [Frame] {
        defer {
            frames = []
            gone = 0
            byteCount = 0
        }
        return frames[gone...].compactMap { $0 }
    }
}
