#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Bytes side by side.
enum Memory {
    /// Whether both, of one length, hold the same. Names are short: up to sixteen bytes are
    /// compared in words that may overlap.
    @unsafe
    @inline(__always)
    static func isEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        guard let start = left.baseAddress, let other = right.baseAddress else { return true }
        let count = left.count
        switch count {
        case 8...16: return unsafe isEqual(start, other, count, UInt64.self)
        case 4..<8: return unsafe isEqual(start, other, count, UInt32.self)
        case 2..<4: return unsafe isEqual(start, other, count, UInt16.self)
        case 1: return unsafe start.load(as: UInt8.self) == other.load(as: UInt8.self)
        default: return unsafe memcmp(start, other, count) == 0
        }
    }

    @unsafe
    @inline(__always)
    private static func isEqual<Word: FixedWidthInteger & BitwiseCopyable>(
        _ left: UnsafeRawPointer, _ right: UnsafeRawPointer, _ count: Int, _ word: Word.Type
    ) -> Bool {
        let last = count &- MemoryLayout<Word>.size
        return unsafe left.loadUnaligned(as: word) == right.loadUnaligned(as: word)
            && left.loadUnaligned(fromByteOffset: last, as: word)
                == right.loadUnaligned(fromByteOffset: last, as: word)
    }

    /// Whether the left one comes first in the order of bytes.
    @unsafe
    static func precedes(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        guard let start = left.baseAddress, let other = right.baseAddress else {
            return left.count < right.count
        }
        let order = unsafe memcmp(start, other, min(left.count, right.count))
        return order == 0 ? left.count < right.count : order < 0
    }
}
