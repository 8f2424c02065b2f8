/// The codecs that a node knows, found by content type, so that senders may differ.
public struct CodecSet: Sendable {
    private var codecs: [String: any Codec] = [:]

    /// JSON, MessagePack, CBOR, bytes and UTF-8 text, under all names in use for them.
    public static let standard: CodecSet = {
        var set = CodecSet()
        set.add(JSONCodec(), alsoFor: ["text/json"])
        set.add(MessagePackCodec(), alsoFor: ["application/msgpack", "application/x-msgpack"])
        set.add(CBORCodec())
        set.add(BytesCodec())
        set.add(TextCodec())
        return set
    }()

    /// None.
    public init() {}

    /// Adds a codec for its content type and for others, in place of those that were there.
    public mutating func add(_ codec: any Codec, alsoFor others: [ContentType] = []) {
        for contentType in [codec.contentType] + others { codecs[contentType.mediaType] = codec }
    }

    /// The codec for a content type, whose parameters do not matter. Types that end in `+json` or
    /// `+cbor` have the codec of JSON or CBOR unless they have one of their own. Without a content
    /// type, CloudEvents has it that payloads are JSON.
    public func codec(for contentType: ContentType?) -> (any Codec)? {
        guard let mediaType = contentType?.mediaType else {
            return codecs[ContentType.json.mediaType]
        }
        if let codec = codecs[mediaType] { return codec }
        if mediaType.hasSuffix("+json") { return codecs[ContentType.json.mediaType] }
        if mediaType.hasSuffix("+cbor") { return codecs[ContentType.cbor.mediaType] }
        return nil
    }

    /// The same, but that it throws where there is none.
    public func require(_ contentType: ContentType?) throws(MartletError) -> any Codec {
        if let codec = codec(for: contentType) { return codec }
        throw MartletError(
            .notSupported,
            "There is no codec for `\(contentType?.text ?? "")`. Add one to the codecs that you "
                + "read with, or have the sender use JSON, MessagePack or CBOR.")
    }
}

extension RecordedEvent {
    /// Reads the payload with the codec of its content type.
    public func decode<Value: Decodable>(
        as type: Value.Type, with codecs: CodecSet = .standard
    ) throws(MartletError) -> Value {
        let codec = try codecs.require(contentType)
        return try withPayload { (payload) throws(MartletError) in
            try codec.decode(type, from: payload)
        }
    }

    /// Reads the payload of a type that reads itself.
    public func decode<Value: DirectlyCodable>(
        directly type: Value.Type, with codecs: CodecSet = .standard
    ) throws(MartletError) -> Value {
        let codec = try codecs.require(contentType)
        return try withPayload { (payload) throws(MartletError) in
            try codec.decode(directly: type, from: payload)
        }
    }
}
