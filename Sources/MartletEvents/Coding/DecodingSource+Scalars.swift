/// What a value is as a type of Swift.
extension DecodingSource {
    @inline(__always)
    func isNull(_ place: Int) -> Bool {
        let kind = token(place).kind
        return kind == .null || kind == .tag && token(untagged(place)).kind == .null
    }

    @inline(__always)
    func bool(_ place: Int) throws(ValueFailure) -> Bool {
        switch token(untagged(place)).kind {
        case .trueValue: return true
        case .falseValue: return false
        default: throw ValueFailure(Bool.self, at: place)
        }
    }

    @inline(__always)
    func string(_ place: Int) throws(ValueFailure) -> String {
        let token = token(untagged(place))
        guard token.kind == .text else { throw ValueFailure(String.self, at: place) }
        return text(token)
    }

    @inline(__always)
    func integer<Number: FixedWidthInteger>(
        _ type: Number.Type, _ place: Int
    ) throws(ValueFailure) -> Number {
        let token = token(place)
        if token.kind == .unsigned, let value = Number(exactly: token.payload) { return value }
        return try rareInteger(type, place)
    }

    @inline(never)
    private func rareInteger<Number: FixedWidthInteger>(
        _ type: Number.Type, _ place: Int
    ) throws(ValueFailure) -> Number {
        let token = token(untagged(place))
        let value: Number?
        switch token.kind {
        case .unsigned: value = Number(exactly: token.payload)
        case .negative: value = Number(exactly: Int64(bitPattern: token.payload))
        case .largeNegative: value = Number(exactly: -1 - Int128(token.payload))
        case .double: value = Number(exactly: Double(bitPattern: token.payload))
        case .number, .shortNumber: value = wholeNumber(numberText(token) ?? "")
        case .bytes where bigNumberTag(untagged(place)) != nil: value = bigNumber(place, type)
        default: throw ValueFailure(type, at: place)
        }
        guard let value else {
            throw ValueFailure("the number does not fit into \(type)", at: place)
        }
        return value
    }

    /// 1.0 and 1e3 are whole numbers too, and so are those beyond 64 bits, for wider types.
    /// Exactly: the digits are shifted, not calculated with.
    private func wholeNumber<Number: FixedWidthInteger>(_ text: String) -> Number? {
        let parts = text.split(separator: "e", maxSplits: 1).flatMap {
            $0.split(separator: "E", maxSplits: 1)
        }
        guard !parts[0].utf8.allSatisfy({ "-0.".utf8.contains($0) }) else { return 0 }
        guard let written = parts.count > 1 ? Int(parts[1]) : 0, written.magnitude < 1_000 else {
            return nil
        }
        let halves = parts[0].split(separator: ".", maxSplits: 1)
        var digits = String(halves[0]) + (halves.count > 1 ? halves[1] : "")
        var exponent = written - (halves.count > 1 ? halves[1].count : 0)
        while exponent < 0, digits.last == "0" {
            digits.removeLast()
            exponent += 1
        }
        guard exponent >= 0, exponent < 40 else { return nil }
        return Number(digits + String(repeating: "0", count: exponent), radix: 10)
    }

    /// A big number of CBOR: bytes behind the tag 2, or 3 for negative ones.
    private func bigNumber<Number: FixedWidthInteger>(_ place: Int, _ type: Number.Type) -> Number?
    {
        let value = untagged(place)
        guard let tag = bigNumberTag(value), let magnitude = magnitude(value) else { return nil }
        if tag == 2 { return Number(exactly: magnitude) }
        guard let positive = Int128(exactly: magnitude) else { return nil }
        return Number(exactly: -1 - positive)
    }

    /// What up to sixteen bytes say, the most significant first.
    private func magnitude(_ place: Int) -> UInt128? {
        unsafe withBytes(of: token(place)) { bytes in
            var magnitude: UInt128 = 0
            for place in 0..<bytes.count {
                guard magnitude >> 120 == 0 else { return nil }
                magnitude = unsafe magnitude << 8 | UInt128(bytes[place])
            }
            return magnitude
        }
    }

    /// The tag before the value, if it makes bytes a number.
    private func bigNumberTag(_ value: Int) -> UInt64? {
        guard value > 0 else { return nil }
        let tag = token(value - 1)
        return tag.kind == .tag && (tag.payload == 2 || tag.payload == 3) ? tag.payload : nil
    }

    func double(_ place: Int) throws(ValueFailure) -> Double {
        let value = untagged(place)
        let token = token(value)
        switch token.kind {
        case .double, .shortNumber: return Double(bitPattern: token.payload)
        case .unsigned: return Double(token.payload)
        case .negative: return Double(Int64(bitPattern: token.payload))
        case .largeNegative: return Double(-1 - Int128(token.payload))
        case .number:
            if let number = unsafe withBytes(of: token, { unsafe JSONNumber.double($0) }) {
                return number
            }
            throw ValueFailure("the number does not fit into Double", at: place)
        case .bytes:
            guard let tag = bigNumberTag(value) else { break }
            if let magnitude = magnitude(value) {
                return tag == 2 ? Double(magnitude) : -Double(magnitude) - 1
            }
            throw ValueFailure("the number is too large", at: place)
        default: break
        }
        throw ValueFailure(Double.self, at: place)
    }

    func float(_ place: Int) throws(ValueFailure) -> Float {
        let token = token(untagged(place))
        if let text = numberText(token) {
            // Not by way of Double, which would round twice.
            guard let value = Float(text), value.isFinite else {
                throw ValueFailure("the number does not fit into Float", at: place)
            }
            return value
        }
        if token.kind == .unsigned { return Float(token.payload) }
        if token.kind == .negative { return Float(Int64(bitPattern: token.payload)) }
        let value = try double(place)
        let narrow = Float(value)
        guard narrow.isFinite || !value.isFinite else {
            throw ValueFailure("the number does not fit into Float", at: place)
        }
        return narrow
    }

    /// The text of a number of JSON that has a fraction or an exponent.
    func numberText(_ token: Token) -> String? {
        switch token.kind {
        case .number: text(token)
        case .shortNumber:
            text(
                Token(.text, at: 0, low: Int(token.offset), high: Int(token.detail)))
        default: nil
        }
    }
}
