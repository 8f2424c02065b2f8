/// How long a journal keeps the events of a stream. What is not kept any more is reported to
/// readers that ask for it, as expired.
public struct Retention: Sendable, Hashable {
    /// Events are kept for so long, by their times; nil for ever.
    public var age: Duration?
    /// The stream has about so many bytes at most; nil without a limit. Room is given back by whole
    /// segments of the journal, which have 64 MiB.
    public var byteCount: UInt64?
    /// Events go once all of these cursors and groups, which are in the same journal, are past
    /// them. What goes before, since it is too old or too much, is named in
    /// `JournalStatus.overruns`.
    public var handledBy: Set<String>

    /// What holds of all.
    public init(age: Duration? = nil, byteCount: UInt64? = nil, handledBy: Set<String> = []) {
        self.age = age
        self.byteCount = byteCount
        self.handledBy = handledBy
    }

    /// Everything is kept.
    public static let forever = Retention()

    /// Events are kept for so long.
    public static func age(_ age: Duration) -> Retention { Retention(age: age) }

    /// The newest events of about so many bytes are kept.
    public static func byteCount(_ byteCount: UInt64) -> Retention {
        Retention(byteCount: byteCount)
    }

    /// Events go once all of these cursors and groups, which are in the same journal, are past
    /// them, or when there are more than about so many bytes.
    public static func handled(
        by readers: Set<String>, atMost byteCount: UInt64
    ) -> Retention { Retention(byteCount: byteCount, handledBy: readers) }

    func check(_ stream: StreamName) throws(MartletError) {
        guard age.map({ $0 > .zero }) ?? true, byteCount.map({ $0 > 0 }) ?? true else {
            throw MartletError(
                .invalidArgument,
                "The stream `\(stream)` would keep nothing. Give it a time or a size above zero, "
                    + "or make it live.")
        }
        guard handledBy.isEmpty || age != nil || byteCount != nil else {
            throw MartletError(
                .invalidArgument,
                "The stream `\(stream)` would keep everything if a cursor or a group of its stood "
                    + "still. Give it a size or a time beside them.")
        }
    }
}
