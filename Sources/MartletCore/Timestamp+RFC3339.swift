extension Timestamp {
    /// The moment that an RFC 3339 text names, as in `2026-11-24T08:30:00.25+01:00`; nil if the
    /// text is anything else. Digits beyond the microsecond are dropped, and a leap second counts
    /// as the second that follows it.
    public init?(_ text: String) {
        var reader = TextReader(rest: Array(text.utf8)[...])
        guard let year = reader.number(4), reader.skip("-"), let month = reader.number(2),
            reader.skip("-"), let day = reader.number(2), reader.skip("Tt "),
            let hour = reader.number(2), hour < 24, reader.skip(":"),
            let minute = reader.number(2), minute < 60, reader.skip(":"),
            let second = reader.number(2), second <= 60,
            let fraction = reader.fraction(), let offset = reader.offset(), reader.rest.isEmpty,
            let date = CivilDate(year: year, month: month, day: day)
        else { return nil }
        let seconds = date.daysSince1970 * 86_400 + hour * 3_600 + minute * 60 + second - offset
        self.init(microseconds: Int64(seconds) * 1_000_000 + Int64(fraction))
    }
}

/// Reads a text from its start.
private struct TextReader {
    var rest: ArraySlice<UInt8>

    /// One of these characters.
    mutating func skip(_ choices: String) -> Bool {
        guard let first = rest.first, choices.utf8.contains(first) else { return false }
        rest.removeFirst()
        return true
    }

    /// Exactly so many digits.
    mutating func number(_ digits: Int) -> Int? {
        guard rest.count >= digits else { return nil }
        var value = 0
        for digit in rest.prefix(digits) {
            guard isDigit(digit) else { return nil }
            value = value * 10 + Int(digit & 0xF)
        }
        rest = rest.dropFirst(digits)
        return value
    }

    /// Microseconds from the digits behind a point, if there is one.
    mutating func fraction() -> Int? {
        guard skip(".") else { return 0 }
        let digits = rest.prefix(while: isDigit)
        guard !digits.isEmpty else { return nil }
        rest = rest.dropFirst(digits.count)
        var value = 0
        for place in 0..<6 {
            let digit = place < digits.count ? digits[digits.startIndex + place] & 0xF : 0
            value = value * 10 + Int(digit)
        }
        return value
    }

    /// Seconds east of UTC.
    mutating func offset() -> Int? {
        if skip("Zz") { return 0 }
        let isEast = rest.first == UInt8(ascii: "+")
        guard skip("+-"), let hour = number(2), hour < 24, skip(":"), let minute = number(2),
            minute < 60
        else { return nil }
        return (hour * 3_600 + minute * 60) * (isEast ? 1 : -1)
    }

    private func isDigit(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    }
}
