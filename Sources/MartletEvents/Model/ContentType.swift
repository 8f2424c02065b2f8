/// What the bytes of a payload are, as a media type: `application/json`.
public struct ContentType: Sendable, Hashable {
    /// The whole text, with its parameters.
    public let text: String

    /// The content type with this text: a type, a slash and a subtype, and perhaps parameters
    /// behind a semicolon.
    public init(_ text: String) throws(MartletError) {
        guard ContentType.isMediaType(text.utf8) else {
            throw MartletError(
                .invalidAttribute,
                "`\(text.prefix(60))` is not a content type. Write it like `application/json`, "
                    + "with parameters behind a semicolon.")
        }
        self.text = text
    }

    private init(known text: String) { self.text = text }

    /// `application/json`.
    public static let json = ContentType(known: "application/json")
    /// `application/vnd.msgpack`, the name that IANA lists.
    public static let messagePack = ContentType(known: "application/vnd.msgpack")
    /// `application/cbor`.
    public static let cbor = ContentType(known: "application/cbor")
    /// `application/octet-stream`: bytes that only their reader understands.
    public static let bytes = ContentType(known: "application/octet-stream")
    /// `text/plain;charset=utf-8`.
    public static let text = ContentType(known: "text/plain;charset=utf-8")

    private static let known: [ContentType] = [.json, .messagePack, .cbor, .bytes, .text]

    /// Type and subtype in lower case, without parameters.
    public var mediaType: String {
        let end = text.utf8.firstIndex { $0 == UInt8(ascii: ";") || $0 == UInt8(ascii: " ") }
        return text[..<(end ?? text.endIndex)].lowercased()
    }

    /// Whether the bytes are JSON: `application/json`, `text/json`, or anything with `+json`.
    public var isJSON: Bool {
        if self == .json { return true }
        let type = mediaType
        return type.hasSuffix("/json") || type.hasSuffix("+json")
    }

    /// The content type with this text. The known ones share their memory.
    init(shared text: String) throws(MartletError) {
        for known in ContentType.known where known.text == text {
            self = known
            return
        }
        try self.init(text)
    }

    private static func isMediaType(_ bytes: String.UTF8View) -> Bool {
        guard bytes.count <= Limits.identifierBytesMax else { return false }
        let main = bytes.prefix { $0 != UInt8(ascii: ";") }
        let halves = main.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard halves.count == 2 else { return false }
        var subtype = halves[1]
        while subtype.last == UInt8(ascii: " ") { subtype.removeLast() }
        guard !halves[0].isEmpty, !subtype.isEmpty, halves[0].allSatisfy(isTokenByte),
            subtype.allSatisfy(isTokenByte)
        else { return false }
        return bytes.dropFirst(main.count).allSatisfy { $0 >= 0x20 && $0 < 0x7F }
    }

    /// The characters of a token of RFC 9110.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}

extension ContentType: ExpressibleByStringLiteral {
    /// A content type written in code; it traps when the text is not one.
    public init(stringLiteral text: String) {
        do { self = try ContentType(text) } catch { preconditionFailure(error.message) }
    }
}

extension ContentType: CustomStringConvertible {
    /// The whole text.
    public var description: String { text }
}
