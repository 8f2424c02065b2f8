import CXXHash
import MartletCore
import MartletEvents

// The journal's log: segments, files of one folder, which hold groups one behind the other. A group
// is what was committed together. All numbers are little-endian; "varint" and "text" are as in
// frames. Checksums are XXH3-64, seeded with the segment's salt, so that no bytes that a user
// publishes can pass for a part of the log.
//
//   head     at  bytes                                  of a segment; checksum without a seed
//             0    8   "MARTLETJ"
//             8    8   version, 1
//            16   16   node id
//            32    8   number of the segment, from 1
//            40    8   salt
//            48    8   number of its first group
//            56    8   checksum of what precedes it
//   group     0    4   "MGRP"
//             4    4   length of the directory
//             8    8   number of the group, from 1 without a hole through all segments
//            16    8   length of the frames
//            24    8   checksum of the group up to the end of the directory, without this field
//            32        directory: entries, each a byte of kind and what belongs to it
//                        1  stream: name (text), partitions (varint)
//                        2  channel: number (varint, from 0 in the order of their coming), stream
//                           (text), lane (varint)
//                        3  state: channel (varint), first event that is kept, next event
//                           (varints), latest time (8, µs since 1970, signed); varint count of
//                           epochs, each with (8) and its first event (varint)
//                        4  epoch: 8
//                        5  frame: channel (varint), epoch (8), first event, count of events,
//                           length (varints), latest time (8)
//                        6  first event that is kept: channel, event (varints)
//                        7  cursor: name (text), varint count of positions: node id (16), stream
//                           (text), lane (varint), epoch (8), event (varint)
//                        8  producer: name (text), next event (varint); if that is not 0, epoch
//                           (8), when it was heard of last (8, µs since 1970, signed), varint
//                           count of rows of its events: the producer's number of the first,
//                           channel, number there, count (varints)
//                        9  group: name (text), 0 if it is forgotten and else 1; its definition,
//                           and what held before (a varint length and so many bytes each; 0 for
//                           none),
//                           varint count of channels, and for each its number and the first event
//                           for which the definition holds (varints)
//                       10  ledger: group (text), channel (varint), first event that is not
//                           settled, first that was never given to a worker (varints); varint count
//                           of ranges behind it that are settled, and for each how far it begins
//                           behind the end of the one before, and its length (varints); varint
//                           count of events that have failed, and for each event and attempts
//                           (varints); varint count of losses, and for each first event, count
//                           (varints) and reason (1); events handled, dead, repeated, lost,
//                           reopened (varints); varint count of ranges that are reopened, as
//                           above, from 0 on; varint count of parked keys, and their hashes (8
//                           each)
//                      then the frames, in the order of their entries, and zeros up to a multiple
//                      of eight
//
// The first group of a segment repeats the streams, channels, states, cursors, producers, groups,
// ledgers and the epoch, so that the segments before are needed for their frames alone. Behind the
// last group there are zeros, or nothing, or the footer of a segment that is complete
// (SegmentFooter.swift). A journal that was closed has a file "closed": the number of the group to
// come, and its complement (8 each).

/// What a directory says.
enum LogEntry: Equatable {
    case stream(StreamName, partitions: Int)
    case channel(number: Int, StreamName, lane: Int)
    case state(channel: Int, StoredChannelState)
    case epoch(Epoch)
    case frame(FrameEntry)
    case first(channel: Int, UInt64)
    case cursor(String, [Position])
    /// Nil for one that is forgotten.
    case producer(String, ProducerEntry?)
    /// Nil for one that is forgotten.
    case group(String, GroupEntry?)
    case ledger(group: String, channel: Int, StoredLedger)
}

/// A group of workers, whose channels are known by their numbers.
struct GroupEntry: Equatable {
    struct Start: Equatable {
        let channel: Int
        let sequence: UInt64
    }

    let definition: Bytes
    let before: Bytes?
    let starts: [Start]
}

/// A producer, whose channels are known by their numbers.
struct ProducerEntry: Equatable {
    struct Run: Equatable {
        let first: UInt64
        let channel: Int
        let sequences: Range<UInt64>
    }

    let epoch: Epoch
    let next: UInt64
    let usedAt: Timestamp
    let runs: [Run]
}

/// What is kept of a channel beside its frames.
struct StoredChannelState: Equatable {
    var first: UInt64
    var next: UInt64
    var latest: Timestamp
    var epochs: [StoredChannel.EpochStart]
}

