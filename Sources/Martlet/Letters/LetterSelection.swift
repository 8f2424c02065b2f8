/// Which dead letters are meant; all of them if nothing is said.
public struct LetterSelection: Sendable, Hashable, Codable {
    /// Those of this group.
    public var group: String?
    /// Those with these numbers.
    public var numbers: [UInt64]?
    /// Those that were given up for this reason.
    public var reason: DeadLetter.Reason?
    /// Those whose event is of such a topic.
    public var topics: TopicPattern?
    /// Those whose event has this key.
    public var key: String?
    /// So many at most, the oldest first.
    public var limit: Int?

    /// All letters, or those for which what is given is so.
    public init(
        group: String? = nil, numbers: [UInt64]? = nil, reason: DeadLetter.Reason? = nil,
        topics: TopicPattern? = nil, key: String? = nil, limit: Int? = nil
    ) {
        self.group = group
        self.numbers = numbers
        self.reason = reason
        self.topics = topics
        self.key = key
        self.limit = limit
    }

    /// Whether a letter is meant, its place in the list left aside.
    func wants(_ letter: DeadLetter) -> Bool {
        (group.map { $0 == letter.group } ?? true)
            && (numbers.map { $0.contains(letter.number) } ?? true)
            && (reason.map { $0 == letter.reason } ?? true)
            && (key.map { $0 == letter.key } ?? true)
            && (topics.map { pattern in
                (try? Topic(letter.eventTopic)).map { pattern.matches($0) } ?? false
            } ?? true)
    }
}
