/// What all events of one kind share, and what a frame therefore names once: topic, content type,
/// and where they differ from the defaults, type, schema and source.
public struct EventDefinition: Sendable, Hashable {
    /// Where the events are addressed to.
    public let topic: Topic
    /// What their payloads are.
    public let contentType: ContentType?
    /// The CloudEvents `type`; nil where it is the topic.
    public let type: String?
    /// The CloudEvents `dataschema`.
    public let schema: String?
    /// The CloudEvents `source`; nil where it is the node, `martlet:<node id>`.
    public let source: String?

    /// A kind of event. Type, schema and source must be texts that CloudEvents allows, not empty.
    public init(
        topic: Topic, contentType: ContentType? = nil, type: String? = nil, schema: String? = nil,
        source: String? = nil
    ) throws(MartletError) {
        if let type { try AttributeText.check(type, of: "type") }
        if let schema { try AttributeText.check(schema, of: "dataschema") }
        if let source { try AttributeText.check(source, of: "source") }
        self.topic = topic
        self.contentType = contentType
        // By their bytes: texts that only look the same stay what they are.
        self.type = type.flatMap { $0.utf8.elementsEqual(topic.text.utf8) ? nil : $0 }
        self.schema = schema
        self.source = source
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
        left.topic == right.topic && isSame(left.contentType?.text, right.contentType?.text)
            && isSame(left.type, right.type) && isSame(left.schema, right.schema)
            && isSame(left.source, right.source)
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
