/// The name of a stream: the first token of the topics of its events.
public struct StreamName: Sendable, Hashable {
    /// The token.
    public let text: String

    /// A stream's name, which is one token of a topic: not empty, at most 200 bytes of UTF-8,
    /// without dots, spaces, control characters, `*` and `>`.
    public init(_ text: String) throws(MartletError) {
        guard StreamName.isToken(text.utf8), text.utf8.count <= Limits.topicBytesMax else {
            throw MartletError(
                .invalidTopic,
                "`\(text.prefix(40))` cannot name a stream. Use one token of 1 to "
                    + "\(Limits.topicBytesMax) bytes without dots, spaces, control characters, `*` "
                    + "and `>`.")
        }
        self.text = text
    }

    /// A name that has been checked, as part of a topic or of a frame.
    package init(unchecked text: String) { self.text = text }

    /// Whether these bytes may stand between two dots of a topic.
    package static func isToken(_ bytes: some Sequence<UInt8>) -> Bool {
        var isEmpty = true
        for byte in bytes {
            guard isTokenByte(byte) else { return false }
            isEmpty = false
        }
        return !isEmpty
    }

    /// Beyond ASCII, everything that is valid UTF-8 may stand in a token.
    package static func isTokenByte(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte != 0x7F && byte != UInt8(ascii: ".") && byte != UInt8(ascii: "*")
            && byte != UInt8(ascii: ">")
    }
}

extension StreamName {
    /// Whether both have the same bytes. Texts that only look the same are different names, as they
    /// are to ZeroMQ.
    public static func == (left: StreamName, right: StreamName) -> Bool {
        TextBytes.isEqual(left.text, right.text)
    }

    /// Hashes the bytes.
    public func hash(into hasher: inout Hasher) {
        unsafe text.utf8Span.span.withUnsafeBytes { bytes in unsafe hasher.combine(bytes: bytes) }
    }
}

extension StreamName: ExpressibleByStringLiteral {
    /// A name written in code; it traps when it cannot name a stream.
    public init(stringLiteral text: String) {
        do { self = try StreamName(text) } catch { preconditionFailure(error.message) }
    }
}

extension StreamName: CustomStringConvertible {
    /// The token.
    public var description: String { text }
}

extension StreamName {
    /// Whether it comes first in the order of bytes.
    package func precedes(_ other: StreamName) -> Bool {
        text.utf8.lexicographicallyPrecedes(other.text.utf8)
    }
}

extension StreamName: Codable {
    /// Reads the text.
    public init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        try self.init(text)
    }

    /// Writes the text.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
