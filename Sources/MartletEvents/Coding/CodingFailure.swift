/// Why a value could not be read or written, and where: the cause of the error that a codec throws.
public struct CodingFailure: Error, Sendable {
    /// The way from the outermost value to the one that failed, as in `items[2].price`; empty for
    /// the outermost itself.
    public let path: String
    /// Where in the input the value begins that failed; nil when writing.
    public let byteOffset: Int?
    /// What is wrong with it, without its content.
    public let reason: String
    /// The error beneath, as `Codable` or a type's own code threw it.
    public let underlying: (any Error)?

    init(path: String, byteOffset: Int?, reason: String, underlying: (any Error)? = nil) {
        self.path = path
        self.byteOffset = byteOffset
        self.reason = reason
        self.underlying = underlying
    }
}

extension CodingFailure: CustomStringConvertible {
    /// Reason, path and offset in a sentence.
    public var description: String {
        var text = reason
        if !path.isEmpty { text += ", at `\(path)`" }
        if let byteOffset { text += ", at byte \(byteOffset)" }
        return text
    }
}

extension CodingFailure {
    /// The path of coding keys as people write it.
    static func text(of path: [any CodingKey]) -> String {
        path.reduce(into: "") { text, key in
            if let index = key.intValue, key is IndexKey {
                text += "[\(index)]"
            } else {
                text += text.isEmpty ? key.stringValue : "." + key.stringValue
            }
        }
    }

    /// What a decoder's error says. Errors of `Codable` know their path; in direct coding, the path
    /// is that of the fields through which the error came.
    static func reading(
        _ error: any Error, path: [any CodingKey], isDirect: Bool, offset: Int
    ) -> CodingFailure {
        guard let error = error as? DecodingError else {
            return CodingFailure(
                path: text(of: path), byteOffset: offset, reason: reason(error), underlying: error)
        }
        let (context, reason): (DecodingError.Context, String) =
            switch error {
            case .keyNotFound(let key, let context):
                (context, "there is no value for the key `\(key.stringValue)`")
            case .valueNotFound(let type, let context):
                (context, "a \(type) must stand there, not null")
            case .typeMismatch(_, let context), .dataCorrupted(let context):
                (context, reason(error, context.underlyingError, context.debugDescription))
            @unknown default: (.init(codingPath: path, debugDescription: ""), reason(error))
            }
        return CodingFailure(
            path: text(of: isDirect ? path : context.codingPath), byteOffset: offset,
            reason: reason, underlying: error)
    }

    /// What an error says without showing the value. What others wrote into theirs may show it: the
    /// error itself is beneath, for those who may see it.
    private static func reason(
        _ error: any Error, _ underlying: (any Error)? = nil, _ description: String = ""
    ) -> String {
        if underlying is ValueFailure { return description }
        return (error as? MartletError)?.message
            ?? "its type refused the value with \(Swift.type(of: error))"
    }

    /// What an encoder's error says.
    static func writing(_ error: any Error, path: [any CodingKey]) -> CodingFailure {
        guard case .invalidValue(_, let context)? = error as? EncodingError else {
            return CodingFailure(
                path: text(of: path), byteOffset: nil, reason: reason(error), underlying: error)
        }
        return CodingFailure(
            path: text(of: context.codingPath), byteOffset: nil,
            reason: "its type cannot write the value", underlying: error)
    }
}

extension CodingFailure {
    /// The error that a codec throws when reading failed for this reason.
    func asError(reading contentType: ContentType) -> MartletError {
        MartletError(
            .notDecodable,
            "The bytes cannot be read as \(contentType): \(description). Mend the sender, or read "
                + "them as what they are.", cause: self)
    }

    /// The error that a codec throws when writing failed for this reason.
    func asError(writing contentType: ContentType) -> MartletError {
        MartletError(
            .notEncodable,
            "The value cannot be written as \(contentType): \(description). Mend its "
                + "`encode(to:)`, or choose another codec.", cause: self)
    }
}

/// The key of a value in an array.
struct IndexKey: CodingKey {
    let index: Int

    init(_ index: Int) { self.index = index }

    init?(stringValue: String) { nil }
    init?(intValue: Int) { self.init(intValue) }

    var stringValue: String { "Index \(index)" }
    var intValue: Int? { index }
}

/// The key under which a class finds what its superclass wrote.
struct SuperKey: CodingKey {
    init() {}
    init?(stringValue: String) { nil }
    init?(intValue: Int) { nil }

    var stringValue: String { "super" }
    var intValue: Int? { nil }
}
