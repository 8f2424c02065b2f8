import FoundationEssentials

/// Payloads that are bytes already: `Bytes`, `Data` and `[UInt8]`, as they are.
public struct BytesCodec: Codec {
    /// `application/octet-stream`, unless it is given another name.
    public let contentType: ContentType

    /// A codec of bytes, under the name of what they are to those who understand them.
    public init(contentType: ContentType = .bytes) { self.contentType = contentType }

    /// Appends the bytes as they are.
    public func encode<Value: Encodable>(
        _ value: Value, into buffer: inout EncodingBuffer
    ) throws(MartletError) {
        switch value {
        case let bytes as Bytes:
            try bytes.withBytes { (span) throws(MartletError) in try buffer.append(span) }
        case let bytes as [UInt8]: unsafe try buffer.append(bytes.span.bytes)
        case let data as Data: try buffer.append(data.bytes)
        default:
            throw CodingFailure(
                path: "", byteOffset: nil, reason: "it is neither Bytes nor Data nor [UInt8]"
            ).asError(writing: contentType)
        }
    }

    /// Copies the bytes into a value of one of the three types.
    public func decode<Value: Decodable>(
        _ type: Value.Type, from bytes: RawSpan
    ) throws(MartletError) -> Value {
        let value: Any? =
            if type == Bytes.self {
                Bytes(copying: bytes)
            } else if type == [UInt8].self {
                unsafe bytes.withUnsafeBytes { unsafe Array($0) }
            } else if type == Data.self {
                unsafe bytes.withUnsafeBytes { unsafe Data($0) }
            } else {
                nil
            }
        guard let value = value as? Value else {
            throw CodingFailure(
                path: "", byteOffset: 0,
                reason: "they are bytes, and no \(type) can be made of them"
            ).asError(reading: contentType)
        }
        return value
    }
}

/// Payloads that are texts: `String`, in UTF-8.
public struct TextCodec: Codec {
    /// A codec of texts.
    public init() {}

    /// `text/plain;charset=utf-8`.
    public var contentType: ContentType { .text }

    /// Appends the text.
    public func encode<Value: Encodable>(
        _ value: Value, into buffer: inout EncodingBuffer
    ) throws(MartletError) {
        guard let text = value as? String else {
            throw CodingFailure(path: "", byteOffset: nil, reason: "it is no String")
                .asError(writing: contentType)
        }
        unsafe try buffer.append(text.utf8Span.span.bytes)
    }

    /// Reads a `String`; it throws when the bytes are not UTF-8.
    public func decode<Value: Decodable>(
        _ type: Value.Type, from bytes: RawSpan
    ) throws(MartletError) -> Value {
        let text = unsafe bytes.withUnsafeBytes { unsafe Text.string($0, 0..<$0.count) }
        guard let text else {
            throw CodingFailure(path: "", byteOffset: 0, reason: "they are not UTF-8")
                .asError(reading: contentType)
        }
        guard let value = text as? Value else {
            throw CodingFailure(
                path: "", byteOffset: 0, reason: "they are a text, and no \(type) can be made of it"
            ).asError(reading: contentType)
        }
        return value
    }
}

extension Codec {
    /// Codecs without fields cannot write a type that consists of fields.
    public func encode(
        directly value: some DirectlyCodable, into buffer: inout EncodingBuffer
    ) throws(MartletError) {
        throw CodingFailure(
            path: "", byteOffset: nil, reason: "the format has no fields that a type could write"
        ).asError(writing: contentType)
    }

    /// Codecs without fields cannot read a type that consists of fields.
    public func decode<Value: DirectlyCodable>(
        directly type: Value.Type, from bytes: RawSpan
    ) throws(MartletError) -> Value {
        throw CodingFailure(
            path: "", byteOffset: 0, reason: "the format has no fields that a type could read"
        ).asError(reading: contentType)
    }
}
