/// Reads JSON (RFC 8259) into a tape, and refuses everything that is not JSON.
@safe
struct JSONScanner: ~Copyable {
    private let bytes: UnsafeRawBufferPointer
    private var place = 0
    private var tape: ValueTape

    @unsafe
    private init(_ bytes: UnsafeRawBufferPointer) {
        unsafe self.bytes = unsafe bytes
        tape = ValueTape(byteCount: bytes.count)
    }

    /// The tape of the one value that these bytes must hold, with white space around it. The bytes must
    /// outlive the tape.
    @unsafe
    static func scan(_ bytes: UnsafeRawBufferPointer) throws(ScanFailure) -> ValueTape {
        var scanner = unsafe JSONScanner(bytes)
        scanner.skipSpace()
        try scanner.value()
        scanner.skipSpace()
        guard scanner.place == bytes.count else {
            throw ScanFailure(.trailingBytes, at: scanner.place)
        }
        return scanner.takeTape()
    }

    private consuming func takeTape() -> ValueTape { tape }

    // MARK: Values

    /// Reads the one value that must begin here, and all that it holds. What is open lies on a stack of
    /// its own, which costs less than calls that nest.
    private mutating func value() throws(ScanFailure) {
        var open = InlineArray<32, Open>(repeating: Open(token: 0, count: 0, isMap: false))
        var depth = 0
        while true {
            let first = try byte()
            if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
                guard depth < open.count else { throw ScanFailure(.tooDeep, at: place) }
                let isMap = first == UInt8(ascii: "{")
                open[depth] = Open(
                    token: UInt32(truncatingIfNeeded: try tape.append(Token(isMap ? .map : .array, at: place))),
                    count: 0, isMap: isMap)
                place &+= 1
                skipSpace()
                if try byte() != first &+ 2 {
                    depth &+= 1
                    if isMap { try name() }
                    continue
                }
                place &+= 1
                tape.close(Int(open[depth].token), count: 0)
            } else {
                try scalar(first)
            }
            // A value has ended. It may be the last of what holds it, and that the last again.
            while true {
                if depth == 0 { return }
                skipSpace()
                let next = try byte()
                open[depth &- 1].count &+= 1
                let inner = open[depth &- 1]
                if next == UInt8(ascii: ",") {
                    place &+= 1
                    skipSpace()
                    if inner.isMap { try name() }
                    break
                }
                guard next == UInt8(ascii: inner.isMap ? "}" : "]") else { throw unexpected(inner) }
                place &+= 1
                tape.close(Int(inner.token), count: Int(inner.count))
                depth &-= 1
            }
        }
    }

    /// An object or an array whose end has not come.
    private struct Open {
        let token: UInt32
        var count: UInt32
        let isMap: Bool
    }

    private func unexpected(_ inner: Open) -> ScanFailure {
        ScanFailure(
            inner.isMap
                ? .invalid("a comma or the object's end must stand here")
                : .invalid("a comma or the array's end must stand here"), at: place)
    }

    /// A member's name and the colon behind it.
    @inline(__always)
    private mutating func name() throws(ScanFailure) {
        guard try byte() == UInt8(ascii: "\"") else {
            throw ScanFailure(.invalid("a member's name must begin here"), at: place)
        }
        try text()
        skipSpace()
        guard try byte() == UInt8(ascii: ":") else {
            throw ScanFailure(.invalid("a colon must stand here"), at: place)
        }
        place &+= 1
        skipSpace()
    }

    @inline(__always)
    private mutating func scalar(_ first: UInt8) throws(ScanFailure) {
        switch first {
        case UInt8(ascii: "\""): try text()
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
        case UInt8(ascii: "t"): try literal("true", .trueValue)
        case UInt8(ascii: "f"): try literal("false", .falseValue)
        case UInt8(ascii: "n"): try literal("null", .null)
        default: throw ScanFailure(.invalid("a value must begin here"), at: place)
        }
    }

    @inline(never)
    private mutating func literal(_ text: StaticString, _ kind: Token.Kind) throws(ScanFailure) {
        let start = place
        for index in 0..<text.utf8CodeUnitCount {
            guard unsafe try byte() == text.utf8Start[index] else {
                throw ScanFailure(.invalid("a value must begin here"), at: start)
            }
            place &+= 1
        }
        _ = try tape.append(Token(kind, at: start))
    }

    // MARK: Numbers

    private mutating func number() throws(ScanFailure) {
        let start = place
        let isNegative = unsafe bytes[place] == UInt8(ascii: "-")
        if isNegative { place &+= 1 }
        let first = place
        var value: UInt64 = 0
        var overflowed = false
        while unsafe place < bytes.count {
            let digit = unsafe UInt64(bytes[place] &- UInt8(ascii: "0"))
            guard digit < 10 else { break }
            // Nineteen digits always fit.
            if place &- first < 19 {
                value = value &* 10 &+ digit
            } else if !overflowed {
                let (tens, first) = value.multipliedReportingOverflow(by: 10)
                let (sum, second) = tens.addingReportingOverflow(digit)
                value = sum
                overflowed = first || second
            }
            place &+= 1
        }
        guard place > first else {
            throw unsafe ScanFailure(
                place < bytes.count ? .invalid("a digit must stand here") : .unexpectedEnd, at: place)
        }
        guard unsafe bytes[first] != UInt8(ascii: "0") || place == first &+ 1 else {
            throw ScanFailure(.invalid("a number must not begin with a zero too many"), at: first)
        }
        if !overflowed, unsafe place < bytes.count, unsafe bytes[place] == UInt8(ascii: "."),
            try shortFraction(start, value, isNegative, digits: place &- first)
        {
            return
        }
        let isWhole = try !skipFraction()
        if isWhole, !overflowed {
            if !isNegative {
                _ = try tape.append(Token(.unsigned, at: start, payload: value))
                return
            }
            // Minus zero is a floating-point number, which has a sign.
            if value > 0, value <= UInt64(Int64.max) &+ 1 {
                let bits = 0 &- value
                _ = try tape.append(Token(.negative, at: start, payload: bits))
                return
            }
        }
        _ = try tape.append(Token(.number, at: start, low: start, high: place &- start))
    }

    /// Reads a fraction of few digits and no exponent: fifteen digits and a power of ten up to 22 are
    /// both exact as floating-point numbers, and one division rounds once, which is what is asked for.
    /// False if the number is longer; then nothing has been read.
    @inline(__always)
    private mutating func shortFraction(
        _ start: Int, _ whole: UInt64, _ isNegative: Bool, digits: Int
    ) throws(ScanFailure) -> Bool {
        var mantissa = whole
        var next = place &+ 1
        while unsafe next < bytes.count {
            let digit = unsafe UInt64(bytes[next] &- UInt8(ascii: "0"))
            guard digit < 10 else { break }
            mantissa = mantissa &* 10 &+ digit
            next &+= 1
            if digits &+ (next &- place) > 16 { return false }
        }
        let decimals = next &- place &- 1
        guard decimals > 0, unsafe next == bytes.count || bytes[next] | 0x20 != UInt8(ascii: "e") else {
            return false
        }
        let magnitude = Double(mantissa) / JSONNumber.power(decimals)
        let value = isNegative ? -magnitude : magnitude
        _ = try tape.append(
            Token(
                .shortNumber, at: start, detail: UInt8(truncatingIfNeeded: next &- start),
                payload: value.bitPattern))
        place = next
        return true
    }

    /// Moves behind a fraction and an exponent; whether there was either.
    private mutating func skipFraction() throws(ScanFailure) -> Bool {
        var isThere = false
        if unsafe place < bytes.count, unsafe bytes[place] == UInt8(ascii: ".") {
            place &+= 1
            try skipDigits()
            isThere = true
        }
        if unsafe place < bytes.count, unsafe bytes[place] | 0x20 == UInt8(ascii: "e") {
            place &+= 1
            if unsafe place < bytes.count, unsafe bytes[place] == UInt8(ascii: "+") || bytes[place] == UInt8(ascii: "-")
            {
                place &+= 1
            }
            try skipDigits()
            isThere = true
        }
        return isThere
    }

    private mutating func skipDigits() throws(ScanFailure) {
        let start = place
        while unsafe place < bytes.count, unsafe bytes[place] &- UInt8(ascii: "0") < 10 { place &+= 1 }
        guard place > start else {
            throw unsafe ScanFailure(
                place < bytes.count ? .invalid("a digit must stand here") : .unexpectedEnd, at: place)
        }
    }

    // MARK: Texts

    private mutating func text() throws(ScanFailure) {
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
                return
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
        guard unit < 0xDC00, unsafe place &+ 1 < bytes.count, unsafe bytes[place] == UInt8(ascii: "\\"),
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
            default: throw ScanFailure(.invalid("four hexadecimal digits must stand here"), at: place)
            }
            place &+= 1
        }
        return unit
    }

    // MARK: Bytes

    @inline(__always)
    private mutating func byte() throws(ScanFailure) -> UInt8 {
        guard unsafe place < bytes.count else { throw ScanFailure(.unexpectedEnd, at: place) }
        return unsafe bytes[place]
    }

    @inline(__always)
    private mutating func skipSpace() {
        while unsafe place < bytes.count {
            let byte = unsafe bytes[place]
            guard byte <= 0x20, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else {
                return
            }
            place &+= 1
        }
    }
}

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
