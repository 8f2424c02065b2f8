/// Texts in foreign bytes.
enum Text {
    /// Whether the bytes are valid UTF-8.
    @unsafe
    @inline(__always)
    static func isUTF8(_ bytes: UnsafeRawBufferPointer) -> Bool {
        unsafe isASCII(bytes)
            || (try? UTF8Span(validating: bytes.bindMemory(to: UInt8.self).span)) != nil
    }

    /// Whether no byte is above 127.
    @unsafe
    static func isASCII(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var place = 0
        var seen: UInt64 = 0
        while place + 8 <= bytes.count {
            unsafe seen |= bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)
            place += 8
        }
        while place < bytes.count {
            seen |= UInt64(unsafe bytes[place])
            place += 1
        }
        return seen & 0x8080_8080_8080_8080 == 0
    }

    /// The bytes in this range as a text, if they are valid UTF-8.
    @unsafe
    static func string(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> String? {
        let part = unsafe UnsafeRawBufferPointer(rebasing: bytes[range])
        guard unsafe isUTF8(part) else { return nil }
        return unsafe String(decoding: part, as: UTF8.self)
    }
}

extension UnsafeRawBufferPointer {
    /// A little-endian number at this place, which must lie within the buffer.
    @inline(__always)
    func little<Number: FixedWidthInteger & BitwiseCopyable>(
        _ place: Int, as type: Number.Type
    ) -> Number {
        unsafe Number(littleEndian: loadUnaligned(fromByteOffset: place, as: type))
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Writes a little-endian number at this place, which must lie within the buffer.
    @inline(__always)
    func storeLittle<Number: FixedWidthInteger & BitwiseCopyable>(_ number: Number, at place: Int) {
        unsafe storeBytes(of: number.littleEndian, toByteOffset: place, as: Number.self)
    }
}

extension Text {
    /// Whether the bytes are a text that CloudEvents allows in attributes.
    @unsafe
    static func isAttributeText(_ bytes: UnsafeRawBufferPointer) -> Bool {
        if unsafe isPlain(bytes) { return true }
        guard let text = unsafe string(bytes, 0..<bytes.count) else { return false }
        return AttributeText.isAllowed(text)
    }

    /// Whether these are characters of ASCII that can be printed, which is seen eight at a time.
    @unsafe
    @inline(__always)
    static func isPlain(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var place = 0
        var seen: UInt64 = 0
        while place &+ 8 <= bytes.count {
            unsafe seen |= notPlain(bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
            place &+= 8
        }
        var rest: UInt64 = 0x2020_2020_2020_2020
        while place < bytes.count {
            rest = rest << 8 | UInt64(unsafe bytes[place])
            place &+= 1
        }
        return (seen | notPlain(rest)) & 0x8080_8080_8080_8080 == 0
    }

    /// Sets the high bit of some byte unless all are from 0x20 to 0x7E.
    @inline(__always)
    private static func notPlain(_ word: UInt64) -> UInt64 {
        word | word &- 0x2020_2020_2020_2020 | word &+ 0x0101_0101_0101_0101
    }
}
