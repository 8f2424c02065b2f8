public import FoundationEssentials

/// How codecs write and read `Date`.
public enum DateCoding: Sendable, Hashable {
    /// A text as in `2026-11-24T08:30:00.25Z`, to the microsecond.
    case rfc3339
    /// The timestamp of MessagePack, the epoch time of CBOR; in JSON, RFC 3339.
    case native
    /// Seconds since 1970 began, with their fraction.
    case secondsSince1970
    /// Milliseconds since 1970 began, with their fraction.
    case millisecondsSince1970
}

extension Timestamp {
    /// The moment of a date, to the microsecond; nil beyond the years 0 to 9999.
    public init?(_ date: Date) {
        let microseconds = (date.timeIntervalSince1970 * 1e6).rounded()
        guard let exact = Int64(exactly: microseconds) else { return nil }
        self.init(microseconds: exact)
    }

    /// The date of this moment.
    public var date: Date { Date(timeIntervalSince1970: Double(microseconds) / 1e6) }
}
