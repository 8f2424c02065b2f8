import MartletCommandLine
import MartletCore
import MartletEvents
import MartletRouting

/// `martletctl route explain`: where events go by a file of rules, and why.
enum RouteCommand {
    static let command = Command("route", "shows where events go by rules", verbs: [explain])

    private static let explain = Command(
        "explain", "says what every rule makes of an event, and where the event goes",
        details: [
            "Reads events in the JSON format of CloudEvents, one on a line. For each it prints "
                + "every rule with the reason why it applies or does not, and the topics that the "
                + "event goes to, with its lane and the patterns that mean the topic, where the "
                + "file or the options name partitions and patterns.",
            "Exit status: 0, or 65 if the file of rules or a line is not what it should be.",
        ],
        operands: .init("FILE…", 0...Int.max, "Files of events; standard input without any."),
        options: [
            .value("rules", "FILE", "r", "The rules, in JSON (see Docs/routing.md)."),
            .value("of", "N", nil, "How many partitions the streams have."),
            .value("key", "KEY", nil, "Where keys are: an attribute, or a path such as data.id."),
            .values("pattern", "PATTERN", "p", "A pattern that somebody listens to."),
            .flag("json", "j", "Print an object of JSON for each event."),
        ],
        examples: [
            .init("martletctl route explain --rules rules.json events.ndjson", "Where do they go?"),
            .init(
                "martletctl route explain -r rules.json --of 16 --key data.id -p 'a.>' e.ndjson",
                "And in which lane, and to whom?"),
        ]
    ) { (arguments) throws(CommandFailure) in
        let name = try arguments.required("rules")
        let json = try LineReader.contents(of: name, byteCountMax: Limits.encodedBytesMax)
        let file: RuleFile
        do throws(MartletError) { file = try RuleFile(json: Bytes(json), named: name) } catch {
            throw CommandFailure(error, .badData)
        }
        let partitioning = try partitioning(arguments) ?? file.partitioning
        let patterns = try patterns(arguments) + file.patterns
        var lines = EventLines(arguments.operands)
        try lines.forEach { (line) throws(CommandFailure) in
            guard case .success(let event) = line.event else { return true }
            do throws(MartletError) {
                let report = Report(
                    event: event, partitioning: partitioning,
                    explanation: try file.table.explain(
                        event, partitioning: partitioning, patterns: patterns))
                Output.standard.write(arguments.flag("json") ? report.json + "\n" : report.text)
            } catch { throw CommandFailure(error, .badData, about: event.id) }
            return true
        }
        return lines.failures == 0 ? .success : .badData
    }

    private static func partitioning(
        _ arguments: Arguments
    ) throws(CommandFailure) -> Partitioning? {
        guard let count = try arguments.integer("of", in: 1...Limits.partitionsMax) else {
            guard arguments.value("key") == nil else {
                throw CommandFailure(.usage, "`--key` says nothing without `--of`.")
            }
            return nil
        }
        let key = arguments.value("key") ?? "partitionkey"
        return try arguments.parsed("key", key) { (key) throws(MartletError) in
            try Partitioning(count, by: Partitioning.KeySource(key))
        }
    }

    private static func patterns(
        _ arguments: Arguments
    ) throws(CommandFailure) -> [TopicPattern] {
        var patterns: [TopicPattern] = []
        for text in arguments.values("pattern") {
            patterns.append(
                try arguments.parsed("pattern", text) { (text) throws(MartletError) in
                    try TopicPattern(text)
                })
        }
        return patterns
    }
}

/// An explanation for people, and for programs.
private struct Report: Encodable {
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
        for name in explanation.decision.refused {
            lines.append("  ! \(name) would send it on, but it has hopped too often")
        }
        for (place, output) in explanation.decision.outputs.enumerated() {
            lines.append("  > \(output.topic)\(lane(place))\(readers(place))")
        }
        if explanation.decision.outputs.isEmpty { lines.append("  > nowhere") }
        return lines.joined(separator: "\n") + "\n"
    }

    private func words(_ report: RuleReport) -> String {
        switch report.outcome {
        case .matched: "applies: \(report.reason)"
        case .otherTopic: report.reason
        case .filteredOut: report.reason
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
                patterns: explanation.patterns[place].map(\.text))
        }
        try container.encode(outputs, forKey: .outputs)
    }

    var json: String { JSONText.of(self) }
}
