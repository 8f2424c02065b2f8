/// Where an event is addressed to: tokens with dots between them, as in `orders.placed`.
///
/// The first token names the stream, the unit of storage and traffic; the others say more, and
/// patterns choose by them. A topic has at most 16 tokens and 200 bytes. A token is not empty and
/// holds neither spaces nor control characters nor the wildcards `*` and `>`.
public struct Topic: Sendable, Hashable {
    /// The whole text.
    public let text: String
    private let streamByteCount: Int

    /// The topic with this text.
    public init(_ text: String) throws(MartletError) {
        guard let streamByteCount = Topic.streamByteCount(of: text.utf8) else {
            throw MartletError(.invalidTopic, Topic.advice(on: text))
        }
        self.text = text
        self.streamByteCount = streamByteCount
    }

    /// The stream: the first token.
    public var stream: StreamName {
        streamByteCount == text.utf8.count
            ? StreamName(unchecked: text)
            : StreamName(unchecked: String(text.utf8.prefix(streamByteCount)) ?? text)
    }

    /// The tokens, at least one.
    public var tokens: [Substring] { text.split(separator: ".") }

    /// The length of the first token, if all of it is a topic.
    private static func streamByteCount(of bytes: String.UTF8View) -> Int? {
        var first: Int?
        var tokens = 1
        var place = 0
        var tokenStart = 0
        for byte in bytes {
            if byte == UInt8(ascii: ".") {
                guard place > tokenStart else { return nil }
                first = first ?? place
                tokens += 1
                tokenStart = place + 1
            } else if !StreamName.isTokenByte(byte) {
                return nil
            }
            place += 1
        }
        guard place > tokenStart, place <= Limits.topicBytesMax, tokens <= Limits.topicTokensMax
        else { return nil }
        return first ?? place
    }

    private static func advice(on text: String) -> String {
        "`\(text.prefix(60))` is not a topic. Use 1 to \(Limits.topicTokensMax) tokens with dots "
            + "between them, \(Limits.topicBytesMax) bytes at most; no token may be empty or hold "
            + "spaces, control characters, `*` or `>`."
    }
}

extension Topic {
    /// Whether both have the same bytes. Texts that only look the same are different topics, as
    /// they are to ZeroMQ.
    public static func == (left: Topic, right: Topic) -> Bool {
        TextBytes.isEqual(left.text, right.text)
    }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) {
        unsafe text.utf8Span.span.withUnsafeBytes { bytes in unsafe hasher.combine(bytes: bytes) }
    }
}

extension Topic: ExpressibleByStringLiteral {
    /// A topic written in code; it traps when the text is not a topic.
    public init(stringLiteral text: String) {
        do { self = try Topic(text) } catch { preconditionFailure(error.message) }
    }
}

extension Topic: CustomStringConvertible {
    /// The whole text.
    public var description: String { text }
}
