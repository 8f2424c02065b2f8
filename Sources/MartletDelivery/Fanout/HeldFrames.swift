/// Frames that came too early: they wait for the hole before them to be filled, in the order of
/// their sequences, within bounds.
struct HeldFrames {
    /// A frame, and whether it came in answer to a request.
    struct Entry {
        let frame: Frame
        let isFetched: Bool
    }

    var byteCountMax: Int
    /// Those that have gone left their places empty, so that their memory is free at once.
    private var entries: [Entry?] = []
    /// How many places at the front are empty; they are removed in bulk.
    private var gone = 0
    private(set) var byteCount = 0

    init(byteCountMax: Int) { self.byteCountMax = byteCountMax }

    /// Whether none is held.
    var isEmpty: Bool { gone == entries.count }

    /// The first frame.
    var first: Entry? { gone < entries.count ? entries[gone] : nil }

    /// The last frame.
    var last: Entry? { gone < entries.count ? entries[entries.count - 1] : nil }

    /// Holds a frame. Without room it is as if it had been lost, and will be fetched.
    mutating func insert(_ entry: Entry) {
        let frame = entry.frame
        guard byteCount + frame.bytes.count <= byteCountMax else { return }
        // Most come in order, behind the last.
        var place = entries.count
        let start = frame.sequences.lowerBound
        while place > gone, let before = entries[place - 1]?.frame,
            before.sequences.lowerBound > start
        {
            place -= 1
        }
        if place > gone, let before = entries[place - 1]?.frame, isSame(before, frame) { return }
        entries.insert(entry, at: place)
        byteCount += frame.bytes.count
    }

    private func isSame(_ left: Frame, _ right: Frame) -> Bool {
        left.sequences == right.sequences && left.header.epoch == right.header.epoch
    }

    /// Lets go of the first frame, which must be there.
    mutating func removeFirst() {
        byteCount -= entries[gone]?.frame.bytes.count ?? 0
        entries[gone] = nil
        gone += 1
        if gone == entries.count {
            entries.removeAll(keepingCapacity: true)
            gone = 0
        } else if gone > 64, gone * 2 > entries.count {
            entries.removeFirst(gone)
            gone = 0
        }
    }

    /// Lets go of all frames.
    mutating func removeAll() -> [Entry] {
        defer {
            entries = []
            gone = 0
            byteCount = 0
        }
        return entries[gone...].compactMap { $0 }
    }
}
