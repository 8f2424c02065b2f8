import MartletCommandLine
import MartletCore
import MartletEvents
import MartletRouting
import MartletTools

/// `martletctl route explain`: where events go by a file of rules, and why.
enum RouteCommand {
    static let command = Command("route", "shows where events go by rules", verbs: [explain])

    private static let explain = Command(
        "explain", "says what rules make of an event",
        details: [
            "Reads events in the JSON format of CloudEvents, one on a line. For each it prints "
                + "every rule with the reason why it applies or does not, and the topics that the "
                + "event goes to, with its lane and the patterns that mean the topic, where the "
                + "file or the options name partitions and patterns.",
            "Exit status: 0, or 65 if the file of rules or a line is not what it should be.",
        ],
        operands: .init("FILE…", 0...Int.max, "Files of events; standard input without any."),
        options: [
            .value("rules", "FILE", "r", isRequired: true, "The rules, in JSON."),
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
        guard name != "-" || !arguments.operands.isEmpty else {
            throw CommandFailure(
                .usage, "`--rules -` reads the rules from standard input. Name a file of events.")
        }
        let json = try LineReader.contents(of: name, byteCountMax: Limits.encodedBytesMax)
        let file: RuleFile
        do throws(MartletError) { file = try RuleFile(json: Bytes(json), named: name) } catch {
            throw CommandFailure(error, .badData)
        }
        let partitioning = try partitioning(arguments, file)
        let patterns = try patterns(arguments) + file.patterns
        var lines = EventLines(arguments.operands)
        try lines.forEach { (line) throws(MartletError) in
            guard case .success(let event) = line.event else { return true }
            let report = RouteReport(
                event: event, partitioning: partitioning,
                explanation: try file.table.explain(
                    event, partitioning: partitioning, patterns: patterns))
            if arguments.flag("json") {
                Output.standard.line(try JSONText.of(report))
            } else {
                Output.standard.lines(ofOthers: report.text)
            }
            return true
        }
        return lines.failures == 0 ? .success : .badData
    }

    /// What the options say, and where they say nothing, the file.
    private static func partitioning(
        _ arguments: Arguments, _ file: RuleFile
    ) throws(CommandFailure) -> Partitioning? {
        let count = try arguments.integer("of", in: 1...Limits.partitionsMax)
        guard let count = count ?? file.partitioning?.partitions else {
            guard arguments.value("key") == nil else {
                throw CommandFailure(
                    .usage, "`--key` says nothing without `--of`, or `partitions` in the file.")
            }
            return nil
        }
        let key = arguments.value("key")
        return try arguments.parsed("key", key ?? "") { (text) throws(MartletError) in
            let source = key == nil ? file.partitioning?.keySource ?? .key : try .init(text)
            return try Partitioning(count, by: source)
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
