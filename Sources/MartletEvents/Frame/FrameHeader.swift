import CXXHash

/// What stands before the events of a frame: whose they are, and how they are numbered.
public struct FrameHeader: Sendable {
    /// The channel whose events the frame holds.
    public let channel: Channel
    /// The epoch in which they were numbered.
    public let epoch: Epoch
    /// The number of the first event, or in a beat of the next to come.
    public let firstSequence: UInt64
    /// How many events there are.
    public let count: Int
    /// The moment from which the times of the events are counted.
    public let baseTime: Timestamp
    /// Whether the frame holds some of the events of another.
    public let isSlice: Bool
    /// Whether the publisher keeps the channel on disk, and its numbers go on after a restart.
    public let isDurable: Bool
    /// Where the channel's name ends.
    let offset: Int
    /// Where the header ends.
    let bodyOffset: Int
}

extension FrameHeader {
    static let magic: (UInt8, UInt8, UInt8) = (0x4D, 0x46, 0x52)
    static let version: UInt8 = 1
    static let byteCount = 64
    static let checksumOffset = 56
    static let terminator: UInt8 = 0x1F
    static let compressedFlag: UInt16 = 0x0100
    static let sliceFlag: UInt16 = 0x0200
    static let durableFlag: UInt16 = 0x0001
    /// Longest name: a stream, four digits, two terminators.
    static let nameBytesMax = Limits.topicBytesMax + 6

    /// Reads the header, and checks that the frame ends where it says.
    init(_ bytes: Bytes, byteCountMax: Int? = Limits.frameBytesMax) throws(MartletError) {
        if let byteCountMax, bytes.count > byteCountMax {
            throw FrameError.invalid(
                "it has \(bytes.count) bytes, and \(byteCountMax) are allowed")
        }
        self = try bytes.withBytes { (span) throws(MartletError) in
            unsafe try span.withUnsafeBytes { (buffer) throws(MartletError) in
                unsafe try FrameHeader(buffer)
            }
        }
    }

    @unsafe
    private init(_ buffer: UnsafeRawBufferPointer) throws(MartletError) {
        let (stream, lane, offset) = unsafe try FrameHeader.name(buffer)
        guard buffer.count >= offset + FrameHeader.byteCount else {
            throw FrameError.invalid("it ends within its header")
        }
        let at = { (place: Int) in offset + place }
        guard unsafe buffer[at(0)] == FrameHeader.magic.0,
            unsafe buffer[at(1)] == FrameHeader.magic.1,
            unsafe buffer[at(2)] == FrameHeader.magic.2
        else { throw FrameError.invalid("no frame begins behind its channel's name") }
        guard unsafe buffer[at(3)] == FrameHeader.version else {
            throw FrameError.unknownVersion(unsafe buffer[at(3)])
        }
        let flags = unsafe buffer.little(at(4), as: UInt16.self)
        guard flags & 0xFF00 & ~FrameHeader.sliceFlag == 0 else {
            throw FrameError.invalid(
                flags & FrameHeader.compressedFlag != 0
                    ? "it is compressed, which this version of Martlet cannot read"
                    : "it has flags that this version of Martlet does not know")
        }
        let byteCount = Int(unsafe buffer.little(at(6), as: UInt16.self))
        let bodyCount = Int(unsafe buffer.little(at(44), as: UInt32.self))
        guard byteCount >= FrameHeader.byteCount, offset + byteCount + bodyCount == buffer.count
        else { throw FrameError.invalid("its length is not what its header says") }
        let node = unsafe NodeID(
            high: UInt64(bigEndian: buffer.loadUnaligned(fromByteOffset: at(8), as: UInt64.self)),
            low: UInt64(bigEndian: buffer.loadUnaligned(fromByteOffset: at(16), as: UInt64.self)))
        guard let baseTime = unsafe Timestamp(microseconds: buffer.little(at(48), as: Int64.self))
        else { throw FrameError.invalid("its base time is beyond the years 0 to 9999") }
        channel = Channel(node: node, stream: stream, lane: lane)
        epoch = unsafe Epoch(rawValue: buffer.little(at(24), as: UInt64.self))
        firstSequence = unsafe buffer.little(at(32), as: UInt64.self)
        count = Int(unsafe buffer.little(at(40), as: UInt32.self))
        guard firstSequence > 0, firstSequence <= Limits.sequenceMax - UInt64(count) else {
            throw FrameError.invalid("its sequence is out of range")
        }
        self.baseTime = baseTime
        let isSlice = flags & FrameHeader.sliceFlag != 0
        // What is larger than a frame may aim at holds one event; slices, with their ranges, may
        // grow.
        guard count <= 1 || isSlice || buffer.count <= Limits.frameBytesTargetMax else {
            throw FrameError.invalid("it is too large for more than one event")
        }
        self.isSlice = isSlice
        isDurable = flags & FrameHeader.durableFlag != 0
        self.offset = offset
        bodyOffset = offset + byteCount
    }

