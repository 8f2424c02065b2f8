/// A moment in microseconds, as it stands in frames: from the year 0 to the year 9999, in UTC.
public struct Timestamp: Sendable, Hashable {
    /// Microseconds since 1970 began.
    public let microseconds: Int64

    /// The first moment that has an RFC 3339 text.
    public static let earliest = Timestamp(unchecked: -62_167_219_200_000_000)
    /// The last moment that has an RFC 3339 text.
    public static let latest = Timestamp(unchecked: 253_402_300_799_999_999)

    /// The moment so many microseconds after 1970 began; nil before the year 0 and after 9999.
    public init?(microseconds: Int64) {
        guard microseconds >= Timestamp.earliest.microseconds,
            microseconds <= Timestamp.latest.microseconds
        else { return nil }
        self.init(unchecked: microseconds)
    }

    /// A moment whose bounds have been checked, or that comes from a clock.
    package init(unchecked microseconds: Int64) { self.microseconds = microseconds }
}

extension Timestamp: Comparable {
    /// Whether the left one is earlier.
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.microseconds < right.microseconds
    }
}

extension Timestamp: CustomStringConvertible {
    /// The RFC 3339 text in UTC, with as many digits of the second as it takes: `…T08:30:00Z`,
    /// `…T08:30:00.25Z`.
    public var description: String {
        let perDay: Int64 = 86_400_000_000
        var day = microseconds / perDay
        var rest = microseconds % perDay
        if rest < 0 {
            rest += perDay
            day -= 1
        }
        let date = CivilDate(daysSince1970: Int(day))
        let second = Int(rest / 1_000_000)
        var text = Timestamp.padded(date.year, 4) + "-" + Timestamp.padded(date.month, 2) + "-"
        text += Timestamp.padded(date.day, 2) + "T" + Timestamp.padded(second / 3_600, 2) + ":"
        text += Timestamp.padded(second / 60 % 60, 2) + ":" + Timestamp.padded(second % 60, 2)
        var fraction = Int(rest % 1_000_000)
        if fraction > 0 {
            var digits = 6
            while fraction.isMultiple(of: 10) {
                fraction /= 10
                digits -= 1
            }
            text += "." + Timestamp.padded(fraction, digits)
        }
        return text + "Z"
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}

extension Timestamp: Codable {
    /// Reads the text.
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let read = Self(text) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "This is no time: \(text)"))
        }
        self = read
    }

    /// Writes the text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
