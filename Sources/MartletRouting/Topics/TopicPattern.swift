/// Which topics are meant: tokens with dots between them, of which `*` stands for any one token
/// and `>`, at the end, for one or more.
///
/// `orders.*` means `orders.placed` but neither `orders` nor `orders.eu.placed`; `orders.>` means
/// both of the last; `>` means every topic. A pattern without wildcards means one topic. These are
/// the rules of NATS, but that a token such as `a*`, which no topic can have, is an error here.
public struct TopicPattern: Sendable, Hashable {
    /// The whole text.
    public let text: String
    /// How many bytes come before the first wildcard; all of them where there is none.
    private let literalByteCount: Int

    /// The pattern with this text.
    public init(_ text: String) throws(MartletError) {
        guard let literalByteCount = TopicPattern.literalByteCount(of: text) else {
            throw MartletError(.invalidTopic, TopicPattern.advice(on: text))
        }
        self.text = text
        self.literalByteCount = literalByteCount
    }

    /// The pattern that means this topic alone.
    public init(_ topic: Topic) {
        text = topic.text
        literalByteCount = topic.text.utf8.count
    }

    /// Whether it means one topic alone.
    public var isLiteral: Bool { literalByteCount == text.utf8.count }

    /// What every topic that is meant begins with: what comes before the first wildcard, and of a
    /// pattern without wildcards all of it. A sender that knows it need not send much else.
    public var literalPrefix: Substring {
        Substring(text.utf8.prefix(literalByteCount))
    }

    /// The stream to which all topics that are meant belong; nil if there may be several.
    public var stream: StreamName? {
        let first = text.utf8.prefix { $0 != UInt8(ascii: ".") }
        return first.count > literalByteCount ? nil : try? StreamName(String(Substring(first)))
    }

    /// Whether the topic is meant. For many patterns at once there is `TopicMatcher`.
    public func matches(_ topic: Topic) -> Bool {
        let (pattern, bytes) = (text.utf8Span.span, topic.text.utf8Span.span)
        var wanted = TokenReader(count: pattern.count)
        var tokens = TokenReader(count: bytes.count)
        while let range = wanted.next(in: pattern) {
            guard let token = tokens.next(in: bytes) else { return false }
            let part = pattern.extracting(range)
            switch Wildcard(part) {
            case .rest: return true
            case .token: continue
            case nil: guard TextBytes.isEqual(part, bytes.extracting(token)) else { return false }
            }
        }
        return tokens.isAtEnd
    }

    /// The bytes before the first wildcard, if all of it is a pattern.
    private static func literalByteCount(of text: String) -> Int? {
        let bytes = text.utf8Span.span
        guard bytes.count <= Limits.topicBytesMax else { return nil }
        var reader = TokenReader(count: bytes.count)
        var literal: Int?
        var count = 0
        while let range = reader.next(in: bytes) {
            let token = bytes.extracting(range)
            count += 1
            switch Wildcard(token) {
            case .rest where !reader.isAtEnd: return nil
            case .rest, .token: literal = literal ?? range.lowerBound
            case nil:
                guard !range.isEmpty,
                    token.indices.allSatisfy({ StreamName.isTokenByte(token[$0]) })
                else { return nil }
            }
        }
        guard count <= Limits.topicTokensMax else { return nil }
        return literal ?? bytes.count
    }

    private static func advice(on text: String) -> String {
        "`\(text.prefix(60))` is not a pattern of topics. Use 1 to \(Limits.topicTokensMax) tokens "
            + "with dots between them, \(Limits.topicBytesMax) bytes at most: `*` alone stands for "
            + "any one token and `>` at the end for one or more; no token may be empty or hold "
            + "spaces or control characters."
    }
}

/// What a token of a pattern means that is not a token of topics.
enum Wildcard {
    case token
    case rest

    init?(_ token: Span<UInt8>) {
        guard token.count == 1 else { return nil }
        switch token[0] {
        case UInt8(ascii: "*"): self = .token
        case UInt8(ascii: ">"): self = .rest
        default: return nil
        }
    }
}

/// Yields where the tokens lie between the dots: one at least, which may be empty.
struct TokenReader {
    private var place = 0
    private let count: Int

    /// For a text of so many bytes.
    init(count: Int) { self.count = count }

    var isAtEnd: Bool { place > count }

    mutating func next(in bytes: Span<UInt8>) -> Range<Int>? {
        guard !isAtEnd else { return nil }
        let start = place
        var end = start
        while end < count, bytes[end] != UInt8(ascii: ".") { end += 1 }
        place = end + 1
        return start..<end
    }
}

extension TopicPattern {
    /// Whether both have the same bytes.
    public static func == (left: TopicPattern, right: TopicPattern) -> Bool {
        TextBytes.isEqual(left.text, right.text)
    }

    /// Hashes the text. Texts that only look the same hash the same.
    public func hash(into hasher: inout Hasher) { hasher.combine(text) }
}

extension TopicPattern: ExpressibleByStringLiteral {
    /// A pattern written in code; it traps when the text is not a pattern.
    public init(stringLiteral text: String) {
        do { self = try TopicPattern(text) } catch { preconditionFailure(error.message) }
    }
}

extension TopicPattern: CustomStringConvertible {
    /// The whole text.
    public var description: String { text }
}

extension TopicPattern: Codable {
    /// Reads the text.
    public init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    /// Writes the text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
