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
        if token.kind == .text || token.kind == .typed { return try timestamp(place).date }
        guard [.unsigned, .negative, .double, .number, .shortNumber].contains(token.kind) else {
            throw ValueFailure(Date.self, at: place)
        }
        let number = try double(value)
        guard number.isFinite else {
            throw ValueFailure("the number is no moment", at: place)
        }
        let isMilliseconds = options.dates == .millisecondsSince1970 && !isEpoch(value, place)
        return Date(timeIntervalSince1970: isMilliseconds ? number / 1_000 : number)
    }

    /// The same to the microsecond, without a detour through floating point where there is none.
    func timestamp(_ place: Int) throws(ValueFailure) -> Timestamp {
        let value = untagged(place)
        let token = token(value)
        let moment: Timestamp?
        switch token.kind {
        case .text: moment = Timestamp(text(token))
        case .typed: moment = messagePackTimestamp(token)
        case .unsigned, .negative:
            let unit: Int64 =
                options.dates == .millisecondsSince1970 && !isEpoch(value, place)
                ? 1_000 : 1_000_000
            let (microseconds, overflow) = try integer(Int64.self, value)
                .multipliedReportingOverflow(by: unit)
            moment = overflow ? nil : Timestamp(microseconds: microseconds)
        default: moment = Timestamp(try date(place))
        }
        guard let moment else {
            throw ValueFailure(
                "it is no moment of RFC 3339, as in 2026-11-24T08:30:00Z, of the years 0 to 9999",
                at: place)
        }
        return moment
    }

    /// Whether CBOR's tag for seconds since 1970 stands before the value.
    private func isEpoch(_ value: Int, _ place: Int) -> Bool {
        value > place && token(value - 1).payload == 1
    }

    func decimal(_ place: Int) throws(ValueFailure) -> Decimal {
        let token = token(untagged(place))
        let decimal: Decimal?
        switch token.kind {
        case .unsigned: decimal = Decimal(token.payload)
        case .negative: decimal = Decimal(Int64(bitPattern: token.payload))
        case .number, .shortNumber, .text:
            let text = numberText(token) ?? text(token)
            decimal = DecimalText.isNumber(text) ? Decimal(string: text) : nil
        default:
            let number = try double(place)
            decimal = number.isFinite ? Decimal(number) : nil
        }
        guard let decimal, !decimal.isNaN else {
            throw ValueFailure("the number does not fit into Decimal", at: place)
        }
        return decimal
    }
}

/// Decimal numbers as texts.
enum DecimalText {
    /// Whether all of the text is one, in the form that JSON gives to numbers.
    static func isNumber(_ text: String) -> Bool {
        let isScanned = unsafe text.utf8Span.span.withUnsafeBytes { bytes in
            unsafe (try? JSONScanner.scan(bytes)) != nil
        }
        let first = text.utf8.first ?? 0
        return isScanned && (first == UInt8(ascii: "-") || first &- UInt8(ascii: "0") < 10)
    }
}
