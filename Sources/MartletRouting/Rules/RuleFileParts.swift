// Values of a file of rules, each of which says for itself what is wrong with it: the error then
// names the place of the value.

/// One of the cases of an enumeration.
struct Choice<Value: RawRepresentable & CaseIterable>: Decodable where Value.RawValue == String {
    let choice: Value

    init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        guard let choice = Value(rawValue: text) else {
            let all = Value.allCases.map { "`\($0.rawValue)`" }.joined(separator: " or ")
            throw MartletError(
                .invalidExpression, "It is \(all), not `\(text.prefix(40))`.")
        }
        self.choice = choice
    }
}

/// How many partitions streams have.
struct PartitionCount: Decodable {
    let count: Int

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let count = try? container.decode(Int.self) else {
            throw MartletError(.invalidExpression, "`partitions` is a whole number.")
        }
        _ = try Partitioning(count)
        self.count = count
    }
}

/// Where keys are found.
struct KeyPlace: Decodable {
    let source: Partitioning.KeySource

    init(from decoder: any Decoder) throws {
        source = try Partitioning.KeySource(
            decoder.singleValueContainer().decode(String.self))
    }
}

/// Patterns of topics in an array.
struct Patterns: Decodable {
    let patterns: [TopicPattern]

    init(from decoder: any Decoder) throws {
        guard let texts = try? decoder.singleValueContainer().decode([String].self) else {
            throw MartletError(
                .invalidExpression,
                "Patterns of topics must stand here in [ ], as in [\"orders.>\"].")
        }
        patterns = try texts.map { try TopicPattern($0) }
    }
}

extension Decoder {
    /// A container that has no other keys than these.
    func container(
        of keys: [String], in what: String
    ) throws -> KeyedDecodingContainer<NameKey> {
        let container = try container(keyedBy: NameKey.self)
        let unknown = container.allKeys.first { !keys.contains($0.stringValue) }
        if let unknown {
            throw MartletError(
                .invalidExpression,
                "`\(unknown.stringValue.prefix(40))` means nothing in \(what). It may have "
                    + keys.joined(separator: ", ") + ".")
        }
        return container
    }
}

extension KeyedDecodingContainer<NameKey> {
    /// The value under a key, if the key is there; null is no value.
    func optional<Value: Decodable>(_ name: String, _ type: Value.Type) throws -> Value? {
        contains(NameKey(name)) ? try decode(type, forKey: NameKey(name)) : nil
    }

    /// The value under a key, if there is one.
    func value<Value: Decodable>(_ name: String, _ type: Value.Type) throws -> Value? {
        try decodeIfPresent(type, forKey: NameKey(name))
    }
}
