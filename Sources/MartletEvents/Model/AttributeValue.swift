/// A value of one of the seven types that CloudEvents gives to attributes.
public enum AttributeValue: Sendable, Hashable {
    /// True or false.
    case boolean(Bool)
    /// A whole number of 32 bits.
    case integer(Int32)
    /// A text without control characters.
    case string(String)
    /// Bytes.
    case binary(Bytes)
    /// An absolute URI.
    case uri(String)
    /// A URI, absolute or relative.
    case uriReference(String)
    /// A moment.
    case timestamp(Timestamp)

    /// The text that stands for the value wherever only texts can stand: `true`, `42`, base64 for
    /// bytes, RFC 3339 for moments.
    public var canonicalText: String {
        switch self {
        case .boolean(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .string(let text), .uri(let text), .uriReference(let text): text
        case .binary(let bytes): Base64.encode(bytes)
        case .timestamp(let moment): moment.description
        }
    }

    /// Throws unless the value may stand in an attribute of this name.
    func check(as name: AttributeName) throws(MartletError) {
        switch self {
        case .boolean, .integer, .timestamp: return
        case .string(let text): try AttributeText.checkValue(text, of: name.text)
        case .uriReference(let text): try AttributeText.check(text, of: name.text)
        case .uri(let text):
            try AttributeText.check(text, of: name.text)
            guard AttributeValue.hasScheme(text) else {
                throw MartletError(
                    .invalidAttribute,
                    "`\(name)` must be an absolute URI, one that begins with a scheme such as "
                        + "`https:`. Use a URI reference for relative ones.")
            }
        case .binary(let bytes):
            guard bytes.count <= Limits.attributeBytesMax else {
                throw MartletError(
                    .invalidAttribute,
                    "`\(name)` has \(bytes.count) bytes, of which \(Limits.attributeBytesMax) are "
                        + "allowed. Put long values into the payload.")
            }
        }
    }

    /// A letter, then letters, digits, `+`, `-` and `.`, then a colon.
    private static func hasScheme(_ text: String) -> Bool {
        let scheme = text.utf8.prefix { $0 != UInt8(ascii: ":") }
        guard scheme.count < text.utf8.count, let first = scheme.first, isLetter(first) else {
            return false
        }
        return scheme.allSatisfy { byte in
            isLetter(byte) || (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"))
                || "+-.".utf8.contains(byte)
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        let lower = byte | 0x20
        return lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "z")
    }
}

extension AttributeValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral
{
    /// A text.
    public init(stringLiteral text: String) { self = .string(text) }
    /// A whole number.
    public init(integerLiteral value: Int32) { self = .integer(value) }
    /// True or false.
    public init(booleanLiteral value: Bool) { self = .boolean(value) }
}

extension AttributeValue: CustomStringConvertible {
    /// The canonical text.
    public var description: String { canonicalText }
}
