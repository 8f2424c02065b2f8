import MartletCore
import MartletEvents
import MartletRouting

/// An explanation for people, and for programs.
struct RouteReport: Encodable {
    let event: CloudEvent
    let partitioning: Partitioning?
    let explanation: RouteExplanation

    var text: String {
        var lines = ["\(event.id) on \((try? event.topic().text) ?? "")"]
        let width = explanation.rules.map(\.rule.count).max() ?? 0
        for report in explanation.rules {
            let name = report.rule + String(repeating: " ", count: width - report.rule.count)
            let outcome = report.outcome == .matched ? "+" : "-"
            lines.append("  \(outcome) \(name)  \(words(report))")
        }
        for (place, output) in explanation.decision.outputs.enumerated() {
            let rule = output.rule.map { "  by \($0)" } ?? ""
            lines.append("  > \(output.topic)\(lane(place))\(readers(place))\(rule)")
            let changes = output.changedAttributes.map { change in
                "\(change.field) \(change.value.map { "= \($0)" } ?? "removed")"
            }
            if !changes.isEmpty { lines.append("      " + changes.joined(separator: ", ")) }
        }
        if explanation.decision.outputs.isEmpty { lines.append("  > nowhere") }
        return lines.joined(separator: "\n")
    }

    private func words(_ report: RuleReport) -> String {
        switch report.outcome {
        case .matched: "applies: \(report.reason)"
        case .otherTopic: report.reason
        case .filteredOut: report.reason
        case .refused: "does nothing: \(report.reason)"
        case .notReached: "is not looked at: \(report.reason)"
        }
    }

    private func lane(_ place: Int) -> String {
        guard let partitioning, explanation.lanes.indices.contains(place) else { return "" }
        return "  lane \(explanation.lanes[place]) of \(partitioning.partitions)"
    }

    private func readers(_ place: Int) -> String {
        let patterns = explanation.patterns[place]
        return patterns.isEmpty
            ? "" : "  for " + patterns.map(\.text).joined(separator: ", ")
    }

    // MARK: JSON

    private struct RuleLine: Encodable {
        let rule: String
        let outcome: String
        let reason: String
    }

    private struct OutputLine: Encodable {
        let topic: String
        let rule: String?
        let lane: Int?
        let patterns: [String]
        let changed: Changes
    }

    /// Attributes in their order; null for those that were removed.
    private struct Changes: Encodable {
        let attributes: [(field: EventField, value: AttributeValue?)]

        private struct Name: CodingKey {
            let stringValue: String

            init(_ name: String) { stringValue = name }
            init?(stringValue: String) { self.init(stringValue) }
            init?(intValue: Int) { nil }

            var intValue: Int? { nil }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Name.self)
            for (field, value) in attributes {
                try container.encode(value?.canonicalText, forKey: Name(field.name))
            }
        }
    }

    private enum Keys: String, CodingKey {
        case id, source, topic, partitions, rules, refused, outputs
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Keys.self)
        try container.encode(event.id, forKey: .id)
        try container.encode(event.source, forKey: .source)
        try container.encode(event.topic().text, forKey: .topic)
        try container.encodeIfPresent(partitioning?.partitions, forKey: .partitions)
        try container.encode(
            explanation.rules.map {
                RuleLine(rule: $0.rule, outcome: $0.outcome.rawValue, reason: $0.reason)
            }, forKey: .rules)
        try container.encode(explanation.decision.refused, forKey: .refused)
        let outputs = explanation.decision.outputs.enumerated().map { place, output in
            OutputLine(
                topic: output.topic.text, rule: output.rule,
                lane: explanation.lanes.indices.contains(place) ? explanation.lanes[place] : nil,
                patterns: explanation.patterns[place].map(\.text),
                changed: Changes(attributes: output.changedAttributes))
        }
        try container.encode(outputs, forKey: .outputs)
    }
}
