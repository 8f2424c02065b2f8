import FoundationEssentials

/// Types that have a form of their own in each format.
extension DecodingSource {
    func bytes(_ place: Int) throws(ValueFailure) -> Bytes {
        let token = token(untagged(place))
        switch token.kind {
        case .bytes: return unsafe withBytes(of: token) { unsafe Bytes(copying: $0.bytes) }
        case .text:
            guard let bytes = Base64.decode(text(token)) else {
                throw ValueFailure("the text is not base64", at: place)
            }
            return bytes
        default: throw ValueFailure(Bytes.self, at: place)
        }
    }

    func data(_ place: Int) throws(ValueFailure) -> Data {
        let token = token(untagged(place))
        if token.kind == .bytes { return unsafe withBytes(of: token) { unsafe Data($0) } }
        guard token.kind == .text else { throw ValueFailure(Data.self, at: place) }
        guard let data = Data(base64Encoded: text(token)) else {
            throw ValueFailure("the text is not base64", at: place)
        }
        return data
    }

    func url(_ place: Int) throws(ValueFailure) -> URL {
        guard let url = URL(string: try string(place)) else {
            throw ValueFailure("the text is not a URL", at: place)
        }
        return url
    }

    /// A text always means RFC 3339 and a timestamp of the format itself; a number means what the
    /// codec was told, and seconds unless it was.
    func date(_ place: Int) throws(ValueFailure) -> Date {
        let value = untagged(place)
        let token = token(value)
        if token.kind == .text {
            guard let moment = Timestamp(text(token)) else {
                throw ValueFailure(
                    "the text is not a moment of RFC 3339, as in 2026-11-24T08:30:00Z", at: place)
            }
            return moment.date
        }
        if token.kind == .typed {
            guard let date = timestamp(token) else {
                throw ValueFailure("the extension value is not a timestamp", at: place)
            }
            return date
        }
        guard [.unsigned, .negative, .double, .number, .shortNumber].contains(token.kind) else {
            throw ValueFailure(Date.self, at: place)
        }
        let number = try double(value)
        guard number.isFinite else {
            throw ValueFailure("the number is no moment", at: place)
        }
        let isEpoch = value > place && self.token(value - 1).payload == 1
        let isMilliseconds = options.dates == .millisecondsSince1970 && !isEpoch
        return Date(timeIntervalSince1970: isMilliseconds ? number / 1_000 : number)
    }

    func decimal(_ place: Int) throws(ValueFailure) -> Decimal {
        let token = token(untagged(place))
        switch token.kind {
        case .unsigned: return Decimal(token.payload)
        case .negative: return Decimal(Int64(bitPattern: token.payload))
        case .number, .shortNumber, .text:
            let text = numberText(token) ?? text(token)
            if let decimal = DecimalText.decimal(text) { return decimal }
            throw ValueFailure("the number does not fit into Decimal", at: place)
        default: return Decimal(try double(place))
        }
    }
}

/// Decimal numbers as texts, exactly.
enum DecimalText {
    /// The number that a text in the form of JSON's numbers names; nil if it is none, or has more
    /// than 38 digits.
    static func decimal(_ text: String) -> Decimal? {
        let bytes = Array(text.utf8)
        var significand = Decimal(0)
        var digits = 0
        var exponent = 0
        var place = 0
        let isNegative = bytes.first == UInt8(ascii: "-")
        if isNegative { place = 1 }
        var isFraction = false
        var hasDigit = false
        while place < bytes.count, bytes[place] | 0x20 != UInt8(ascii: "e") {
            let digit = bytes[place] &- UInt8(ascii: "0")
            if digit < 10 {
                hasDigit = true
                significand = significand * 10 + Decimal(Int(digit))
                if digits > 0 || digit > 0 { digits += 1 }
                if isFraction { exponent -= 1 }
            } else if bytes[place] == UInt8(ascii: "."), !isFraction {
                isFraction = true
            } else {
                return nil
            }
            place += 1
            guard digits <= 38 else { return nil }
        }
        guard hasDigit else { return nil }
        if place < bytes.count {
            let rest = bytes[(place + 1)...]
            guard let written = Int(String(decoding: rest, as: UTF8.self)), abs(written) < 1_000
            else {
                return nil
            }
            exponent += written
        }
        guard (-127...127).contains(exponent) else { return significand == 0 ? 0 : nil }
        return Decimal(
            sign: isNegative ? .minus : .plus, exponent: exponent, significand: significand)
    }
}
