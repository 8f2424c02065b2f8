/// Where a record, its payload and its end lie in a frame: three places of 21 bits, which is more
/// than a frame may have, in one word. The validator notes them, and nothing is parsed twice.
@frozen
@usableFromInline
struct RecordPlace: Sendable {
    @usableFromInline let bits: UInt64

    @inline(__always)
    init(start: Int, payload: Int, end: Int) {
        bits =
            UInt64(truncatingIfNeeded: start) | UInt64(truncatingIfNeeded: payload) << 21
            | UInt64(truncatingIfNeeded: end) << 42
    }

    @inline(__always)
    var start: Int { Int(truncatingIfNeeded: bits & 0x1F_FFFF) }

    @inlinable
    @inline(__always)
    var payload: Int { Int(truncatingIfNeeded: bits >> 21 & 0x1F_FFFF) }

    @inlinable
    @inline(__always)
    var end: Int { Int(truncatingIfNeeded: bits >> 42) }
}
