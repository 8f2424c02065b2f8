/// An event as CloudEvents 1.0 describes it, in no frame: what comes from and goes to other
/// systems.
public struct CloudEvent: Sendable, Hashable {
    /// The id, unique within the source.
    public let id: String
    /// Who produced the event, a URI reference.
    public let source: String
    /// What kind of thing happened.
    public let type: String
    /// When it happened.
    public let time: Timestamp?
    /// The time as its producer wrote it, perhaps in another time zone; that is how it goes on.
    public let timeText: String?
    /// What the data is. Data without a content type is JSON.
    public let contentType: ContentType?
    /// A URI of the schema that the data adheres to.
    public let schema: String?
    /// The subject and the extensions.
    public let attributes: EventAttributes
    /// The data, in the form that the content type names.
    public let data: Bytes?

    /// An event. It throws `invalidAttribute` when a value is empty or not allowed.
    public init(
        id: String, source: String, type: String, time: Timestamp? = nil,
        contentType: ContentType? = nil, schema: String? = nil,
        attributes: EventAttributes = EventAttributes(), data: Bytes? = nil
    ) throws(MartletError) {
        try self.init(
            id: id, source: source, type: type, time: time, timeText: time?.description,
            contentType: contentType, schema: schema, attributes: attributes, data: data)
    }

    /// The same, with the text that `time` was read from.
    init(
        id: String, source: String, type: String, time: Timestamp?, timeText: String?,
        contentType: ContentType?, schema: String?, attributes: EventAttributes, data: Bytes?
    ) throws(MartletError) {
        try AttributeText.check(id, of: "id")
        try AttributeText.check(source, of: "source")
        try AttributeText.check(type, of: "type")
        if let schema { try AttributeText.check(schema, of: "dataschema") }
        self.id = id
        self.source = source
        self.type = type
        self.time = time
        self.timeText = timeText
        self.contentType = contentType
        self.schema = schema
        self.attributes = attributes
        self.data = data
    }

    /// What identifies the event for ever and everywhere.
    public var eventID: EventID { EventID(source: source, id: id) }

    /// What the event must stay in order with.
    public var key: String? { attributes[.partitionKey]?.canonicalText }

    /// Where the event is addressed to: the extension `topic`, or else the type. It throws
    /// `invalidTopic` when that is no topic.
    public func topic() throws(MartletError) -> Topic {
        try Topic(attributes[.topic]?.canonicalText ?? type)
    }
}

extension CloudEvent {
    /// The event with other attributes.
    package func with(_ attributes: EventAttributes) throws(MartletError) -> CloudEvent {
        try CloudEvent(
            id: id, source: source, type: type, time: time, timeText: timeText,
            contentType: contentType, schema: schema, attributes: attributes, data: data)
    }

    /// Whether both say the same. One moment may be written in several ways.
    public static func == (left: CloudEvent, right: CloudEvent) -> Bool {
        left.eventID == right.eventID && left.type == right.type && left.time == right.time
            && left.contentType == right.contentType && left.schema == right.schema
            && left.attributes == right.attributes && left.data == right.data
    }

    /// Hashes what identifies the event.
    public func hash(into hasher: inout Hasher) { hasher.combine(eventID) }
}

extension RecordedEvent {
    /// The event as CloudEvents describes it. The key becomes the extension `partitionkey`, the
    /// sequence the extension `sequence` in twenty digits, and the topic the extension `topic`
    /// where the type is something else.
    public func cloudEvent() throws(MartletError) -> CloudEvent {
        var attributes = attributes
        if attributes[.sequence] == nil, attributes.countedExtensions < Limits.attributesMax {
            let digits = String(sequence)
            let zeros = String(repeating: "0", count: 20 - digits.count)
            try attributes.set(.sequence, to: .string(zeros + digits))
        }
        if let key { try attributes.set(.partitionKey, to: .string(key)) }
        if type != topic.text {
            try attributes.set(.topic, to: .string(topic.text))
        }
        return try CloudEvent(
            id: id, source: source, type: type, time: time, contentType: contentType,
            schema: schema, attributes: attributes, data: payloadByteCount > 0 ? payload : nil)
    }
}

extension FrameBuilder {
    /// Appends an event that came from elsewhere, under its own source and id, and returns its
    /// number; nil if the frame must be sealed first. An event without a time gets this one.
    public mutating func append(
        _ event: CloudEvent, at time: Timestamp
    ) throws(MartletError) -> UInt64? {
        let definition = try EventDefinition(
            topic: event.topic(), contentType: event.contentType, type: event.type,
            schema: event.schema, source: event.source)
        guard let number = try define(definition) else { return nil }
        var attributes = event.attributes
        try attributes.set(.topic, to: nil)
        return try append(
            as: number, at: event.time ?? time, key: event.key, id: event.id,
            attributes: attributes
        ) { (buffer) throws(MartletError) in
            try event.data?.withBytes { (data) throws(MartletError) in try buffer.append(data) }
        }
    }
}
