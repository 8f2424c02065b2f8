/// The head of a common event record, in one word: a length below 16,384, no flags or that of a
/// key, a definition below 128, a time within two seconds of the frame's first. Reading and writing
/// it whole takes a third of the time that its parts take.
@usableFromInline
struct RecordWord {
    /// The bytes behind the length: flags, definition, time.
    private let head: UInt64
    /// The length that the record states, and the bytes that state it.
    let length: Int
    let lengthByteCount: Int
    /// The bytes behind the length, up to the key or the payload.
    let headByteCount: Int

    /// The head in the first eight bytes of a record; nil if it is none of the common ones.
    @inline(__always)
    init?(_ bytes: UInt64) {
        if bytes & 0x80 == 0 {
            length = Int(truncatingIfNeeded: bytes & 0x7F)
            lengthByteCount = 1
            head = bytes >> 8
        } else {
            guard bytes & 0x8000 == 0 else { return nil }
            length = Int(truncatingIfNeeded: bytes & 0x7F | (bytes & 0x7F00) >> 1)
            lengthByteCount = 2
            head = bytes >> 16
        }
        guard head & 0x80FE == 0 else { return nil }
        if head & 0x80_0000 == 0 {
            headByteCount = 3
        } else if head & 0x8000_0000 == 0 {
            headByteCount = 4
        } else {
            guard head & 0x80_0000_0000 == 0 else { return nil }
            headByteCount = 5
        }
    }

    /// Whether a key follows.
    @inline(__always)
    var hasKey: Bool { head & 1 != 0 }

    @inline(__always)
    var definition: UInt64 { head >> 8 & 0x7F }

    var timeOffset: Int64 {
        let time = head >> 16
        let bits = time & 0x7F | (time & 0x7F00) >> 1 | (time & 0x7F_0000) >> 2
        let used = UInt64(1) << UInt64(7 &* (headByteCount &- 2)) &- 1
        return Zigzag.decode(bits & used)
    }

    /// The largest time offset of a common record: two to the power of twenty microseconds.
    static let timeOffsetMax: Int64 = 1 << 20

    /// The bytes of the head of such a record, and how many they are; nil if it is not a common
    /// one. What follows the head is a payload, or a key and a payload.
    @inlinable
    @inline(__always)
    static func compose(
        payload: Int, hasKey: Bool = false, definition: Int, timeOffset: UInt64
    ) -> (bytes: UInt64, count: Int)? {
        guard definition < 0x80, timeOffset < 0x20_0000 else { return nil }
        var time = timeOffset
        var headByteCount = 3
        if timeOffset >= 0x4000 {
            time =
                timeOffset & 0x7F | 0x80 | (timeOffset & 0x3F80) << 1 | 0x8000
                | (timeOffset & 0x1F_C000) << 2
            headByteCount = 5
        } else if timeOffset >= 0x80 {
            time = timeOffset & 0x7F | 0x80 | (timeOffset >> 7) << 8
            headByteCount = 4
        }
        let head = (hasKey ? 1 : 0) | UInt64(truncatingIfNeeded: definition) << 8 | time << 16
        let length = headByteCount &+ payload
        if length < 0x80 {
            return (UInt64(truncatingIfNeeded: length) | head << 8, headByteCount &+ 1)
        }
        guard length < 0x4000 else { return nil }
        let lengthBytes = UInt64(truncatingIfNeeded: length & 0x7F | 0x80 | (length >> 7) << 8)
        return (lengthBytes | head << 16, headByteCount &+ 2)
    }
}
