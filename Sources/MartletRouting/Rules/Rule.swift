/// What happens to the events that a filter lets pass.
public struct Rule: Sendable, Hashable {
    /// The name by which reports and errors know the rule.
    public let name: String
    /// The topics of the events that are looked at; all where there are none.
    public let topics: [TopicPattern]
    /// What an event must say; nothing where there is none.
    public let filter: Filter?
    /// What is done, in this order.
    public let actions: [RuleAction]

    /// A rule: events on any of these topics, when the filter lets them pass, then the actions.
    public init(
        _ name: String, topics: [TopicPattern] = [], when filter: Filter? = nil,
        then actions: RuleAction...
    ) {
        self.init(name, topics: topics, when: filter, then: actions)
    }

    /// The same with the actions in an array.
    public init(
        _ name: String, topics: [TopicPattern] = [], when filter: Filter? = nil,
        then actions: [RuleAction]
    ) {
        self.name = name
        self.topics = topics
        self.filter = filter
        self.actions = actions
        sends = !Rule.targets(of: actions).isEmpty
    }

    func isAbout(_ topic: Topic) -> Bool {
        topics.isEmpty || topics.contains { $0.matches(topic) }
    }

    /// Whether it sends events on.
    let sends: Bool

    /// Whether the event is no longer on its own topic behind it, but elsewhere.
    var takesAway: Bool {
        actions.contains { action in
            switch action {
            case .send, .rename: true
            case .copy, .set, .drop, .stop: false
            }
        }
    }

    /// The topics to which it sends events.
    var targets: [Topic] { Rule.targets(of: actions) }

    private static func targets(of actions: [RuleAction]) -> [Topic] {
        actions.flatMap { action -> [Topic] in
            switch action {
            case .send(let topics), .copy(let topics): topics
            case .rename(let topic): [topic]
            case .drop, .stop, .set: []
            }
        }
    }

    /// Why the rule cannot be meant so, if it cannot.
    var failure: String? {
        if name.isEmpty { return "a rule needs a name. Give it one." }
        if actions.isEmpty { return "it does nothing. Give it an action." }
        if name.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
            return "its name holds a control character. Take it out."
        }
        if targets.count > Limits.ruleTargetsMax || topics.count > Limits.ruleTargetsMax {
            return "it names more than \(Limits.ruleTargetsMax) topics. Split it up."
        }
        var seen: Set<Topic> = []
        if let twice = targets.first(where: { !seen.insert($0).inserted }) {
            return "it sends to `\(twice)` twice. Name it once."
        }
        if let ending = actions.dropLast().first(where: \.endsWay) {
            return "nothing can follow `\(ending.verb)`. Put it last."
        }
        return actions.lazy.compactMap(failure(of:)).first
    }

    private func failure(of action: RuleAction) -> String? {
        switch action {
        case .send(let topics), .copy(let topics):
            return topics.isEmpty ? "`\(action.verb)` names no topic. Name one." : nil
        case .set(let field, let value):
            guard [.attribute, .subject, .key].contains(field.kind) else {
                return "`\(field)` cannot be set: it belongs to the event's identity or kind. Set "
                    + "the subject, the key or an extension."
            }
            guard field.name != RoutedEvent.hops.text else {
                return "`hops` cannot be set: it is what ends loops."
            }
            return value.flatMap { failure(of: $0, for: field) }
        case .rename, .drop, .stop: return nil
        }
    }

    private func failure(of value: AttributeValue, for field: EventField) -> String? {
        var attributes = EventAttributes()
        do throws(MartletError) {
            if field.kind == .subject {
                try attributes.setSubject(value.canonicalText)
            } else {
                try attributes.set(AttributeName(field.name), to: value)
            }
            return nil
        } catch { return error.message }
    }
}

/// What a rule does with an event.
public enum RuleAction: Sendable, Hashable {
    /// It goes to these topics, and no longer to its own.
    case send([Topic])
    /// It goes to these topics as well.
    case copy([Topic])
    /// It goes to this topic, and no longer to its own; no other rule of the table looks at it.
    case rename(Topic)
    /// An attribute gets a value, or loses it with nil; later rules and what is sent from here on
    /// see the new value. The subject, the key and extensions can be set.
    case set(EventField, AttributeValue?)
    /// It goes nowhere that no rule has sent it to before, and no rule looks at it any more.
    case drop
    /// No rule looks at it any more.
    case stop

    /// To this topic instead of its own.
    public static func send(to topic: Topic) -> RuleAction { .send([topic]) }
    /// To this topic as well.
    public static func copy(to topic: Topic) -> RuleAction { .copy([topic]) }

    /// Whether no other rule, and no other action, comes behind it.
    var endsWay: Bool {
        switch self {
        case .rename, .drop, .stop: true
        case .send, .copy, .set: false
        }
    }

    var verb: String {
        switch self {
        case .send: "send"
        case .copy: "copy"
        case .rename: "rename"
        case .set: "set"
        case .drop: "drop"
        case .stop: "stop"
        }
    }
}

extension RuleAction: CustomStringConvertible {
    /// The action in words.
    public var description: String {
        let list = { (topics: [Topic]) in topics.map(\.text).joined(separator: ", ") }
        switch self {
        case .send(let topics): return "send to \(list(topics))"
        case .copy(let topics): return "copy to \(list(topics))"
        case .rename(let topic): return "rename to \(topic)"
        case .set(let field, let value?): return "set \(field) to \(value)"
        case .set(let field, nil): return "remove \(field)"
        case .drop: return "drop"
        case .stop: return "stop"
        }
    }
}
