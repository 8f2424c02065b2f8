/// Reads JSON (RFC 8259) into a tape, and refuses everything that is not JSON.
@safe
struct JSONScanner: ~Copyable {
    let bytes: UnsafeRawBufferPointer
    private let nestingMax: Int
    var place = 0
    var tape: ValueTape

    @unsafe
    private init(_ bytes: UnsafeRawBufferPointer, _ nestingMax: Int) {
        unsafe self.bytes = unsafe bytes
        self.nestingMax = nestingMax
        tape = ValueTape(byteCount: bytes.count)
    }

    /// The tape of the one value that these bytes must hold, with white space around it. The bytes
    /// must outlive the tape.
    @unsafe
    static func scan(
        _ bytes: UnsafeRawBufferPointer, nestingMax: Int = Limits.nestingMax
    ) throws(ScanFailure) -> ValueTape {
        var scanner = unsafe JSONScanner(bytes, nestingMax)
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

    /// Reads the one value that must begin here, and all that it holds. What is open lies on a
    /// stack of its own, which costs less than calls that nest; the innermost is at hand.
    private mutating func value() throws(ScanFailure) {
        var outer = InlineArray<32, Open>(repeating: Open())
        var inner = Open()
        var depth = 0
        while true {
            let first = try byte()
            if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
                guard depth < min(nestingMax, outer.count) else {
                    throw ScanFailure(.tooDeep, at: place)
                }
                let isMap = first == UInt8(ascii: "{")
                let token = try tape.append(Token(isMap ? .map : .array, at: place))
                place &+= 1
                skipSpace()
                if try byte() != first &+ 2 {
                    outer[depth] = inner
                    depth &+= 1
                    inner = Open(token: UInt32(truncatingIfNeeded: token), isMap: isMap)
                    if isMap { try name(&inner.keys) }
                    continue
                }
                place &+= 1
                tape.close(token, count: 0)
            } else {
                try scalar(first)
            }
            // A value has ended. It may be the last of what holds it, and that the last again.
            while true {
                if depth == 0 { return }
                skipSpace()
                let next = try byte()
                inner.count &+= 1
                if next == UInt8(ascii: ",") {
                    place &+= 1
                    skipSpace()
                    if inner.isMap { try name(&inner.keys) }
                    break
                }
                guard next == UInt8(ascii: inner.isMap ? "}" : "]") else { throw unexpected(inner) }
                place &+= 1
                tape.close(Int(inner.token), count: Int(inner.count), inner.keys)
                depth &-= 1
                inner = outer[depth]
            }
        }
    }

    /// An object or an array whose end has not come.
    private struct Open {
        var token: UInt32 = 0
        var count: UInt32 = 0
        var isMap = false
        var keys = KeySketch()
    }

    private func unexpected(_ inner: Open) -> ScanFailure {
        ScanFailure(
            inner.isMap
                ? .invalid("a comma or the object's end must stand here")
                : .invalid("a comma or the array's end must stand here"), at: place)
    }

    /// A member's name and the colon behind it.
    @inline(__always)
    private mutating func name(_ keys: inout KeySketch) throws(ScanFailure) {
        guard try byte() == UInt8(ascii: "\"") else {
            throw ScanFailure(.invalid("a member's name must begin here"), at: place)
        }
        let start = place
        if try text() {
            // A quote stands on either side; that of the end serves for the first byte of an empty
            // name.
            unsafe keys.note(bytes[start &+ 1], place &- start &- 2)
        } else {
            keys.noteOther()
        }
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
        case UInt8(ascii: "\""): _ = try text()
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
                place < bytes.count ? .invalid("a digit must stand here") : .unexpectedEnd,
                at: place)
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

    /// Reads a fraction of few digits and no exponent: fifteen digits and a power of ten up to 22
    /// are both exact as floating-point numbers, and one division rounds once, which is what is
    /// asked for. False if the number is longer; then nothing has been read.
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
        guard decimals > 0, unsafe next == bytes.count || bytes[next] | 0x20 != UInt8(ascii: "e")
        else {
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
            if unsafe place < bytes.count,
                unsafe bytes[place] == UInt8(ascii: "+") || bytes[place] == UInt8(ascii: "-")
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
        while unsafe place < bytes.count, unsafe bytes[place] &- UInt8(ascii: "0") < 10 {
            place &+= 1
        }
        guard place > start else {
            throw unsafe ScanFailure(
                place < bytes.count ? .invalid("a digit must stand here") : .unexpectedEnd,
                at: place)
        }
    }

    // MARK: Bytes

    @inline(__always)
    mutating func byte() throws(ScanFailure) -> UInt8 {
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
