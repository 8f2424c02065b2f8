import MartletCore

// Sound to share: whoever holds the journal's `writing` changes its fields, under the lock of the
// state, and nobody once it is complete; until then they are read under one of the two. A disk's
// file is for all threads.
/// A segment of the log, and where the frames in it lie.
final class Segment: @unchecked Sendable {
    /// What is thrown where the index of a segment cannot be read, which can be made anew.
    static let damagedIndex = MartletError.Code("damagedIndex")

    let head: SegmentHead
    let file: any DiskFile
    /// Where its groups end.
    var end: Int
    /// What its file has.
    var byteCount: Int
    private(set) var spans: [Int: SegmentSpan]
    /// Of a segment that is complete they lie in its file.
    private var frames: [Int: [PlacedFrame]]
    private var entriesOffset: Int?

    /// A segment whose groups are yet to come, or to be read.
    init(_ head: SegmentHead, _ file: any DiskFile) {
        self.head = head
        self.file = file
        end = SegmentHead.byteCount
        byteCount = SegmentHead.byteCount
        spans = [:]
        frames = [:]
    }

    /// A segment that is complete.
    init(_ head: SegmentHead, _ file: any DiskFile, _ footer: SegmentFooter, byteCount: Int) {
        self.head = head
        self.file = file
        end = footer.entriesOffset
        self.byteCount = byteCount
        spans = footer.spans
        frames = [:]
        entriesOffset = footer.entriesOffset
    }

    /// Whether it has its footer.
    var isComplete: Bool { entriesOffset != nil }

    /// The same, complete, over another handle of its file.
    func over(_ file: any DiskFile) -> Segment {
        let segment = Segment(head, file)
        segment.end = end
        segment.byteCount = byteCount
        segment.spans = spans
        segment.entriesOffset = entriesOffset
        return segment
    }

    /// A frame of a channel lies in it.
    func add(_ entry: FrameEntry, at offset: Int) {
        let frame = PlacedFrame(
            entry.sequences, latest: entry.latest, offset: offset, byteCount: entry.byteCount)
        frames[entry.channel, default: []].append(frame)
        var span =
            spans[entry.channel]
            ?? SegmentSpan(
                sequences: entry.sequences, latest: entry.latest, count: 0, byteCount: 0)
        span.sequences = span.sequences.lowerBound..<entry.sequences.upperBound
        span.latest = max(span.latest, entry.latest)
        span.count += 1
        span.byteCount += UInt64(entry.byteCount)
        spans[entry.channel] = span
    }

    /// The footer that completes it.
    func footer(lastGroup: UInt64) -> Bytes {
        SegmentFooter.bytes(
            spans, frames, at: end, lastGroup: lastGroup, salt: head.salt)
    }

    /// Its footer has been written: what is in memory may go.
    func complete(byteCount: Int) {
        var place = 0
        for channel in spans.keys.sorted() {
            spans[channel]?.place = place
            place += spans[channel]?.count ?? 0
        }
        entriesOffset = end
        self.byteCount = byteCount
        frames = [:]
    }

    /// A frame of a channel, by its place among the channel's.
    func frame(_ channel: Int, _ place: Int) throws(MartletError) -> PlacedFrame {
        if let frames = frames[channel] { return frames[place] }
        guard let entriesOffset, let span = spans[channel] else {
            preconditionFailure("the segment has no such frame")
        }
        let offset = entriesOffset + (span.place + place) * PlacedFrame.byteCount
        let bytes = try file.read(at: offset, count: PlacedFrame.byteCount)
        guard let frame = PlacedFrame(bytes, salt: head.salt) else {
            throw MartletError(
                Segment.damagedIndex, "The index of segment \(head.number) is damaged.",
                cause: DamagedIndex(segment: head.number))
        }
        return frame
    }

    /// Frames of a channel from the one that holds an event on, of a segment that is not complete.
    func frames(_ channel: Int, from sequence: UInt64, byteCountMax: Int) -> [FramePlace] {
        let frames = frames[channel] ?? []
        var low = 0
        var high = frames.count
        while low < high {
            let middle = (low + high) / 2
            if frames[middle].sequences.upperBound > sequence {
                high = middle
            } else {
                low = middle + 1
            }
        }
        var byteCount = 0
        return frames[low...].prefix { frame in
            defer { byteCount += frame.byteCount }
            return byteCount == 0 || byteCount < byteCountMax
        }.map { FramePlace(file: file, frame: $0) }
    }

    /// The place of a channel's first frame where it is so, from which on it always is.
    func place(
        _ channel: Int, where isSo: (PlacedFrame) -> Bool
    ) throws(MartletError) -> Int {
        var low = 0
        var high = spans[channel]?.count ?? 0
        while low < high {
            let middle = (low + high) / 2
            if isSo(try frame(channel, middle)) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

/// Which segment's index cannot be read.
struct DamagedIndex: Error {
    let segment: UInt64
}
