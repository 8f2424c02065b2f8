/// The sizes of varints.
enum Varint {
    static let byteCountMax = 10

    @inline(__always)
    static func byteCount(_ value: UInt64) -> Int {
        value < 0x80 ? 1 : (70 - (value | 1).leadingZeroBitCount) / 7
    }
}
