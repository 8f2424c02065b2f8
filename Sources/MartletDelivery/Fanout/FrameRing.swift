/// The frames of a channel that were sealed last, for readers that missed them.
struct FrameRing {
    struct Entry {
        let frame: SealedFrame
        /// Bytes and frames of the channel up to the end of this one.
        let total: FrameTotal
    }

    /// Those that have gone left their places empty, so that their memory is free at once.
    private var entries: [Entry?] = []
    /// How many places at the front are empty; they are removed in bulk.
    private var gone = 0
    private(set) var byteCount = 0
    /// All that has ever been here.
    private(set) var total = FrameTotal()

    /// The first sequence that is here; nil if none is.
    var first: UInt64? { gone < entries.count ? self[gone].frame.sequences.lowerBound : nil }

    /// Adds the frame that follows the last one.
    mutating func append(_ frame: SealedFrame) {
        byteCount += frame.bytes.count
        total.add(frame.bytes.count)
        entries.append(Entry(frame: frame, total: total))
    }

    /// Forgets the oldest frame, which must be there, and returns its size.
    mutating func removeFirst() -> Int {
        let size = self[gone].frame.bytes.count
        byteCount -= size
        entries[gone] = nil
        gone += 1
        // Each frame is moved once at most for each time that as many have gone.
        if gone > 64, gone * 2 > entries.count {
            entries.removeFirst(gone)
            gone = 0
        }
        return size
    }

    /// The frames from the one that holds this sequence, or the first behind it.
    func frames(from sequence: UInt64) -> some Sequence<SealedFrame> {
        let first = place { $0.frame.sequences.upperBound > sequence }
        return (first..<entries.count).lazy.map { self[$0].frame }
    }

    /// The sequence of the first event of this time or later, by a running maximum: once an event
    /// of such a time has come, all that follow count.
    func sequence(at time: Timestamp) -> UInt64? {
        let place = place { $0.frame.latest >= time }
        guard place < entries.count else { return nil }
        let frame = self[place].frame
        return frame.sequence(at: time) ?? frame.sequences.lowerBound
    }

    /// All that had been published up to and with this sequence; what has gone counts in any case.
    func total(upTo sequence: UInt64) -> FrameTotal {
        let place = place { $0.frame.sequences.upperBound > sequence + 1 }
        if place > gone { return self[place - 1].total }
        // What is here no more is waited for no more.
        guard gone < entries.count else { return total }
        return self[gone].total.without(self[gone].frame.bytes.count)
    }

    private subscript(place: Int) -> Entry {
        guard let entry = entries[place] else { preconditionFailure("the frame has gone") }
        return entry
    }

    /// The first place where it is so, from which on it always is.
    private func place(where isSo: (Entry) -> Bool) -> Int {
        var low = gone
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if isSo(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

/// How much has been published.
struct FrameTotal: Hashable {
    private(set) var bytes: UInt64 = 0
    private(set) var frames: UInt64 = 0

    /// The same before a frame of this size.
    func without(_ byteCount: Int) -> FrameTotal {
        var before = self
        before.bytes -= UInt64(byteCount)
        before.frames -= 1
        return before
    }

    func plus(_ other: FrameTotal) -> FrameTotal {
        FrameTotal(bytes: bytes + other.bytes, frames: frames + other.frames)
    }

    func minus(_ other: FrameTotal) -> FrameTotal {
        FrameTotal(bytes: bytes - other.bytes, frames: frames - other.frames)
    }

    mutating func add(_ byteCount: Int) {
        bytes += UInt64(byteCount)
        frames += 1
    }
}
