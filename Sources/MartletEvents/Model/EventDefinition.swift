/// What all events of one kind share, and what a frame therefore names once: topic, content type,
/// and where they differ from the defaults, type, schema and source.
public struct EventDefinition: Sendable, Hashable {
    /// What it says. Every event is read with one and many are compared: to copy it is to copy a
    /// reference, and one that is the same object is equal.
    private final class Fields: Sendable {
        let topic: Topic
        let stream: StreamName
        let contentType: ContentType?
        let type: String?
        let schema: String?
        let source: String?

        init(
            _ topic: Topic, _ contentType: ContentType?, _ type: String?, _ schema: String?,
            _ source: String?
        ) {
            self.topic = topic
            stream = topic.stream
            self.contentType = contentType
            self.type = type
            self.schema = schema
            self.source = source
        }
    }

    private let fields: Fields

    /// Where the events are addressed to.
    public var topic: Topic { fields.topic }
    /// What their payloads are.
    public var contentType: ContentType? { fields.contentType }
    /// The CloudEvents `type`; nil where it is the topic.
    public var type: String? { fields.type }
    /// The CloudEvents `dataschema`.
    public var schema: String? { fields.schema }
    /// The CloudEvents `source`; nil where it is the node, `martlet:<node id>`.
    public var source: String? { fields.source }
    /// The stream of the topic.
    package var stream: StreamName { fields.stream }

    /// A kind of event. Type, schema and source must be texts that CloudEvents allows, not empty.
    public init(
        topic: Topic, contentType: ContentType? = nil, type: String? = nil, schema: String? = nil,
        source: String? = nil
    ) throws(MartletError) {
        if let type { try AttributeText.check(type, of: "type") }
        if let schema { try AttributeText.check(schema, of: "dataschema") }
        if let source { try AttributeText.check(source, of: "source") }
        // By their bytes: texts that only look the same stay what they are.
        let type = type.flatMap { $0.utf8.elementsEqual(topic.text.utf8) ? nil : $0 }
        fields = Fields(topic, contentType, type, schema, source)
    }

    /// The kind of an event type.
    public init<E: Event>(of type: E.Type, topic: Topic = E.topic) throws(MartletError) {
        try self.init(
            topic: topic, contentType: E.contentType, type: E.eventType, schema: E.schema)
    }
}

extension EventDefinition {
    /// Whether both have the same bytes in all their texts.
    public static func == (left: EventDefinition, right: EventDefinition) -> Bool {
        left.fields === right.fields || left.hasTexts(of: right)
    }

    private func hasTexts(of other: EventDefinition) -> Bool {
        topic == other.topic && EventDefinition.isSame(contentType?.text, other.contentType?.text)
            && EventDefinition.isSame(type, other.type)
            && EventDefinition.isSame(schema, other.schema)
            && EventDefinition.isSame(source, other.source)
    }

    private static func isSame(_ left: String?, _ right: String?) -> Bool {
        guard let left, let right else { return left == nil && right == nil }
        return TextBytes.isEqual(left, right)
    }

    /// Hashes the topic, the type and the source. Texts that only look the same hash the same.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(topic)
        hasher.combine(type)
        hasher.combine(source)
        hasher.combine(schema)
    }
}
