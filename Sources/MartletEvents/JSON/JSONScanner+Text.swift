// Texts of JSON: most are taken as they stand, those with escapes are put aside without them.

extension JSONScanner {
    /// Reads a text from its opening quote to its closing one; whether it could be taken as it
    /// stands.
    @inline(__always)
    mutating func text() throws(ScanFailure) -> Bool {
        let start = place
        place &+= 1
        var isASCII = true
        while true {
            // Eight bytes at a time while there is nothing special among them.
            let byte: UInt8
            if unsafe place &+ 8 <= bytes.count {
                let word = unsafe bytes.little(place, as: UInt64.self)
                let special = JSONBytes.special(word)
                if special == 0 {
                    place &+= 8
                    continue
                }
                let bits = UInt64(truncatingIfNeeded: special.trailingZeroBitCount & 0x38)
                place &+= Int(truncatingIfNeeded: bits >> 3)
                byte = UInt8(truncatingIfNeeded: word &>> bits)
            } else {
                byte = try self.byte()
            }
            if byte == UInt8(ascii: "\"") { break }
            if byte == UInt8(ascii: "\\") {
                try escapedText(from: start)
                return false
            }
            guard byte >= 0x20 else {
                throw ScanFailure(
                    .invalid("a control character must be escaped in a text"), at: place)
            }
            if byte >= 0x80 { isASCII = false }
            place &+= 1
        }
        let content = start &+ 1
        if !isASCII { try checkUTF8(content..<place) }
        _ = try tape.append(Token(.text, at: start, low: content, high: place &- content))
        place &+= 1
        return true
    }

    private mutating func checkUTF8(_ range: Range<Int>) throws(ScanFailure) {
        guard unsafe Text.isUTF8(UnsafeRawBufferPointer(rebasing: bytes[range])) else {
            throw ScanFailure(.invalidUTF8, at: range.lowerBound)
        }
    }

    /// A text with escapes, of which the part before the first one has been read.
    @inline(never)
    private mutating func escapedText(from start: Int) throws(ScanFailure) {
        try checkUTF8(start &+ 1..<place)
        var text = unsafe Array(bytes[start &+ 1..<place])
        while true {
            let plain = place
            while unsafe place < bytes.count, unsafe bytes[place] != UInt8(ascii: "\""),
                unsafe bytes[place] != UInt8(ascii: "\\")
            {
                guard unsafe bytes[place] >= 0x20 else {
                    throw ScanFailure(
                        .invalid("a control character must be escaped in a text"), at: place)
                }
                place &+= 1
            }
            guard unsafe place < bytes.count else { throw ScanFailure(.unexpectedEnd, at: place) }
            try checkUTF8(plain..<place)
            unsafe text += bytes[plain..<place]
            place &+= 1
            if unsafe bytes[place &- 1] == UInt8(ascii: "\"") { break }
            try appendEscaped(to: &text)
        }
        try tape.appendAside(.text, at: start, text)
    }

    /// Reads what follows a backslash.
    private mutating func appendEscaped(to text: inout [UInt8]) throws(ScanFailure) {
        let escape = try byte()
        place &+= 1
        switch escape {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(escape)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text += String(Character(try unicodeScalar())).utf8
        default: throw ScanFailure(.invalid("there is no such escape"), at: place &- 2)
        }
    }

    /// The character of `\u` and four digits, or of two such that form a pair.
    private mutating func unicodeScalar() throws(ScanFailure) -> Unicode.Scalar {
        let start = place &- 2
        let unit = try hexadecimalUnit()
        if let scalar = Unicode.Scalar(unit) { return scalar }
        guard unit < 0xDC00, unsafe place &+ 1 < bytes.count,
            unsafe bytes[place] == UInt8(ascii: "\\"),
            unsafe bytes[place &+ 1] == UInt8(ascii: "u")
        else { throw ScanFailure(.invalid("half of a surrogate pair is missing"), at: start) }
        place &+= 2
        let second = try hexadecimalUnit()
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (unit & 0x3FF) << 10 + (second & 0x3FF))
        else { throw ScanFailure(.invalid("half of a surrogate pair is missing"), at: start) }
        return scalar
    }

    private mutating func hexadecimalUnit() throws(ScanFailure) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            let digit = try byte()
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): unit = unit << 4 | UInt32(digit & 0xF)
            case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"):
                unit = unit << 4 | UInt32(digit & 0xF + 9)
            default:
                throw ScanFailure(.invalid("four hexadecimal digits must stand here"), at: place)
            }
            place &+= 1
        }
        return unit
    }
}
