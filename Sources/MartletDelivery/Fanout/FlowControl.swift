/// The readers that a stream waits for: how far each is behind, and who is no longer waited for.
///
/// What is published beyond what a reader is done with stays within a window. A reader that fills
/// it for longer than the patience lasts is left behind, and repairs what it misses; it counts
/// again once it has caught up.
struct FlowControl {
    private struct Reader {
        let session: UInt64
        /// What was published and is done with, in the lanes that count. A lane is missing until
        /// its reader has said something of it or something has been published there since.
        var behind: [Int: (published: FrameTotal, reached: FrameTotal)] = [:]
        var isLeft = false
        var fullSince: MonotonicTime?
    }

    private let windowBytes: UInt64
    private let windowFrames: UInt64
    private let patience: Duration
    /// In the order of their sessions' beginnings.
    private var readers: [Reader] = []
    private var totals: [Int: FrameTotal] = [:]

    init(
        windowBytes: Int = Limits.windowBytes, windowFrames: Int = Limits.windowFrames,
        patience: Duration = Limits.windowPatience
    ) {
        self.windowBytes = UInt64(windowBytes)
        self.windowFrames = UInt64(windowFrames)
        self.patience = patience
    }

    /// Rises with every report.
    private(set) var progress: UInt64 = 0

    /// Whether all readers are done with all that was published.
    var isDrained: Bool { readers.allSatisfy { outstanding($0) == (0, 0) } }

    /// How many readers are waited for.
    var readerCount: Int { readers.count { !$0.isLeft } }

    mutating func began(_ session: UInt64) {
        var reader = Reader(session: session)
        // From here on it counts.
        for (lane, total) in totals { reader.behind[lane] = (total, total) }
        readers.append(reader)
    }

    mutating func ended(_ session: UInt64) { readers.removeAll { $0.session == session } }

    mutating func published(_ byteCount: Int, lane: Int) {
        totals[lane, default: FrameTotal()].add(byteCount)
        let total = totals[lane] ?? FrameTotal()
        for place in readers.indices {
            readers[place].behind[lane, default: (total, FrameTotal())].published = total
        }
    }

    mutating func reached(_ total: FrameTotal, lane: Int, session: UInt64) {
        guard let place = readers.firstIndex(where: { $0.session == session }) else { return }
        readers[place].behind[lane]?.reached = total
        progress &+= 1
        let (bytes, frames) = outstanding(readers[place])
        if readers[place].isLeft, bytes <= windowBytes / 2, frames <= windowFrames / 2 {
            readers[place].isLeft = false
        }
    }

    /// Whether somebody's window is full who is still waited for.
    mutating func isHeldUp(at now: MonotonicTime) -> Bool {
        var isHeldUp = false
        for place in readers.indices where !readers[place].isLeft {
            let (bytes, frames) = outstanding(readers[place])
            guard bytes >= windowBytes || frames >= windowFrames else {
                readers[place].fullSince = nil
                continue
            }
            let since = readers[place].fullSince ?? now
            // Who begins far behind is not waited for at all.
            if now >= since + patience || bytes >= 2 * windowBytes {
                readers[place].isLeft = true
                readers[place].fullSince = nil
            } else {
                readers[place].fullSince = since
                isHeldUp = true
            }
        }
        return isHeldUp
    }

    private func outstanding(_ reader: Reader) -> (bytes: UInt64, frames: UInt64) {
        reader.behind.values.reduce(into: (bytes: 0, frames: 0)) { sum, lane in
            sum.bytes += lane.published.bytes - min(lane.reached.bytes, lane.published.bytes)
            sum.frames += lane.published.frames - min(lane.reached.frames, lane.published.frames)
        }
    }
}