    /// The channel's name, and where it ends.
    @unsafe
    private static func name(
        _ buffer: UnsafeRawBufferPointer
    ) throws(MartletError) -> (StreamName, lane: Int, end: Int) {
        let limit = min(buffer.count, nameBytesMax)
        var streamEnd = 0
        while streamEnd < limit, unsafe StreamName.isTokenByte(buffer[streamEnd]) { streamEnd += 1 }
        guard streamEnd > 0, streamEnd < limit, streamEnd <= Limits.topicBytesMax,
            unsafe buffer[streamEnd] == terminator,
            let stream = unsafe Text.string(buffer, 0..<streamEnd)
        else { throw FrameError.invalid("it does not begin with a channel's name") }
        var lane = 0
        var place = streamEnd + 1
        while place < limit, unsafe buffer[place] != terminator {
            let digit = unsafe Int(buffer[place] &- UInt8(ascii: "0"))
            guard digit < 10, place == streamEnd + 1 || lane > 0, lane <= Limits.partitionsMax
            else {
                throw FrameError.invalid("its lane is not a number, or out of range")
            }
            lane = lane * 10 + digit
            place += 1
        }
        guard place < limit, place > streamEnd + 1, lane <= Limits.partitionsMax else {
            throw FrameError.invalid("its lane is not a number, or out of range")
        }
        return (StreamName(unchecked: stream), lane, place + 1)
    }

    /// The bytes with which the frames of a channel begin, and to which its subscribers subscribe.
    package static func name(stream: StreamName, lane: Int) -> [UInt8] {
        Array(stream.text.utf8) + [terminator] + Array(String(lane).utf8) + [terminator]
    }
}

extension FrameHeader {
    /// Reads the header of a frame whose checksum is right; its records are not looked at.
    package init(verifying bytes: Bytes) throws(MartletError) {
        try self.init(bytes)
        try verifyChecksum(of: bytes)
    }

    func verifyChecksum(of bytes: Bytes) throws(MartletError) {
        let place = offset + FrameHeader.checksumOffset
        let isRight = bytes.withBytes { span in
            unsafe span.withUnsafeBytes { buffer in
                unsafe buffer.little(place, as: UInt64.self)
                    == FrameHeader.checksum(buffer, around: place)
            }
        }
        guard isRight else { throw FrameError.invalid("its checksum is wrong: it was damaged") }
    }

    /// XXH3-64 of what follows the checksum's place, seeded with that of what precedes it.
    @unsafe
    static func checksum(_ frame: UnsafeRawBufferPointer, around place: Int) -> UInt64 {
        guard let start = frame.baseAddress else { return 0 }
        let seed = unsafe XXH3_64bits(start, place)
        return unsafe XXH3_64bits_withSeed(start + place + 8, frame.count - place - 8, seed)
    }
}

/// What is wrong with a frame.
enum FrameError {
    static func invalid(_ reason: String) -> MartletError {
        MartletError(
            .invalidFrame,
            "These bytes are not a frame that can be read: \(reason). Drop them, and fetch the "
                + "frame again from its publisher or journal.")
    }

    static func unknownVersion(_ version: UInt8) -> MartletError {
        MartletError(
            .invalidFrame,
            "The frame has version \(version), and this Martlet reads version "
                + "\(FrameHeader.version). Bring the older side up to date.")
    }
}
