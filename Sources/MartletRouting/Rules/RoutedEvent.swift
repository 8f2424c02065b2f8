/// An event on its way through rules: the original, and what they have changed about it.
public struct RoutedEvent: Sendable {
    enum Original: Sendable {
        case recorded(RecordedEvent)
        case other(CloudEvent)
    }

    /// The extension that says how often an event has been sent on.
    static let hops = AttributeName(stringLiteral: "hops")

    let original: Original
    /// Where it goes.
    public internal(set) var topic: Topic
    /// The rule that sent it there; nil where it is the original's own topic.
    public internal(set) var rule: String?
    /// Attributes that differ from the original's; nil for those that were removed.
    private(set) var changes: [EventField: AttributeValue?] = [:]

    init(_ original: Original, _ topic: Topic) {
        self.original = original
        self.topic = topic
    }

    /// Changes an attribute. The subject and the key are texts, whatever they are set to.
    mutating func change(_ field: EventField, to value: AttributeValue?) {
        let isText = field.kind == .subject || field.kind == .key
        changes[field] = .some(isText ? value.map { .string($0.canonicalText) } : value)
    }

    /// How many bytes more the changes may make of the event, with what a new topic takes.
    var changedByteCount: Int {
        let changed = changes.reduce(0) { sum, change in
            sum + change.key.name.utf8.count + (change.value?.canonicalText.utf8.count ?? 0) + 16
        }
        // The sequence of the stream that it comes from stays behind.
        return changed + (changes.isEmpty ? 0 : Limits.topicBytesMax)
    }

    /// Whether it is the original as it came.
    public var isUnchanged: Bool { rule == nil && changes.isEmpty }

    /// The attributes that rules have changed, in the order of their names; nil for those that
    /// they have removed.
    public var changedAttributes: [(field: EventField, value: AttributeValue?)] {
        changes.sorted { $0.key.name < $1.key.name }.map { (field: $0.key, value: $0.value) }
    }

    /// Whether the event with its changes has no more attributes than an event may have.
    var hasRoom: Bool {
        let attributes =
            switch original {
            case .recorded(let event): event.attributes
            case .other(let event): event.attributes
            }
        var names = Set(
            attributes.extensions.map(\.name).filter(EventAttributes.counts).map(\.text))
        for (field, value) in changes where field.kind == .attribute {
            if value == nil { names.remove(field.name) } else { names.insert(field.name) }
        }
        return names.count <= Limits.attributesMax
    }

    /// The event as it goes on: source, id and payload are the original's.
    public func cloudEvent() throws(MartletError) -> CloudEvent {
        let event: CloudEvent
        switch original {
        case .recorded(let recorded):
            event = try recorded.cloudEvent()
            guard !isUnchanged else { return event }
            var attributes = event.attributes
            // The number in the stream that it comes from, which it does not take along.
            if recorded.attribute(.sequence) == nil { try attributes.set(.sequence, to: nil) }
            return try event.with(changed(attributes, event.type))
        case .other(let other): event = other
        }
        guard !isUnchanged else { return event }
        return try event.with(changed(event.attributes, event.type))
    }

    private func changed(
        _ original: EventAttributes, _ type: String
    ) throws(MartletError) -> EventAttributes {
        var attributes = original
        // First what goes, which makes room.
        for (field, value) in changedAttributes.sorted(by: { $0.value == nil && $1.value != nil }) {
            if field.kind == .subject {
                try attributes.setSubject(value?.canonicalText)
            } else {
                try attributes.set(AttributeName(field.name), to: value)
            }
        }
        try attributes.set(.topic, to: type == topic.text ? nil : .string(topic.text))
        return attributes
    }
}

/// What became of an event.
public struct RoutingDecision: Sendable {
    /// Where the event goes, each topic once, in the order in which the rules sent it; its own
    /// topic comes last. Empty if it was dropped.
    public internal(set) var outputs: [RoutedEvent] = []
    /// The rules that applied, in their order.
    public internal(set) var rules: [String] = []
    /// The rules that matched and could not do what they say, since the event has been sent on too
    /// often, or has no room for what they would change. They did nothing. Where one was to send
    /// the event elsewhere, it stays where it is, even if another rule drops it.
    public internal(set) var refused: [String] = []
}

/// An event as the rules before have left it.
struct RoutedSource<Base: FieldSource>: FieldSource {
    let base: Base
    let routed: RoutedEvent

    var fieldBytes: Bytes { base.fieldBytes }
    var extensionCount: Int { base.extensionCount }
    var byteCount: Int { base.byteCount }

    func operand(for field: EventField) -> Operand? {
        if field.kind == .topic { return .text(routed.topic.text) }
        if let change = routed.changes[field] { return change.map { Operand($0) } }
        return base.operand(for: field)
    }

    func payloadReader() throws(MartletError) -> PayloadReader? { try base.payloadReader() }
}
