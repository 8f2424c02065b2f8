// The frame: consecutive events of one channel, encoded once. The same bytes travel, wait in memory
// and lie on disk. Version 1; all numbers little-endian; "varint" is LEB128 of 64 bits, seven bits
// a byte, the low ones first; "text" is a varint length and so many bytes of UTF-8.
// Docs/protocol.md repeats this with examples.
//
//   name     stream, 0x1F, lane as decimal digits, 0x1F      what a SUB socket subscribes to
//   header   at  bytes
//             0    3   4D 46 52, "MFR"
//             3    1   version, 1
//             4    2   flags: a reader ignores what it does not know of 0x00FF, and refuses what it
//                      does not know of 0xFF00. 0x0001 durable: the publisher has it on disk, and
//                      its channel goes on after a restart; 0x0100 compressed (reserved), 0x0200
//                      slice
//             6    2   length of the header, 64 or more: what comes after is for later versions
//             8   16   node id
//            24    8   epoch
//            32    8   sequence of the first event, from 1
//            40    4   count of events; 0 makes the frame a beat, and the sequence the next to come
//            44    4   length of the body, with which the frame ends; a beat has none
//            48    8   base time, microseconds since 1970, signed
//            56    8   checksum: XXH3-64 of all that follows it, seeded with XXH3-64 of all that
//                      precedes it
//   ranges   of a slice only: varint count; for each range the varint gap since the end of the one
//            before (0 for the first, which begins at the header's sequence) and its varint length
//   records  varint length of what follows, then a byte of flags:
//            0x80       a definition: varint number; then texts: topic, content type, type, schema,
//                       source; all but the topic may be empty. Numbers rise within a frame. A type
//                       that is empty is the topic, a source that is empty is martlet:<node id>
//            otherwise  an event: varint number of its definition, which has come before; time
//                       since the base time as zigzag varint; if 0x01 is set, its key (text); if
//                       0x02, its id (text), which else is its position; if 0x04, a varint length
//                       and so many bytes of attributes (AttributeBlock.swift); the rest is the
//                       payload. Other flags are reserved, and refused
//
// Sequences count the events in their order; definitions have none.

/// Consecutive events of one channel, as they travel and as they are stored.
///
/// The bytes have been validated when a frame exists, and iterating it copies none of them. Each
/// event that it yields keeps it alive.
@safe
public final class Frame: Sendable {
    /// The frame itself.
    public let bytes: Bytes
    /// What stands before the events.
    public let header: FrameHeader
    let ranges: [SequenceRange]
    let definitions: DefinitionTable
    /// Where the records of the events lie, in their order.
    @usableFromInline let places: [RecordPlace]
    // Sound to share: they never change, and `bytes` keeps them.
    /// Where the bytes begin.
    @usableFromInline nonisolated(unsafe) let start: UnsafeRawPointer

    /// Reads a frame. It throws `invalidFrame` unless all of it is well-formed and, unless you
    /// waive it for bytes that have not left this process, its checksum is right.
    ///
    /// - Parameter frame: the frame before, say: if both have the same kind of events, the new one
    ///   is read faster.
    public convenience init(
        _ bytes: Bytes, verifyingChecksum: Bool = true, like frame: Frame? = nil
    ) throws(MartletError) {
        try self.init(bytes, verifyingChecksum: verifyingChecksum, isOwnSlice: false, like: frame)
    }

    /// A slice that was made here may be larger than what is accepted from others: that of a slice
    /// which was as large as it may be.
    init(
        _ bytes: Bytes, verifyingChecksum: Bool, isOwnSlice: Bool, like frame: Frame? = nil
    ) throws(MartletError) {
        self.bytes = bytes
        header = try FrameHeader(bytes, byteCountMax: isOwnSlice ? nil : Limits.frameBytesMax)
        if verifyingChecksum { try header.verifyChecksum(of: bytes) }
        var validator = unsafe FrameValidator(bytes, header)
        let places = try validator.validate(like: frame)
        ranges = validator.ranges
        definitions = validator.definitions
        self.places = places
        unsafe start = bytes.start
    }

    /// The channel whose events these are.
    public var channel: Channel { header.channel }

    /// The sequences of the events, from the first to the last; empty for a beat. A slice may lack
    /// some of them.
    public var sequences: Range<UInt64> {
        guard let last = ranges.last else {
            return header.firstSequence..<header.firstSequence + UInt64(header.count)
        }
        return header.firstSequence..<last.end
    }

    /// The frame's bytes, valid for as long as the frame lives.
    @unsafe
    var memory: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: start, count: bytes.count)
    }

    /// Whether it is so of all kinds of events that the frame names.
    package func allKinds(satisfy isSo: (EventDefinition) -> Bool) -> Bool {
        definitions.allSatisfy(isSo)
    }

    /// Whether the frame only says which sequence comes next.
    public var isBeat: Bool { header.count == 0 }
}

/// Sequences in a row, and the place of the first among the events.
struct SequenceRange: Sendable, Equatable {
    let start: UInt64
    let end: UInt64
    let place: Int
}
