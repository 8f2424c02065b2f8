/// An event's way through a table.
struct RuleWalk {
    private let table: RuleTable
    private var event: RoutedEvent
    private var decision = RoutingDecision()
    private var isSentElsewhere = false
    private var isDropped = false

    init(table: RuleTable, _ event: RoutedEvent) {
        self.table = table
        self.event = event
    }

    /// Goes through the rules. What each of them did is told to `note`, where there is one.
    mutating func run(
        over base: some FieldSource, note: ((RuleReport) -> Void)? = nil
    ) -> RoutingDecision {
        var payload: PayloadReader?
        let hops = RuleWalk.hops(of: base)
        var end: String?
        for rule in table.rules {
            if let end {
                note?(RuleReport(rule: rule.name, outcome: .notReached, reason: end))
                guard note != nil else { break }
                continue
            }
            let source = RoutedSource(base: base, routed: event)
            let isMatch =
                rule.isAbout(event.topic) && (rule.filter?.holds(for: source, &payload) ?? true)
            if let note {
                note(RuleReport.make(rule, isMatch, event.topic, source, &payload))
            }
            guard isMatch else { continue }
            decision.rules.append(rule.name)
            end = apply(rule, hops)
        }
        finish()
        return decision
    }

    /// How often the event has been sent on. What cannot be read counts as too often.
    private static func hops(of source: some FieldSource) -> Int {
        guard let value = source.operand(for: EventField(RoutedEvent.hops)) else { return 0 }
        guard let hops = Int(source.text(of: value)), hops >= 0 else { return Limits.hopsMax }
        return hops
    }

    /// Does what the rule says, and returns why no other rule is looked at, if so.
    private mutating func apply(_ rule: Rule, _ hops: Int) -> String? {
        let isTooFar = hops >= Limits.hopsMax
        if isTooFar, !rule.targets.isEmpty { decision.refused.append(rule.name) }
        for action in rule.actions {
            switch action {
            case .send(let topics) where !isTooFar:
                send(to: topics, rule, hops)
                isSentElsewhere = true
            case .copy(let topics) where !isTooFar: send(to: topics, rule, hops)
            case .rename(let topic) where !isTooFar:
                event.topic = topic
                event.rule = rule.name
                event.changes[EventField(RoutedEvent.hops)] = .integer(Int32(hops + 1))
            case .send, .copy, .rename: break
            case .set(let field, let value): event.changes[field] = .some(value)
            case .drop:
                isDropped = true
                return "rule `\(rule.name)` dropped the event"
            case .stop: return "rule `\(rule.name)` stops"
            }
        }
        return table.match == .first ? "rule `\(rule.name)` matched first" : nil
    }

    private mutating func send(to topics: [Topic], _ rule: Rule, _ hops: Int) {
        for topic in topics {
            var copy = event
            copy.topic = topic
            copy.rule = rule.name
            copy.changes[EventField(RoutedEvent.hops)] = .integer(Int32(hops + 1))
            decision.outputs.append(copy)
        }
    }

    /// What no rule has sent elsewhere or dropped goes on under its own topic.
    private mutating func finish() {
        if !isSentElsewhere, !isDropped { decision.outputs.append(event) }
    }
}
