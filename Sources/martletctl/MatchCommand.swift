import MartletCommandLine
import MartletCore
import MartletEvents
import MartletRouting
import MartletTools

/// `martletctl match`: which events a filter or a pattern means.
enum MatchCommand {
    static let command = Command(
        "match", "prints the events that a filter or a pattern means",
        details: [
            "Reads events in the JSON format of CloudEvents, one on a line, and prints the lines "
                + "that match as they came. An event's topic is its extension `topic`, or else its "
                + "type. With several filters all must hold, with several patterns one.",
            "A filter is an expression in CESQL, or a filter of the Subscriptions API in JSON, as "
                + "in {\"prefix\":{\"type\":\"orders.\"}}. Expressions may read the payload: "
                + "data.items[0].price.",
            "With --eval an expression's value and error are printed for every event, as "
                + "{\"value\": …, \"error\": null}; the error is parse, math, cast, "
                + "missingAttribute, missingFunction, functionEvaluation or generic.",
            "Exit status: 0 if any event matched, 1 if none did, 65 if a line was no event, but "
                + "for --quiet, which ends with 0 at the first match. With --eval 0, whatever the "
                + "expression gives, or 65.",
        ],
        operands: .init("FILE…", 0...Int.max, "Files of events; standard input without any."),
        options: [
            .values("filter", "EXPR", "f", "An expression or a filter that must hold."),
            .values("topic", "PATTERN", "t", "A pattern of topics: * is one token, > the rest."),
            .value("eval", "EXPR", "e", "Print what the expression gives for each event."),
            .flag("strict", nil, "Allow what CESQL 1.0 has, and no payload paths."),
            .flag("explain", "x", "Say on standard error why each event does not match."),
            .flag("quiet", "q", "Print nothing, and stop at the first match."),
            .flag("json", "j", "Print JSON, as it does anyway."),
        ],
        examples: [
            .init(
                "martletctl match -f \"region = 'eu' AND data.total > 1000\" events.ndjson",
                "Large orders"),
            .init("martletctl match --topic 'orders.>' --quiet < e.ndjson", "Are there orders?"),
            .init("martletctl match --eval 'LENGTH(subject)' e.ndjson", "Try an expression"),
        ]
    ) { (arguments) throws(CommandFailure) in
        if let text = arguments.value("eval") { return try evaluate(text, arguments) }
        return try match(arguments)
    }

    // MARK: Matching

    private static func match(_ arguments: Arguments) throws(CommandFailure) -> ExitStatus {
        var filters: [Filter] = []
        for text in arguments.values("filter") {
            filters.append(
                try arguments.parsed("filter", text) { (text) throws(MartletError) in
                    try FilterOptions.filter(text, isStrict: arguments.flag("strict"))
                })
        }
        var patterns: [TopicPattern] = []
        for text in arguments.values("topic") {
            patterns.append(
                try arguments.parsed("topic", text) { (text) throws(MartletError) in
                    try TopicPattern(text)
                })
        }
        guard !filters.isEmpty || !arguments.flag("strict") else {
            throw CommandFailure(.usage, "`--strict` says nothing without `--filter` or `--eval`.")
        }
        guard !filters.isEmpty || !patterns.isEmpty else {
            throw CommandFailure(.usage, "Give it a `--filter`, a `--topic` or an `--eval`.")
        }
        return try match(filters, patterns, arguments)
    }

    private static func match(
        _ filters: [Filter], _ patterns: [TopicPattern], _ arguments: Arguments
    ) throws(CommandFailure) -> ExitStatus {
        var lines = EventLines(arguments.operands)
        var matches = 0
        let isQuiet = arguments.flag("quiet")
        try lines.forEach { (line) throws(MartletError) in
            guard case .success(let event) = line.event else { return true }
            if let reason = mismatch(of: event, filters, patterns) {
                if arguments.flag("explain") {
                    Output.errors.lines(ofOthers: "\(event.id): \(reason())")
                }
                return true
            }
            matches += 1
            guard !isQuiet else { return false }
            Output.standard.write(utf8: line.bytes + [UInt8(ascii: "\n")])
            return true
        }
        Output.errors.flush()
        guard lines.failures == 0 || isQuiet && matches > 0 else { return .badData }
        return matches > 0 ? .success : .nothingFound
    }

    /// Why the event does not match; nil if it does.
    private static func mismatch(
        of event: CloudEvent, _ filters: [Filter], _ patterns: [TopicPattern]
    ) -> (() -> String)? {
        if !patterns.isEmpty {
            guard let topic = try? event.topic() else { return { "it has no topic" } }
            guard patterns.contains(where: { $0.matches(topic) }) else {
                return { "`\(topic)` is meant by no pattern" }
            }
        }
        let failing = filters.first { !$0.matches(event) }
        return failing.map { filter in { filter.explain(event) } }
    }

    // MARK: Evaluating

    private static func evaluate(
        _ text: String, _ arguments: Arguments
    ) throws(CommandFailure) -> ExitStatus {
        let others = arguments.values("filter") + arguments.values("topic")
        guard others.isEmpty, !arguments.flag("quiet"), !arguments.flag("explain") else {
            throw CommandFailure(
                .usage, "`--eval` goes with `--strict`, `--json` and files alone.")
        }
        var expression: Expression?
        do throws(MartletError) {
            expression = try Expression(text, isStrict: arguments.flag("strict"))
        } catch {
            Output.errors.lines(ofOthers: error.message)
            Output.errors.flush()
        }
        var lines = EventLines(arguments.operands)
        try lines.forEach { (line) throws(MartletError) in
            guard let expression else {
                try write(.boolean(false), .parse)
                return true
            }
            switch line.event {
            case .failure: try write(.boolean(false), .generic)
            case .success(let event):
                let evaluation = expression.evaluate(event)
                try write(evaluation.value, evaluation.error?.kind)
            }
            return true
        }
        return lines.failures == 0 ? .success : .badData
    }

    private static func write(
        _ value: ExpressionValue, _ error: EvaluationError.Kind?
    ) throws(MartletError) {
        let text: String
        switch value {
        case .string(let string): text = try JSONText.of(string)
        case .number(let number) where !number.double.isFinite: text = "null"
        default: text = value.description
        }
        let kind = error.map { "\"\($0.rawValue)\"" } ?? "null"
        Output.standard.line("{\"value\": \(text), \"error\": \(kind)}")
    }
}
