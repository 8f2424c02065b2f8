/// Walks through foreign bytes and never beyond them.
///
/// Valid for as long as the buffer that it was made from; nothing here keeps that alive.
@safe
struct ByteCursor {
    var position: UnsafeRawPointer
    let end: UnsafeRawPointer

    @unsafe
    @inline(__always)
    init(_ position: UnsafeRawPointer, end: UnsafeRawPointer) {
        unsafe self.position = unsafe position
        unsafe self.end = unsafe end
    }

    @unsafe
    init(_ buffer: UnsafeRawBufferPointer) {
        // An empty buffer may have no address; none is read through this one.
        let start = unsafe buffer.baseAddress ?? UnsafeRawPointer(bitPattern: 1).unsafelyUnwrapped
        unsafe self.init(start, end: start + buffer.count)
    }

    @inline(__always)
    var left: Int { unsafe end - position }

    @inline(__always)
    mutating func byte() -> UInt8? {
        guard unsafe position < end else { return nil }
        let byte = unsafe position.load(as: UInt8.self)
        unsafe position += 1
        return byte
    }

    /// A varint of at most ten bytes; nil for anything else.
    @inline(__always)
    mutating func varint() -> UInt64? {
        guard unsafe position < end else { return nil }
        let first = unsafe position.load(as: UInt8.self)
        if first < 0x80 {
            unsafe position += 1
            return UInt64(first)
        }
        // Two bytes are common: lengths and times.
        if unsafe position + 1 < end {
            let second = unsafe (position + 1).load(as: UInt8.self)
            if second < 0x80 {
                unsafe position += 2
                return UInt64(first & 0x7F) | UInt64(second) << 7
            }
        }
        return longVarint()
    }

    @inline(never)
    private mutating func longVarint() -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while let byte = byte() {
            let bits = UInt64(byte & 0x7F)
            guard shift < 63 || bits <= 1 else { return nil }
            value |= bits << shift
            if byte < 0x80 { return value }
            shift += 7
            guard shift <= 63 else { return nil }
        }
        return nil
    }

    /// A varint that does not exceed the bytes that are left.
    @inline(__always)
    mutating func length() -> Int? {
        guard let value = varint(), value <= UInt64(left) else { return nil }
        return Int(truncatingIfNeeded: value)
    }

    /// So many bytes; there must be as many.
    @unsafe
    @inline(__always)
    mutating func take(_ count: Int) -> UnsafeRawBufferPointer {
        let taken = unsafe UnsafeRawBufferPointer(start: position, count: count)
        unsafe position += count
        return unsafe taken
    }

    /// A length and so many bytes.
    @unsafe
    @inline(__always)
    mutating func lengthPrefixed() -> UnsafeRawBufferPointer? {
        guard let count = length() else { return nil }
        return unsafe take(count)
    }

    /// A length and so many bytes of UTF-8, at most as many as allowed.
    mutating func text(atMost byteCountMax: Int) -> String? {
        guard let bytes = unsafe lengthPrefixed(), bytes.count <= byteCountMax else { return nil }
        if bytes.count == 0 { return "" }
        return unsafe Text.string(bytes, 0..<bytes.count)
    }
}

/// Signed numbers as unsigned ones that stay small near zero.
@usableFromInline
enum Zigzag {
    @inline(__always)
    static func decode(_ value: UInt64) -> Int64 {
        Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    @inlinable
    @inline(__always)
    static func encode(_ value: Int64) -> UInt64 {
        UInt64(bitPattern: (value << 1) ^ (value >> 63))
    }
}
