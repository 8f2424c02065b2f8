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
    var changes: [EventField: AttributeValue?] = [:]

    init(_ original: Original, _ topic: Topic) {
        self.original = original
        self.topic = topic
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
        var names = Set(attributes.extensions.map(\.name.text))
        names.subtract(["topic", "partitionkey"])
        for (field, value) in changes where field.kind == .attribute {
            if value == nil { names.remove(field.name) } else { names.insert(field.name) }
        }
        return names.count <= Limits.attributesMax
    }

    /// The event as it goes on: source, id and payload are the original's.
    public func cloudEvent() throws(MartletError) -> CloudEvent {
        let event: CloudEvent =
            switch original {
            case .recorded(let event): try event.cloudEvent()
            case .other(let event): event
            }
        guard !isUnchanged else { return event }
        var attributes = event.attributes
        for (field, value) in changes {
            if field.kind == .subject {
                try attributes.setSubject(value?.canonicalText)
            } else {
                try attributes.set(unbounded: AttributeName(field.name), to: value)
            }
        }
        let isNamedByType = event.type == topic.text
        try attributes.set(unbounded: .topic, to: isNamedByType ? nil : .string(topic.text))
        return try event.with(attributes)
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
    /// often, or has no room for another attribute. They did nothing, and the event stays where it
    /// is, whatever other rules did.
    public internal(set) var refused: [String] = []
}

/// An event as the rules before have left it.
struct RoutedSource<Base: FieldSource>: FieldSource {
    let base: Base
    let routed: RoutedEvent

    var fieldBytes: Bytes { base.fieldBytes }
    var extensionCount: Int { base.extensionCount }

    func operand(for field: EventField) -> Operand? {
        if field.kind == .topic { return .text(routed.topic.text) }
        if let change = routed.changes[field] { return change.map { Operand($0) } }
        return base.operand(for: field)
    }

    func payloadReader() throws(MartletError) -> PayloadReader? { try base.payloadReader() }
}
