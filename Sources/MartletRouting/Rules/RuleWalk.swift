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
    private let byteCount: Int
    /// A rule was to take the event elsewhere and could not.
    private var isHeldBack = false
    private var isSentElsewhere = false
    private var isDropped = false

    init(_ table: RuleTable, _ event: RoutedEvent, of base: some FieldSource) {
        self.table = table
        self.event = event
        hops = RuleWalk.hops(of: base)
        extensionCount = base.extensionCount
        byteCount = base.byteCount
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
            if obstacle == nil {
                decision.rules.append(rule.name)
                end = apply(rule)
            } else {
                decision.refused.append(rule.name)
                isHeldBack = isHeldBack || rule.takesAway
            }
            // It has matched, whether it could do what it says or not.
            if end == nil { end = self.end(behind: rule) }
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
        // What is dropped needs no room for what was set.
        guard rule.sends || rule.actions.last != .drop else { return nil }
        var after = event
        for case .set(let field, let value) in rule.actions { after.change(field, to: value) }
        if rule.sends { after.change(EventField(RoutedEvent.hops), to: .integer(1)) }
        guard byteCount + after.changedByteCount <= Limits.eventBytesMax else {
            return "the event would be larger than \(Limits.eventBytesMax) bytes"
        }
        // Each change may be one attribute more; only where that is too many do they count.
        guard extensionCount + after.changes.count > Limits.attributesMax else { return nil }
        return after.hasRoom ? nil : "the event has no room for another attribute"
    }

    /// Why no other rule is looked at behind one that matched.
    private func end(behind rule: Rule) -> String? {
        if let last = rule.actions.last, last.endsWay {
            return "rule `\(rule.name)` would \(last.verb) the event"
        }
        return table.match == .first ? "rule `\(rule.name)` matched first" : nil
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
            case .set(let field, let value): event.change(field, to: value)
            case .drop:
                isDropped = true
                return "rule `\(rule.name)` dropped the event"
            case .stop: return "rule `\(rule.name)` stops"
            }
        }
        return nil
    }

    private mutating func send(to topics: [Topic], _ rule: Rule) {
        for topic in topics where !decision.outputs.contains(where: { $0.topic == topic }) {
            var copy = event
            copy.topic = topic
            copy.rule = rule.name
            copy.change(EventField(RoutedEvent.hops), to: .integer(Int32(hops + 1)))
            decision.outputs.append(copy)
        }
    }

    /// What no rule has sent elsewhere or dropped goes on under its own topic. So does what a rule
    /// was to take elsewhere and could not, even if another drops it: it would be nowhere.
    private mutating func finish() {
        guard !isSentElsewhere, !isDropped || isHeldBack,
            !decision.outputs.contains(where: { $0.topic == event.topic })
        else { return }
        decision.outputs.append(event)
    }
}
