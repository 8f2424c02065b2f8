/// What a rule made of an event, and why.
public struct RuleReport: Sendable, Hashable {
    /// What a rule can make of an event.
    public enum Outcome: String, Sendable, Hashable {
        /// It applied.
        case matched
        /// It is not about the event's topic.
        case otherTopic
        /// Its filter did not let the event pass.
        case filteredOut
        /// It matched and could not do what it says.
        case refused
        /// A rule before it ended the walk.
        case notReached
    }

    /// The rule's name.
    public let rule: String
    /// What it made of the event.
    public let outcome: Outcome
    /// Why, in words.
    public let reason: String

    static func make(
        _ rule: Rule, _ isMatch: Bool, _ obstacle: String?, _ topic: Topic,
        _ source: some FieldSource, _ payload: inout PayloadCache
    ) -> RuleReport {
        guard rule.isAbout(topic) else {
            return RuleReport(
                rule: rule.name, outcome: .otherTopic,
                reason: "`\(topic)` is not meant by \(names(of: rule.topics))")
        }
        if let obstacle {
            return RuleReport(rule: rule.name, outcome: .refused, reason: obstacle)
        }
        let reason = rule.filter?.reason(for: source, &payload) ?? "it has no filter"
        return RuleReport(
            rule: rule.name, outcome: isMatch ? .matched : .filteredOut, reason: reason)
    }
}

extension RuleReport {
    /// Up to three patterns, and how many others there are.
    private static func names(of patterns: [TopicPattern]) -> String {
        let named = patterns.prefix(3).map { "`\($0)`" }.joined(separator: ", ")
        return patterns.count > 3 ? "\(named) and \(patterns.count - 3) others" : named
    }
}

/// Why an event goes where it goes.
public struct RouteExplanation: Sendable {
    /// What every rule made of the event, in their order.
    public let rules: [RuleReport]
    /// What becomes of the event.
    public let decision: RoutingDecision
    /// The lane of the event in the stream of each output, by the partitioning that was given.
    public let lanes: [Int]
    /// For each output, those of the patterns that were given which mean its topic.
    public let patterns: [[TopicPattern]]
}

extension RuleTable {
    /// What every rule makes of an event and why, and which lanes and patterns it would reach.
    public func explain(
        _ event: RecordedEvent, partitioning: Partitioning? = nil, patterns: [TopicPattern] = []
    ) -> RouteExplanation {
        explain(
            event, RoutedEvent(.recorded(event), event.topic), partitioning, patterns)
    }

    /// What every rule makes of an event and why, and which lanes and patterns it would reach. It
    /// throws `invalidTopic` when neither its extension `topic` nor its type is a topic.
    public func explain(
        _ event: CloudEvent, partitioning: Partitioning? = nil, patterns: [TopicPattern] = []
    ) throws(MartletError) -> RouteExplanation {
        explain(
            event, RoutedEvent(.other(event), try event.topic()), partitioning, patterns)
    }

    private func explain(
        _ base: some FieldSource, _ event: RoutedEvent, _ partitioning: Partitioning?,
        _ patterns: [TopicPattern]
    ) -> RouteExplanation {
        var reports: [RuleReport] = []
        var walk = RuleWalk(self, event, of: base)
        let decision = walk.run(over: base) { reports.append($0) }
        var payload = PayloadCache()
        let lanes =
            partitioning.map { partitioning in
                decision.outputs.map { output in
                    partitioning.lane(of: RoutedSource(base: base, routed: output), &payload)
                }
            } ?? []
        return RouteExplanation(
            rules: reports, decision: decision, lanes: lanes,
            patterns: decision.outputs.map { output in
                patterns.filter { $0.matches(output.topic) }
            })
    }
}
