#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Bytes side by side.
enum Memory {
    /// Whether both, of one length, hold the same.
    @unsafe
    @inline(__always)
    static func isEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        guard let start = left.baseAddress, let other = right.baseAddress else { return true }
        return memcmp(start, other, left.count) == 0
    }

    /// Whether the left one comes first in the order of bytes.
    @unsafe
    static func precedes(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        guard let start = left.baseAddress, let other = right.baseAddress else {
            return left.count < right.count
        }
        let order = memcmp(start, other, min(left.count, right.count))
        return order == 0 ? left.count < right.count : order < 0
    }
}
