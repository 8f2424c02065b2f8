/// The readers that a stream waits for: how far each is behind, and who is no longer waited for.
///
/// What is published beyond what a reader is done with stays within a window. A reader that fills
/// it for longer than the patience lasts is left behind, and repairs what it misses; it counts
/// again once it has caught up.
struct FlowControl {
    private struct Reader {
        let session: UInt64
        /// What it is done with, by the numbers of the lanes.
        var reached: [FrameTotal]
        /// What it is not done with.
        var outstanding = FrameTotal()
        var isLeft = false
        var fullSince: MonotonicTime?
    }

    private let windowBytes: UInt64
    private let windowFrames: UInt64
    private let patience: Duration
    /// In the order of their sessions' beginnings.
    private var readers: [Reader] = []
    /// What was published, by the numbers of the lanes.
    private var totals: [FrameTotal] = []

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
    var isDrained: Bool { readers.allSatisfy { $0.outstanding == FrameTotal() } }

    /// How many readers are waited for.
    var readerCount: Int { readers.count { !$0.isLeft } }

    mutating func began(_ session: UInt64) {
        // From here on it counts.
        readers.append(Reader(session: session, reached: totals))
    }

    mutating func ended(_ session: UInt64) { readers.removeAll { $0.session == session } }

    mutating func published(_ byteCount: Int, lane: Int) {
        while totals.count <= lane { totals.append(FrameTotal()) }
        totals[lane].add(byteCount)
        for place in readers.indices { readers[place].outstanding.add(byteCount) }
    }

    mutating func reached(_ total: FrameTotal, lane: Int, session: UInt64) {
        guard let place = readers.firstIndex(where: { $0.session == session }),
            totals.indices.contains(lane)
        else { return }
        while readers[place].reached.count <= lane { readers[place].reached.append(FrameTotal()) }
        let before = readers[place].reached[lane]
        readers[place].reached[lane] = total
        readers[place].outstanding = readers[place].outstanding.plus(before).minus(total)
        progress &+= 1
        let outstanding = readers[place].outstanding
        if readers[place].isLeft, outstanding.bytes <= windowBytes / 2,
            outstanding.frames <= windowFrames / 2
        {
            readers[place].isLeft = false
        }
    }

    /// Whether somebody's window is full who is still waited for.
    mutating func isHeldUp(at now: MonotonicTime) -> Bool {
        var isHeldUp = false
        for place in readers.indices where !readers[place].isLeft {
            let outstanding = readers[place].outstanding
            guard outstanding.bytes >= windowBytes || outstanding.frames >= windowFrames else {
                readers[place].fullSince = nil
                continue
            }
            let since = readers[place].fullSince ?? now
            // Who begins far behind is not waited for at all.
            if now >= since + patience || outstanding.bytes >= 2 * windowBytes {
                readers[place].isLeft = true
                readers[place].fullSince = nil
            } else {
                readers[place].fullSince = since
                isHeldUp = true
            }
        }
        return isHeldUp
    }
}