/// A frame in a group.
struct FrameEntry: Equatable {
    let channel: Int
    let epoch: Epoch
    let sequences: Range<UInt64>
    let byteCount: Int
    let latest: Timestamp
}

/// What was committed together.
package struct LogGroup {
    static let magic: UInt32 = 0x5052_474D
    static let headBytes = 32
    static let alignment = 8
    /// More is not committed at a time: a commit takes milliseconds even on slow disks, and a
    /// directory is read as a whole.
    static let directoryBytesMax = 8 * 1_048_576

    let number: UInt64
    let entries: [LogEntry]

    /// The head and the directory, as they are written.
    static func head(
        _ entries: [LogEntry], number: UInt64, frameBytes: Int, salt: UInt64
    ) -> [UInt8] {
        head(number, frameBytes, salt) { writer in
            for entry in entries { entry.write(into: &writer) }
        }
    }

    /// The head of a directory, whatever that holds, and the directory.
    package static func head(
        directory: [UInt8], number: UInt64, frameBytes: Int, salt: UInt64
    ) -> [UInt8] {
        head(number, frameBytes, salt) { writer in for byte in directory { writer.byte(byte) } }
    }

    private static func head(
        _ number: UInt64, _ frameBytes: Int, _ salt: UInt64,
        _ writeDirectory: (inout FieldWriter) -> Void
    ) -> [UInt8] {
        var writer = FieldWriter()
        // The head comes when the directory is there.
        for _ in 0..<headBytes / 8 { writer.number(0) }
        writeDirectory(&writer)
        let directoryBytes = writer.bytes.count - headBytes
        writer.overwrite(UInt64(magic) | UInt64(directoryBytes) << 32, at: 0)
        writer.overwrite(number, at: 8)
        writer.overwrite(UInt64(frameBytes), at: 16)
        writer.overwrite(checksum(writer.bytes, salt), at: 24)
        return writer.bytes
    }

    /// Reads a head, without its directory: nil if it is none.
    static func sizes(
        _ head: Bytes
    ) -> (number: UInt64, directoryBytes: Int, frameBytes: Int, checksum: UInt64)? {
        var reader = FieldReader(head)
        guard let first = reader.number(), UInt32(truncatingIfNeeded: first) == magic,
            let number = reader.number(), let frames = reader.number(),
            let checksum = reader.number(), first >> 32 <= UInt64(directoryBytesMax),
            frames <= UInt64(Int32.max), number <= Limits.sequenceMax
        else { return nil }
        return (number, Int(first >> 32), Int(frames), checksum)
    }

    /// Reads a head with its directory: nil if it is damaged.
    init?(_ bytes: Bytes, number: UInt64, checksum: UInt64, salt: UInt64) {
        guard bytes.withBytes({ LogGroup.checksum($0, salt) }) == checksum else { return nil }
        var reader = FieldReader(bytes[LogGroup.headBytes..<bytes.count])
        var entries: [LogEntry] = []
        while reader.left > 0 {
            guard let entry = LogEntry(&reader) else { return nil }
            entries.append(entry)
        }
        self.number = number
        self.entries = entries
    }

    /// Reads what has just been written.
    init?(checked head: Bytes, number: UInt64, salt: UInt64) {
        guard let sizes = LogGroup.sizes(head) else { return nil }
        self.init(head, number: number, checksum: sizes.checksum, salt: salt)
    }

    private static func checksum(_ bytes: [UInt8], _ salt: UInt64) -> UInt64 {
        // Sound: bytes have no padding that could be shown.
        checksum(unsafe bytes.span.bytes, salt)
    }

    /// The checksum of a head and its directory, which leaves out the place where it stands.
    private static func checksum(_ bytes: RawSpan, _ salt: UInt64) -> UInt64 {
        let start = LogChecksum.of(bytes.extracting(0..<24), seed: salt)
        return LogChecksum.of(bytes.extracting(headBytes..<bytes.byteCount), seed: start)
    }

    static func aligned(_ byteCount: Int) -> Int {
        (byteCount + alignment - 1) / alignment * alignment
    }
}

/// XXH3-64 of bytes.
enum LogChecksum {
    static func of(_ bytes: Bytes, seed: UInt64 = 0) -> UInt64 {
        bytes.withBytes { of($0, seed: seed) }
    }

    static func of(_ bytes: RawSpan, seed: UInt64) -> UInt64 {
        // Sound: it reads as many bytes as there are.
        unsafe bytes.withUnsafeBytes { memory in
            guard let start = memory.baseAddress else { return seed }
            return unsafe XXH3_64bits_withSeed(start, memory.count, seed)
        }
    }
}
