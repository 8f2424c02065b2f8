/// How long a journal keeps the events of a stream. What is not kept any more is reported to
/// readers that ask for it, as expired.
public struct Retention: Sendable, Hashable {
    /// Events are kept for so long, by their times; nil for ever.
    public var age: Duration?
    /// The stream has about so many bytes at most; nil without a limit. Room is given back by whole
    /// segments of the journal, which have 64 MiB.
    public var byteCount: UInt64?

    /// What holds of both.
    public init(age: Duration? = nil, byteCount: UInt64? = nil) {
        self.age = age
        self.byteCount = byteCount
    }

    /// Everything is kept.
    public static let forever = Retention()

    /// Events are kept for so long.
    public static func age(_ age: Duration) -> Retention { Retention(age: age) }

    /// The newest events of about so many bytes are kept.
    public static func byteCount(_ byteCount: UInt64) -> Retention {
        Retention(byteCount: byteCount)
    }

    func check(_ stream: StreamName) throws(MartletError) {
        guard age.map({ $0 > .zero }) ?? true, byteCount.map({ $0 > 0 }) ?? true else {
            throw MartletError(
                .invalidArgument,
                "The stream `\(stream)` would keep nothing. Give it a time or a size above zero, "
                    + "or make it live.")
        }
    }
}
