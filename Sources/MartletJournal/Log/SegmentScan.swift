import MartletCore
import MartletEvents

/// Walks through the groups of a segment, whatever state it is in.
///
/// Groups are numbered without holes, and each was on the disk before the next one was begun. What
/// stands behind the last of them was therefore never confirmed; what is wrong before it, was
/// damaged later.
struct SegmentScan {
    /// A group, and where its frames begin.
    struct Found {
        let group: LogGroup
        let framesOffset: Int
        let end: Int
    }

    private let file: any DiskFile
    private let head: SegmentHead
    private let size: Int
    private var window = Bytes()
    private var windowOffset = 0
    /// Where the next group is looked for.
    private(set) var offset = SegmentHead.byteCount
    private var expected: UInt64
    /// What was passed over since it was damaged: how many groups.
    private(set) var damagedGroups: UInt64 = 0

    private static let windowBytes = 1_048_576

    init(_ file: any DiskFile, _ head: SegmentHead, size: Int) {
        self.file = file
        self.head = head
        self.size = size
        expected = head.firstGroup
    }

    /// The next group that can be read; nil behind the last.
    mutating func next() throws(MartletError) -> Found? {
        if let found = try group(at: offset, number: expected...Limits.sequenceMax) {
            // A damaged group may have been written over.
            damagedGroups += found.group.number - expected
            take(found)
            return found
        }
        // Whatever is here is no group. If one follows, it was there, and has been damaged.
        var place = offset + LogGroup.alignment
        while let magic = try find(from: place) {
            if let found = try group(at: magic, number: expected...Limits.sequenceMax) {
                damagedGroups += found.group.number - expected
                take(found)
                return found
            }
            place = magic + LogGroup.alignment
        }
        return nil
    }

    private mutating func take(_ found: Found) {
        offset = found.end
        expected = found.group.number + 1
    }

    /// A group that was found does not count, and the next takes its place.
    mutating func giveBack(_ found: Found, at end: Int) {
        offset = end
        expected = found.group.number
    }

    /// The number of the next group.
    var nextNumber: UInt64 { expected }

    private mutating func group(
        at place: Int, number: ClosedRange<UInt64>
    ) throws(MartletError) -> Found? {
        let head = try bytes(at: place, count: LogGroup.headBytes)
        guard head.count == LogGroup.headBytes, let sizes = LogGroup.sizes(head),
            number.contains(sizes.number)
        else { return nil }
        let framesOffset = place + LogGroup.headBytes + sizes.directoryBytes
        let end = LogGroup.aligned(framesOffset + sizes.frameBytes)
        guard end <= size else { return nil }
        let whole = try bytes(at: place, count: framesOffset - place)
        guard
            let group = LogGroup(
                whole, number: sizes.number, checksum: sizes.checksum, salt: self.head.salt)
        else { return nil }
        return Found(group: group, framesOffset: framesOffset, end: end)
    }

    /// The next place where a group may begin.
    private mutating func find(from start: Int) throws(MartletError) -> Int? {
        var place = start
        while place + LogGroup.headBytes <= size {
            let some = try bytes(
                at: place, count: min(SegmentScan.windowBytes / 2, size - place))
            let found: Int? = some.withBytes { span in
                for offset in stride(from: 0, to: span.byteCount - 3, by: LogGroup.alignment)
                where unsafe span.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self)
                    .littleEndian == LogGroup.magic
                {
                    return offset
                }
                return nil
            }
            if let found { return place + found }
            // A file may be shorter than it was.
            guard some.count >= LogGroup.headBytes else { return nil }
            place += some.count / LogGroup.alignment * LogGroup.alignment
        }
        return nil
    }

    /// Bytes of the file, of which so many are read at a time that small groups cost little.
    private mutating func bytes(at place: Int, count: Int) throws(MartletError) -> Bytes {
        if place < windowOffset || place + count > windowOffset + window.count {
            window = try file.read(at: place, count: max(count, SegmentScan.windowBytes))
            windowOffset = place
        }
        let start = place - windowOffset
        return window[start..<min(start + count, window.count)]
    }
}

extension SegmentScan {
    /// Whether all frames of a group are whole.
    static func isWhole(
        _ found: Found, in file: any DiskFile
    ) throws(MartletError) -> Bool {
        var offset = found.framesOffset
        for case .frame(let entry) in found.group.entries {
            let bytes = try file.read(at: offset, count: entry.byteCount)
            guard bytes.count == entry.byteCount, StoredBytes.isFrame(bytes, of: entry.sequences)
            else { return false }
            offset += entry.byteCount
        }
        return true
    }
}

/// Bytes that were stored as a frame.
enum StoredBytes {
    /// Whether they are one, undamaged, of these events.
    static func isFrame(_ bytes: Bytes, of sequences: Range<UInt64>) -> Bool {
        guard let header = try? FrameHeader(verifying: bytes) else { return false }
        return header.firstSequence == sequences.lowerBound
            && header.count == sequences.count
    }
}
