import FoundationEssentials

/// Types that have a form of their own in each format.
extension DecodingSource {
    func bytes(_ place: Int, _ path: () -> [any CodingKey]) throws -> Bytes {
        let token = token(untagged(place))
        switch token.kind {
        case .bytes: return unsafe withBytes(of: token) { unsafe Bytes(copying: $0.bytes) }
        case .text:
            guard let bytes = Base64.decode(text(token)) else {
                throw corrupted("the text is not base64", at: place, path())
            }
            return bytes
        default: throw mismatch(Bytes.self, at: place, path())
        }
    }

    func data(_ place: Int, _ path: () -> [any CodingKey]) throws -> Data {
        let token = token(untagged(place))
        if token.kind == .bytes { return unsafe withBytes(of: token) { unsafe Data($0) } }
        guard token.kind == .text else { throw mismatch(Data.self, at: place, path()) }
        guard let data = Data(base64Encoded: text(token)) else {
            throw corrupted("the text is not base64", at: place, path())
        }
        return data
    }

    func url(_ place: Int, _ path: () -> [any CodingKey]) throws -> URL {
        guard let url = URL(string: try string(place, path)) else {
            throw corrupted("the text is not a URL", at: place, path())
        }
        return url
    }

    /// A text always means RFC 3339 and a timestamp of the format itself; a number means what the codec
    /// was told, and seconds unless it was.
    func date(_ place: Int, _ path: () -> [any CodingKey]) throws -> Date {
        let value = untagged(place)
        let token = token(value)
        if token.kind == .text {
            guard let moment = Timestamp(text(token)) else {
                throw corrupted(
                    "the text is not a moment of RFC 3339, as in 2026-11-24T08:30:00Z", at: place,
                    path())
            }
            return moment.date
        }
        if token.kind == .typed {
            guard let date = timestamp(token) else {
                throw corrupted("the extension value is not a timestamp", at: place, path())
            }
            return date
        }
        guard [.unsigned, .negative, .double, .number].contains(token.kind) else {
            throw mismatch(Date.self, at: place, path())
        }
        let number = try double(value, path)
        guard number.isFinite else {
            throw corrupted("the number is no moment", at: place, path())
        }
        let isEpoch = value > place && self.token(value - 1).payload == 1
        let isMilliseconds = dates == .millisecondsSince1970 && !isEpoch
        return Date(timeIntervalSince1970: isMilliseconds ? number / 1_000 : number)
    }

    func decimal(_ place: Int, _ path: () -> [any CodingKey]) throws -> Decimal {
        let token = token(untagged(place))
        switch token.kind {
        case .unsigned: return Decimal(token.payload)
        case .negative: return Decimal(Int64(bitPattern: token.payload))
        case .number, .text:
            if let decimal = unsafe withBytes(of: token, { unsafe DecimalText.decimal($0) }) { return decimal }
            throw corrupted("the number does not fit into Decimal", at: place, path())
        default: return Decimal(try double(place, path))
        }
    }
}

/// Decimal numbers as texts, exactly.
enum DecimalText {
    /// The number that a text in the form of JSON's numbers names; nil if it is none, or has more
    /// than 38 digits.
    @unsafe
    static func decimal(_ bytes: UnsafeRawBufferPointer) -> Decimal? {
        var significand = Decimal(0)
        var digits = 0
        var exponent = 0
        var place = 0
        let isNegative = unsafe bytes.first == UInt8(ascii: "-")
        if isNegative { place = 1 }
        var isFraction = false
        var hasDigit = false
        while place < bytes.count, unsafe bytes[place] | 0x20 != UInt8(ascii: "e") {
            let digit = unsafe bytes[place] &- UInt8(ascii: "0")
            if digit < 10 {
                hasDigit = true
                significand = significand * 10 + Decimal(Int(digit))
                if digits > 0 || digit > 0 { digits += 1 }
                if isFraction { exponent -= 1 }
            } else if unsafe bytes[place] == UInt8(ascii: "."), !isFraction {
                isFraction = true
            } else {
                return nil
            }
            place += 1
            guard digits <= 38 else { return nil }
        }
        guard hasDigit else { return nil }
        if place < bytes.count {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[(place + 1)...])
            guard let written = unsafe Int(String(decoding: rest, as: UTF8.self)), abs(written) < 1_000 else {
                return nil
            }
            exponent += written
        }
        guard (-127...127).contains(exponent) else { return significand == 0 ? 0 : nil }
        return Decimal(sign: isNegative ? .minus : .plus, exponent: exponent, significand: significand)
    }
}
