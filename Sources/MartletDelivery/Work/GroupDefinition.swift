/// What a group of workers works for, and how it goes about events that fail.
///
/// Each worker brings it along, and the publisher keeps the first: who comes with another one of
/// the same version is refused, and a higher version takes the place of the one before.
public struct GroupDefinition: Sendable, Hashable {
    /// Where a group begins that nobody has heard of.
    public enum Start: UInt8, Sendable, Hashable {
        /// With the first event that is kept.
        case first = 0
        /// With the next to come.
        case now = 1
    }

    /// What happens to an event after its last attempt.
    public enum LastResort: UInt8, Sendable, Hashable {
        /// It is set aside, and its key goes on.
        case skip = 0
        /// It is set aside, and so is all that follows of its key, until it is sent again: nothing
        /// of a key is handled before what came earlier.
        case park = 1
    }

    /// The group.
    public let name: String
    /// The topics of its events.
    public let patterns: [TopicPattern]
    /// Which of these it wants; all without one.
    public let filter: Filter?
    /// Where it begins.
    public let start: Start
    /// Whether the events of a key are handled one after the other.
    public let isKeyed: Bool
    /// How often an event is tried.
    public let attempts: Int
    /// How long a failed event waits.
    public let backOff: BackOff
    /// What happens after the last attempt.
    public let lastResort: LastResort
    /// Tells a new definition from a mistake.
    public let version: Int

    /// A group. It throws `invalidArgument` if a value lies outside of its limits.
    public init(
        named name: String, patterns: [TopicPattern], where filter: Filter? = nil,
        from start: Start = .first, isKeyed: Bool = true, attempts: Int = Limits.attempts,
        backOff: BackOff = .standard, lastResort: LastResort = .skip, version: Int = 1
    ) throws(MartletError) {
        guard GroupDefinition.isAllowed(name) else {
            throw MartletError(
                .invalidArgument,
                "A group's name has 1 to \(Limits.groupNameBytesMax) letters of English, digits "
                    + "and . _ - , and no others.")
        }
        guard (1...Limits.topicsOfGroupMax).contains(patterns.count) else {
            throw MartletError(
                .invalidArgument,
                "A group works for 1 to \(Limits.topicsOfGroupMax) topics, not \(patterns.count).")
        }
        guard (1...Limits.attemptsMax).contains(attempts) else {
            throw MartletError(
                .invalidArgument,
                "An event is tried 1 to \(Limits.attemptsMax) times, not \(attempts).")
        }
        guard (1...Int(UInt32.max)).contains(version) else {
            throw MartletError(
                .invalidArgument, "The version of a group is 1 or more, not \(version).")
        }
        guard isKeyed || lastResort == .skip else {
            throw MartletError(
                .invalidArgument,
                "A group that does not keep keys in order cannot park them: use `.skip`.")
        }
        self.name = name
        self.patterns = patterns
        self.filter = filter
        self.start = start
        self.isKeyed = isKeyed
        self.attempts = attempts
        self.backOff = backOff
        self.lastResort = lastResort
        self.version = version
    }

    private static let others = Set("._-".utf8)

    static func isAllowed(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= Limits.groupNameBytesMax
            && name.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
                    || (0x61...0x7A).contains(byte) || others.contains(byte)
            }
    }

    /// Whether any event of a stream may be wanted.
    package func wants(_ stream: StreamName) -> Bool {
        patterns.contains { $0.stream == nil || $0.stream == stream }
    }

    /// Whether events of a topic may be wanted.
    func wants(_ topic: Topic) -> Bool { patterns.contains { $0.matches(topic) } }

    /// Whether an event is wanted.
    func wants(_ event: RecordedEvent) -> Bool {
        wants(event.topic) && filter?.matches(event) ?? true
    }

    /// Whether all events of a frame are wanted, without a look at each.
    func wantsAll(of frame: Frame) -> Bool {
        filter == nil && frame.allKinds { wants($0.topic) }
    }
}

/// How long a failed event waits for its next attempt: a random time up to one that doubles with
/// each attempt, so that many that fail together do not come back together.
public struct BackOff: Sendable, Hashable {
    /// Up to here waits the first attempt that is made again.
    public let first: Duration
    /// No wait is longer.
    public let longest: Duration

    /// Half a second, doubled up to five minutes.
    public static let standard = BackOff(unchecked: .milliseconds(500), .seconds(300))

    private init(unchecked first: Duration, _ longest: Duration) {
        self.first = first
        self.longest = longest
    }

    /// Waits up to `first`, and twice as long each time, but no longer than `longest`. It throws
    /// `invalidArgument` unless both lie between a millisecond and a day.
    public init(from first: Duration, upTo longest: Duration) throws(MartletError) {
        let allowed = Duration.milliseconds(1)...Duration.seconds(86_400)
        guard allowed.contains(first), allowed.contains(longest), first <= longest else {
            throw MartletError(
                .invalidArgument,
                "A failed event waits between 1 ms and a day, and first no longer than at last.")
        }
        self.init(unchecked: first, longest)
    }

    /// How long an event waits of which so many attempts have failed.
    func wait(after attempts: Int, _ random: UInt64) -> Duration {
        var limit = first
        for _ in 1..<max(attempts, 1) where limit < longest { limit *= 2 }
        limit = min(limit, longest)
        let floor = min(Limits.backOffFloor, limit)
        let (seconds, attoseconds) = limit.components
        let microseconds = UInt64(seconds) * 1_000_000 + UInt64(attoseconds) / 1_000_000_000_000
        return max(floor, .microseconds(Int64(random % (microseconds + 1))))
    }
}
