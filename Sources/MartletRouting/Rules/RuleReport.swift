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
        _ rule: Rule, _ isMatch: Bool, _ topic: Topic, _ source: some FieldSource,
        _ payload: inout PayloadReader?
    ) -> RuleReport {
        guard rule.isAbout(topic) else {
            let patterns = rule.topics.map { "`\($0)`" }.joined(separator: " nor ")
            return RuleReport(
                rule: rule.name, outcome: .otherTopic,
                reason: "`\(topic)` is not \(rule.topics.count > 1 ? "neither " : "")\(patterns)")
        }
        let reason = rule.filter?.reason(for: source, &payload) ?? "it has no filter"
        return RuleReport(
            rule: rule.name, outcome: isMatch ? .matched : .filteredOut, reason: reason)
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
        var walk = RuleWalk(table: self, event)
        let decision = walk.run(over: base) { reports.append($0) }
        var payload: PayloadReader?
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
