/// A value of a type that MessagePack leaves to applications: kept as it is, in either direction.
///
/// Other formats have no such values: JSON and CBOR cannot write one.
public struct MessagePackExtension: Sendable, Hashable, Codable {
    /// Which type: 0 to 127 are for applications, -1 is the timestamp.
    public let type: Int8
    /// What the application put there.
    public let data: Bytes

    /// A value of an application's own type.
    public init(type: Int8, data: Bytes) {
        self.type = type
        self.data = data
    }

    /// Only Martlet's MessagePack codec can read one; it does not come here.
    public init(from decoder: any Decoder) throws {
        throw DecodingError.typeMismatch(
            MessagePackExtension.self,
            .init(
                codingPath: decoder.codingPath,
                debugDescription: "an extension value can only be read from MessagePack"))
    }

    /// Only Martlet's MessagePack codec can write one; it does not come here.
    public func encode(to encoder: any Encoder) throws {
        throw EncodingError.invalidValue(
            self,
            .init(
                codingPath: encoder.codingPath,
                debugDescription: "an extension value can only be written to MessagePack"))
    }
}

extension Bytes: Codable {
    /// Bytes in the form of the codec: a byte string, or base64 where there are only texts.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let value = container as? ValueDecoder {
            self = try value.decode(Bytes.self)
            return
        }
        guard let bytes = Base64.decode(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "the text is not base64")
        }
        self = bytes
    }

    /// Writes a byte string, or base64 where there are only texts.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let known = container as? ValueEncoder {
            try known.encode(self)
        } else {
            try container.encode(Base64.encode(self))
        }
    }
}
