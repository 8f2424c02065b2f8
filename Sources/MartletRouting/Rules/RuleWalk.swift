/// An event's way through a table.
///
/// Rules look at the event under its own topic. What they send on goes to each topic once, as the
/// first rule that sent it there left it, and meets rules again only there.
struct RuleWalk {
    private let table: RuleTable
    private var event: RoutedEvent
    private var decision = RoutingDecision()
    private let hops: Int
    private let extensionCount: Int
    private var isSentElsewhere = false
    private var isDropped = false

    init(_ table: RuleTable, _ event: RoutedEvent, of base: some FieldSource) {
        self.table = table
        self.event = event
        hops = RuleWalk.hops(of: base)
        extensionCount = base.extensionCount
    }

    /// Goes through the rules. What each of them did is told to `note`, where there is one.
    mutating func run(
        over base: some FieldSource, note: ((RuleReport) -> Void)? = nil
    ) -> RoutingDecision {
        var payload = PayloadCache()
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
            let obstacle = isMatch ? obstacle(to: rule) : nil
            if let note {
                note(RuleReport.make(rule, isMatch, obstacle, event.topic, source, &payload))
            }
            guard isMatch else { continue }
            if obstacle != nil {
                decision.refused.append(rule.name)
                continue
            }
            decision.rules.append(rule.name)
            end = apply(rule)
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

    /// Why a rule cannot do what it says with this event; it then does nothing at all.
    private func obstacle(to rule: Rule) -> String? {
        if rule.sends, hops >= Limits.hopsMax {
            return "the event has been sent on \(Limits.hopsMax) times"
        }
        var after = event
        for case .set(let field, let value) in rule.actions { after.changes[field] = .some(value) }
        if rule.sends { after.changes[EventField(RoutedEvent.hops)] = .some(.integer(1)) }
        // Each change may be one attribute more; only where that is too many do they count.
        guard extensionCount + after.changes.count > Limits.attributesMax else { return nil }
        return after.hasRoom ? nil : "the event has no room for another attribute"
    }

    /// Does what the rule says, and returns why no other rule is looked at, if so.
    private mutating func apply(_ rule: Rule) -> String? {
        for action in rule.actions {
            switch action {
            case .copy(let topics): send(to: topics, rule)
            case .send(let topics):
                send(to: topics, rule)
                isSentElsewhere = true
            case .rename(let topic):
                send(to: [topic], rule)
                isSentElsewhere = true
                return "rule `\(rule.name)` renamed the event"
            case .set(let field, let value): event.changes[field] = .some(value)
            case .drop:
                isDropped = true
                return "rule `\(rule.name)` dropped the event"
            case .stop: return "rule `\(rule.name)` stops"
            }
        }
        return table.match == .first ? "rule `\(rule.name)` matched first" : nil
    }

    private mutating func send(to topics: [Topic], _ rule: Rule) {
        for topic in topics where !decision.outputs.contains(where: { $0.topic == topic }) {
            var copy = event
            copy.topic = topic
            copy.rule = rule.name
            copy.changes[EventField(RoutedEvent.hops)] = .integer(Int32(hops + 1))
            decision.outputs.append(copy)
        }
    }

    /// What no rule has sent elsewhere or dropped goes on under its own topic. So does what a rule
    /// was to send on and could not, whatever others did: it would be nowhere else.
    private mutating func finish() {
        let isKept = !decision.refused.isEmpty || !isSentElsewhere && !isDropped
        guard isKept, !decision.outputs.contains(where: { $0.topic == event.topic }) else {
            return
        }
        decision.outputs.append(event)
    }
}
