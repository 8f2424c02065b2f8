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
        guard let literalByteCount = TopicPattern.literalByteCount(of: text.utf8) else {
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
        let first = text.prefix { $0 != "." }
        return first == "*" || first == ">" ? nil : try? StreamName(String(first))
    }

    /// Whether the topic is meant. For many patterns at once there is `TopicMatcher`.
    public func matches(_ topic: Topic) -> Bool {
        var pattern = TokenReader(text.utf8)
        var tokens = TokenReader(topic.text.utf8)
        while let wanted = pattern.next() {
            guard let token = tokens.next() else { return false }
            switch Wildcard(wanted) {
            case .rest: return true
            case .token: continue
            case nil: guard wanted.elementsEqual(token) else { return false }
            }
        }
        return tokens.next() == nil
    }

    /// The bytes before the first wildcard, if all of it is a pattern.
    private static func literalByteCount(of bytes: String.UTF8View) -> Int? {
        guard bytes.count <= Limits.topicBytesMax else { return nil }
        var reader = TokenReader(bytes)
        var literal: Int?
        var count = 0
        var place = 0
        while let token = reader.next() {
            count += 1
            switch Wildcard(token) {
            case .rest where !reader.isAtEnd: return nil
            case .rest, .token: literal = literal ?? place
            case nil: guard StreamName.isToken(token) else { return nil }
            }
            place += token.count + 1
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

    init?(_ token: Substring.UTF8View) {
        guard token.count == 1 else { return nil }
        switch token.first {
        case UInt8(ascii: "*"): self = .token
        case UInt8(ascii: ">"): self = .rest
        default: return nil
        }
    }
}

/// Yields what lies between the dots, at least one token, which may be empty.
struct TokenReader {
    private var rest: Substring.UTF8View?

    init(_ bytes: String.UTF8View) { rest = bytes[...] }

    var isAtEnd: Bool { rest == nil }

    mutating func next() -> Substring.UTF8View? {
        guard let bytes = rest else { return nil }
        guard let dot = bytes.firstIndex(of: UInt8(ascii: ".")) else {
            rest = nil
            return bytes
        }
        rest = bytes[bytes.index(after: dot)...]
        return bytes[..<dot]
    }
}

extension TopicPattern {
    /// Whether both have the same bytes.
    public static func == (left: TopicPattern, right: TopicPattern) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8)
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
