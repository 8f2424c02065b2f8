import MartletCore

// What a segment that is complete ends with: where each frame lies, in the order of channels and
// events, so that none of it must be kept in memory.
//
//   entries  32 bytes each: first event (8), latest time (8), offset (4), length (4), count of
//            events (4), the low half of the checksum of these 28 bytes (4)
//   table    varint count of channels; for each, in their order: channel, first event, end of the
//            events (varints), latest time (8), count and bytes of frames (varints)
//   trailer  at  bytes
//             0    4   "MEND"
//             4    4   length of the table
//             8    8   offset of the entries
//            16    8   number of the segment's last group
//            24    8   checksum of table and trailer, without this field

/// Where a frame lies in a segment.
struct PlacedFrame: Equatable {
    static let byteCount = 32

    let sequences: Range<UInt64>
    let latest: Timestamp
    let offset: Int
    let byteCount: Int

    func write(into writer: inout FieldWriter, salt: UInt64) {
        var entry = FieldWriter()
        entry.number(sequences.lowerBound)
        entry.time(latest)
        entry.number(UInt64(offset) | UInt64(byteCount) << 32)
        entry.number(UInt64(sequences.count))
        let checksum = PlacedFrame.checksum(Bytes(entry.bytes), salt)
        writer.number(sequences.lowerBound)
        writer.time(latest)
        writer.number(UInt64(offset) | UInt64(byteCount) << 32)
        writer.number(UInt64(sequences.count) | checksum << 32)
    }

    private static func checksum(_ entry: Bytes, _ salt: UInt64) -> UInt64 {
        LogChecksum.of(entry[0..<28], seed: salt) & 0xFFFF_FFFF
    }

    init(_ sequences: Range<UInt64>, latest: Timestamp, offset: Int, byteCount: Int) {
        self.sequences = sequences
        self.latest = latest
        self.offset = offset
        self.byteCount = byteCount
    }

    /// Nil if it is damaged.
    init?(_ bytes: Bytes, salt: UInt64) {
        var reader = FieldReader(bytes)
        guard bytes.count == PlacedFrame.byteCount, let first = reader.number(),
            let latest = reader.time(), let place = reader.number(), let end = reader.number(),
            end >> 32 == PlacedFrame.checksum(bytes, salt), first > 0,
            first <= Limits.sequenceMax
        else { return nil }
        self.init(
            first..<first + (end & 0xFFFF_FFFF), latest: latest, offset: Int(place & 0xFFFF_FFFF),
            byteCount: Int(place >> 32))
    }
}

/// The frames of a channel in a segment.
struct SegmentSpan: Equatable {
    /// From the first event to the last; damage may have left holes between.
    var sequences: Range<UInt64>
    var latest: Timestamp
    var count: Int
    var byteCount: UInt64
    /// The first of its entries, among all of the segment; only where they lie in a file.
    var place = 0
}

/// A footer, without its entries.
struct SegmentFooter {
    static let trailerBytes = 32
    private static let magic: UInt32 = 0x444E_454D

    let spans: [Int: SegmentSpan]
    let entriesOffset: Int

    /// The footer of a segment whose groups end at this offset.
    static func bytes(
        _ spans: [Int: SegmentSpan], _ frames: [Int: [PlacedFrame]], at offset: Int,
        lastGroup: UInt64, salt: UInt64
    ) -> Bytes {
        var writer = FieldWriter()
        let order = spans.sorted { $0.key < $1.key }
        for (channel, _) in order {
            for frame in frames[channel] ?? [] { frame.write(into: &writer, salt: salt) }
        }
        var table = FieldWriter()
        table.varint(UInt64(spans.count))
        for (channel, span) in order {
            table.varint(UInt64(channel))
            table.varint(span.sequences.lowerBound)
            table.varint(span.sequences.upperBound)
            table.time(span.latest)
            table.varint(UInt64(span.count))
            table.varint(span.byteCount)
        }
        var end = table
        end.number(UInt64(magic) | UInt64(table.bytes.count) << 32)
        end.number(UInt64(offset))
        end.number(lastGroup)
        end.number(LogChecksum.of(Bytes(end.bytes), seed: salt))
        return Bytes(writer.bytes + end.bytes)
    }

    /// The footer of a file of this size; nil if it has none, or a damaged one.
    init?(_ file: any DiskFile, size: Int, salt: UInt64) throws(MartletError) {
        guard size >= SegmentHead.byteCount + SegmentFooter.trailerBytes else { return nil }
        let trailer = try file.read(
            at: size - SegmentFooter.trailerBytes, count: SegmentFooter.trailerBytes)
        var reader = FieldReader(trailer)
        guard let first = reader.number(), UInt32(truncatingIfNeeded: first) == SegmentFooter.magic,
            let offset = reader.number(), reader.number() != nil,
            let checksum = reader.number(), first >> 32 <= UInt64(size), offset <= UInt64(size)
        else { return nil }
        let tableBytes = Int(first >> 32)
        let start = size - SegmentFooter.trailerBytes - tableBytes
        guard start >= Int(offset) else { return nil }
        let bytes = try file.read(at: start, count: tableBytes + SegmentFooter.trailerBytes)
        guard bytes.count == tableBytes + SegmentFooter.trailerBytes,
            LogChecksum.of(bytes[0..<(bytes.count - 8)], seed: salt) == checksum,
            let spans = SegmentFooter.spans(bytes[0..<tableBytes]),
            spans.values.reduce(0, { $0 + $1.count }) * PlacedFrame.byteCount
                == start - Int(offset)
        else { return nil }
        self.spans = spans
        entriesOffset = Int(offset)
    }

    private static func spans(_ table: Bytes) -> [Int: SegmentSpan]? {
        var reader = FieldReader(table)
        guard let count = reader.count(ofThingsOf: 13) else { return nil }
        var spans: [Int: SegmentSpan] = [:]
        var place = 0
        for _ in 0..<count {
            guard let channel = reader.varint(), let first = reader.sequence(),
                let end = reader.sequence(), first < end, let latest = reader.time(),
                let count = reader.varint(), channel <= UInt64(Int32.max),
                count <= UInt64(Int32.max), let byteCount = reader.sequence()
            else { return nil }
            spans[Int(channel)] = SegmentSpan(
                sequences: first..<end, latest: latest, count: Int(count),
                byteCount: byteCount, place: place)
            place += Int(count)
        }
        return spans
    }
}
