/// What an event says about itself beyond its topic, key and payload: a subject and extensions.
///
/// The rest of what CloudEvents asks of every event has a place of its own: `id`, `source` and
/// `time` are given by the node unless you give them, `type`, `datacontenttype` and `dataschema`
/// belong to the kind of event.
public struct EventAttributes: Sendable, Hashable {
    /// What the event is about, within its source: the name of an object, of a row.
    public private(set) var subject: String?

    /// The extensions in the order of their names.
    public private(set) var extensions: [(name: AttributeName, value: AttributeValue)] = []

    /// None.
    public init() {}

    /// These extensions; it throws when a value is not allowed.
    public init(
        subject: String? = nil, _ extensions: KeyValuePairs<AttributeName, AttributeValue> = [:]
    ) throws(MartletError) {
        if let subject { try setSubject(subject) }
        for (name, value) in extensions { try set(name, to: value) }
    }

    /// Whether there is neither a subject nor an extension.
    public var isEmpty: Bool { subject == nil && extensions.isEmpty }

    /// The value of an extension.
    public subscript(name: AttributeName) -> AttributeValue? {
        let place = place(of: name)
        guard place < extensions.count, extensions[place].name == name else { return nil }
        return extensions[place].value
    }

    /// Gives a value to an extension, or takes it away with nil. The key and the topic have places
    /// of their own in a frame, and do not count towards the limit.
    public mutating func set(
        _ name: AttributeName, to value: AttributeValue?
    ) throws(MartletError) {
        let place = place(of: name)
        let isThere = place < extensions.count && extensions[place].name == name
        guard let value else {
            if isThere { extensions.remove(at: place) }
            return
        }
        try value.check(as: name)
        if name == .partitionKey { try EventAttributes.checkKey(value.canonicalText) }
        if isThere {
            extensions[place].value = value
        } else {
            guard !EventAttributes.counts(name) || countedExtensions < Limits.attributesMax else {
                throw EventAttributes.tooMany
            }
            extensions.insert((name, value), at: place)
        }
    }

    /// Whether an extension counts towards the limit.
    package static func counts(_ name: AttributeName) -> Bool {
        name != .partitionKey && name != .topic
    }

    /// How many extensions count towards the limit.
    package var countedExtensions: Int {
        guard extensions.count >= Limits.attributesMax else { return extensions.count }
        return extensions.count { EventAttributes.counts($0.name) }
    }

    /// Says what the event is about, or no longer with nil.
    public mutating func setSubject(_ subject: String?) throws(MartletError) {
        if let subject { try AttributeText.check(subject, of: "subject") }
        self.subject = subject
    }

    static var tooMany: MartletError {
        MartletError(
            .invalidAttribute,
            "An event has at most \(Limits.attributesMax) extension attributes. Put the rest into "
                + "the payload.")
    }

    static func checkKey(_ key: String) throws(MartletError) {
        try AttributeText.check(key, of: "partitionkey")
    }

    /// Where the name stands, or would stand.
    private func place(of name: AttributeName) -> Int {
        extensions.firstIndex { $0.name >= name } ?? extensions.count
    }

    /// Adds what a frame holds, which comes checked and in order.
    mutating func appendChecked(_ name: AttributeName, _ value: AttributeValue) {
        extensions.append((name, value))
    }

    mutating func setCheckedSubject(_ subject: String) { self.subject = subject }

    /// Whether both hold the same.
    public static func == (left: EventAttributes, right: EventAttributes) -> Bool {
        left.subject == right.subject && left.extensions.elementsEqual(right.extensions, by: ==)
    }

    /// Hashes the subject and the extensions.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(subject)
        for (name, value) in extensions {
            hasher.combine(name)
            hasher.combine(value)
        }
    }
}

extension EventAttributes {
    /// The trace that the event belongs to (W3C Trace Context).
    public var traceParent: String? { self[.traceParent]?.canonicalText }
    /// What vendors add to the trace.
    public var traceState: String? { self[.traceState]?.canonicalText }
    /// What connects the events of one business transaction.
    public var correlationID: String? { self[.correlationID]?.canonicalText }
    /// The id of the event that caused this one.
    public var causationID: String? { self[.causationID]?.canonicalText }
    /// Where the payload lies, if it does not travel along.
    public var dataReference: String? { self[.dataReference]?.canonicalText }

    /// When the event stops being of use. Nil too where the text is not a moment.
    public var expiryTime: Timestamp? {
        switch self[.expiryTime] {
        case .timestamp(let moment)?: moment
        case .string(let text)?: Timestamp(text)
        default: nil
        }
    }
}
