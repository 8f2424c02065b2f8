/// What an expression, a filter or a partitioning can ask an event for by name: what CloudEvents
/// gives every event, and the extensions.
///
/// `topic` and `partitionkey` can be asked for as extensions, wherever an event keeps them.
public struct EventField: Sendable, Hashable {
    enum Kind: UInt8, Sendable {
        case id, source, specVersion, type, contentType, schema, subject, time, topic, key
        case attribute
    }

    /// The name, as in `datacontenttype`.
    public let name: String
    let kind: Kind

    /// The field of this name. It throws `invalidAttribute` if no attribute can have the name.
    public init(_ name: String) throws(MartletError) {
        guard name != "data" else {
            throw MartletError(
                .invalidAttribute,
                "`data` is the payload and no attribute. Name a value in it by a payload path, "
                    + "such as `data.customer.id`.")
        }
        if let kind = EventField.kinds[name] {
            self.init(name, kind)
        } else {
            self.init(try AttributeName(name).text, .attribute)
        }
    }

    /// The extension of this name.
    public init(_ name: AttributeName) {
        self.init(name.text, EventField.kinds[name.text] ?? .attribute)
    }

    private init(_ name: String, _ kind: Kind) {
        self.name = name
        self.kind = kind
    }

    /// The field that an expression means by a name, which may be one that no event can have.
    init(unchecked name: String) {
        self.init(name, EventField.kinds[name] ?? .attribute)
    }

    private static let kinds: [String: Kind] = [
        "id": .id, "source": .source, "specversion": .specVersion, "type": .type,
        "datacontenttype": .contentType, "dataschema": .schema, "subject": .subject, "time": .time,
        "topic": .topic, "partitionkey": .key,
    ]

    /// Whether every event has it.
    var isAlwaysThere: Bool {
        switch kind {
        case .id, .source, .specVersion, .type: true
        default: false
        }
    }
}

extension EventField: ExpressibleByStringLiteral {
    /// A name written in code; it traps when no attribute can have it.
    public init(stringLiteral name: String) {
        do { try self.init(name) } catch { preconditionFailure(error.message) }
    }
}

extension EventField: CustomStringConvertible {
    /// The name.
    public var description: String { name }
}
