import FoundationEssentials

/// What a value is as a type of Swift. `path` is asked for errors only.
extension DecodingSource {
    @inline(__always)
    func isNull(_ place: Int) -> Bool {
        let kind = token(place).kind
        return kind == .null || kind == .tag && token(untagged(place)).kind == .null
    }

    @inline(__always)
    func bool(_ place: Int, _ path: () -> [any CodingKey]) throws -> Bool {
        switch token(untagged(place)).kind {
        case .trueValue: return true
        case .falseValue: return false
        default: throw mismatch(Bool.self, at: place, path())
        }
    }

    @inline(__always)
    func string(_ place: Int, _ path: () -> [any CodingKey]) throws -> String {
        let token = token(untagged(place))
        guard token.kind == .text else { throw mismatch(String.self, at: place, path()) }
        return text(token)
    }

    @inline(__always)
    func integer<Number: FixedWidthInteger>(
        _ type: Number.Type, _ place: Int, _ path: () -> [any CodingKey]
    ) throws -> Number {
        let token = token(place)
        if token.kind == .unsigned, let value = Number(exactly: token.payload) { return value }
        return try rareInteger(type, place, path())
    }

    @inline(never)
    private func rareInteger<Number: FixedWidthInteger>(
        _ type: Number.Type, _ place: Int, _ path: [any CodingKey]
    ) throws -> Number {
        let token = token(untagged(place))
        let value: Number?
        switch token.kind {
        case .unsigned: value = Number(exactly: token.payload)
        case .negative: value = Number(exactly: Int64(bitPattern: token.payload))
        case .largeNegative:
            value = Number(exactly: token.payload).flatMap { magnitude in
                let (sum, overflow) = (0 as Number).subtractingReportingOverflow(magnitude)
                let (result, overflow2) = sum.subtractingReportingOverflow(1)
                return overflow || overflow2 ? nil : result
            }
        case .double: value = Number(exactly: Double(bitPattern: token.payload))
        case .number:
            // 1.0 and 1e3 are whole numbers too; so are those beyond 64 bits, for wider types.
            let text = text(token)
            value = Number(text, radix: 10) ?? Double(text).flatMap { Number(exactly: $0) }
        case .bytes where place > 0: value = bigNumber(place, type)
        default: throw mismatch(type, at: place, path)
        }
        guard let value else {
            throw corrupted("the number does not fit into \(type)", at: place, path)
        }
        return value
    }

    /// A big number of CBOR: bytes behind the tag 2, or 3 for negative ones.
    private func bigNumber<Number: FixedWidthInteger>(_ place: Int, _ type: Number.Type) -> Number? {
        let value = untagged(place)
        guard value > place, let tag = bigNumberTag(value) else { return nil }
        return unsafe withBytes(of: token(value)) { bytes in
            var number: Number = 0
            for unsafe byte in unsafe bytes {
                let (scaled, overflow) = number.multipliedReportingOverflow(by: 256)
                guard !overflow, let digit = Number(exactly: byte) else { return nil }
                let (next, overflow2) =
                    tag == 2
                    ? scaled.addingReportingOverflow(digit)
                    : scaled.subtractingReportingOverflow(digit)
                guard !overflow2 else { return nil }
                number = next
            }
            guard tag == 3 else { return number }
            let (result, overflow) = number.subtractingReportingOverflow(1)
            return overflow ? nil : result
        }
    }

    /// The tag before the value, if it makes bytes a number.
    private func bigNumberTag(_ value: Int) -> UInt64? {
        guard value > 0 else { return nil }
        let tag = token(value - 1)
        return tag.kind == .tag && (tag.payload == 2 || tag.payload == 3) ? tag.payload : nil
    }

    func double(_ place: Int, _ path: () -> [any CodingKey]) throws -> Double {
        let value = untagged(place)
        let token = token(value)
        switch token.kind {
        case .double: return Double(bitPattern: token.payload)
        case .unsigned: return Double(token.payload)
        case .negative: return Double(Int64(bitPattern: token.payload))
        case .largeNegative: return -1 - Double(token.payload)
        case .number:
            if let number = unsafe withBytes(of: token, { unsafe JSONNumber.double($0) }) { return number }
            throw corrupted("the number does not fit into Double", at: place, path())
        case .bytes:
            guard let tag = bigNumberTag(value) else { break }
            let magnitude = unsafe withBytes(of: token) { unsafe $0.reduce(0) { $0 * 256 + Double($1) } }
            guard magnitude.isFinite else { break }
            return tag == 2 ? magnitude : -1 - magnitude
        default: break
        }
        throw mismatch(Double.self, at: place, path())
    }

    func float(_ place: Int, _ path: () -> [any CodingKey]) throws -> Float {
        let token = token(untagged(place))
        if token.kind == .number {
            // Not by way of Double, which would round twice.
            guard let value = Float(text(token)), value.isFinite else {
                throw corrupted("the number does not fit into Float", at: place, path())
            }
            return value
        }
        let value = try double(place, path)
        let narrow = Float(value)
        guard narrow.isFinite || !value.isFinite else {
            throw corrupted("the number does not fit into Float", at: place, path())
        }
        return narrow
    }
}
