/// Eight bytes of JSON at a time.
enum JSONBytes {
    /// A word with a bit set in the first byte that is a quote, a backslash, a control character or
    /// beyond ASCII; zero if there is none. Bits behind the first mean nothing.
    @inline(__always)
    static func special(_ word: UInt64) -> UInt64 {
        let high: UInt64 = 0x8080_8080_8080_8080
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quote = word ^ (ones &* 0x22)
        let backslash = word ^ (ones &* 0x5C)
        let control = word &- ones &* 0x20
        return ((quote &- ones) | (backslash &- ones) | control | word) & high
    }

    /// The same, but that what is beyond ASCII is not special.
    @inline(__always)
    static func needsEscape(_ word: UInt64) -> UInt64 {
        let high: UInt64 = 0x8080_8080_8080_8080
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quote = word ^ (ones &* 0x22)
        let backslash = word ^ (ones &* 0x5C)
        let control = word &- ones &* 0x20
        return ((quote &- ones) | (backslash &- ones) | control) & ~word & high
    }
}

extension JSONBytes {
    /// Where a value ends that begins here, in bytes that are known to be JSON.
    @unsafe
    static func valueEnd(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var place = start
        var depth = 0
        while place < bytes.count {
            switch unsafe bytes[place] {
            case UInt8(ascii: "\""): place = unsafe textEnd(bytes, from: place)
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                place += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return place }
                depth -= 1
                place += 1
            case UInt8(ascii: ","), 0x20, 0x09, 0x0A, 0x0D:
                if depth == 0 { return place }
                place += 1
                continue
            default:
                place += 1
                continue
            }
            if depth == 0 { return place }
        }
        return place
    }

    private static func textEnd(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        var place = start + 1
        while place < bytes.count, unsafe bytes[place] != UInt8(ascii: "\"") {
            unsafe place += bytes[place] == UInt8(ascii: "\\") ? 2 : 1
        }
        return place + 1
    }
}
