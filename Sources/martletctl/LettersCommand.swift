import Martlet
import MartletCommandLine
import MartletTools

/// `martletctl deadletters`: events that groups have given up.
enum LettersCommand {
    static let command = Command(
        "deadletters", "shows events that groups have given up, and lets them be tried again",
        details: [
            "A dead letter stays open until it is retried, purged or edited. It is an event of the "
                + "topic martlet.deadletters, so that `martletctl tail martlet.deadletters` shows "
                + "them as they come.",
            ControlOptions.status,
        ],
        verbs: [list, show, retry, purge, edit])

    // MARK: Which

    private static let selection: [Command.Option] = [
        ControlOptions.node,
        .value("group", "GROUP", "g", "Those of this group."),
        .value("topic", "PATTERN", "t", "Those whose event is of such a topic."),
        .value("key", "KEY", "k", "Those whose event has this key."),
        .value(
            "reason", "REASON", nil,
            "Those that were given up as failed, rejected, lapsed or parked."),
        .value("limit", "COUNT", nil, "So many at most, the oldest first."),
        ControlOptions.timeout,
    ]

    static func selection(_ arguments: Arguments) throws(CommandFailure) -> LetterSelection {
        var selection = LetterSelection()
        var numbers: [UInt64] = []
        for operand in arguments.operands {
            guard let number = UInt64(operand) else {
                throw CommandFailure(
                    .usage, "`\(operand)` is no number of a dead letter. `list` shows them.")
            }
            numbers.append(number)
        }
        if !numbers.isEmpty { selection.numbers = numbers }
        selection.group = arguments.value("group")
        selection.key = arguments.value("key")
        selection.limit = try arguments.integer("limit", in: 1...1_000_000)
        if let text = arguments.value("topic") {
            selection.topics = try arguments.parsed("topic", text) { (text) throws(MartletError) in
                try TopicPattern(text)
            }
        }
        if let text = arguments.value("reason") {
            guard let reason = DeadLetter.Reason(rawValue: text) else {
                throw CommandFailure(
                    .usage, "`--reason` is failed, rejected, lapsed or parked, not `\(text)`.")
            }
            selection.reason = reason
        }
        return selection
    }

    /// Whoever means all of them must say so.
    private static func chosen(
        _ arguments: Arguments, _ what: String
    ) throws(CommandFailure) -> LetterSelection {
        let selection = try selection(arguments)
        guard selection != LetterSelection() || arguments.flag("all") else {
            throw CommandFailure(
                .usage, "Say which dead letters are to be \(what), by number or option, or `--all`."
            )
        }
        return selection
    }

    // MARK: Looking

    private static let list = Command(
        "list", "lists dead letters that are open",
        operands: .init("[NUMBER…]", 0...1_000, "These only."),
        options: selection + [ControlOptions.json],
        examples: [.init("martletctl deadletters list -g billing", "Those of a group")]
    ) { (arguments) throws(CommandFailure) in
        let selection = try selection(arguments)
        let isJSON = arguments.flag("json")
        return try ControlOptions.run(arguments) { control, node in
            let letters = try await control.deadLetters(selection)
            if isJSON {
                for letter in letters { Output.standard.line(try JSONText.of(letter)) }
            } else if letters.isEmpty {
                Output.errors.lines(ofOthers: "\(node): no dead letters")
            } else {
                LetterText.show(letters)
            }
            return letters.isEmpty ? .nothingFound : .success
        }
    }

    private static let show = Command(
        "show", "shows dead letters with their attempts and their events",
        operands: .init("[NUMBER…]", 0...1_000, "These only."),
        options: selection + [ControlOptions.json],
        examples: [.init("martletctl deadletters show 17", "All that is known of one")]
    ) { (arguments) throws(CommandFailure) in
        let selection = try selection(arguments)
        let isJSON = arguments.flag("json")
        return try ControlOptions.run(arguments) { control, _ in
            let letters = try await control.deadLetters(selection, withEvents: true)
            for letter in letters {
                if isJSON {
                    Output.standard.line(try JSONText.of(letter))
                } else {
                    LetterText.show(letter)
                }
            }
            return letters.isEmpty ? .nothingFound : .success
        }
    }

    // MARK: Doing

    private static let retry = Command(
        "retry", "lets groups try again what they have given up",
        details: [
            "Events go to their own group only, in their place among those of their key, with "
                + "attempts of their own. Of a parked key all are tried again, and then it goes "
                + "on.",
            ControlOptions.status,
        ],
        operands: .init("[NUMBER…]", 0...1_000, "These only."),
        options: selection + [
            .flag("all", nil, "All that are open."),
            .value("rate", "COUNT", nil, "So many a second; all at once without it."),
            .flag("dry-run", nil, "Only say which they are."),
        ],
        examples: [
            .init("martletctl deadletters retry -g billing --rate 50", "Those of a group, slowly"),
            .init("martletctl deadletters retry 17 18", "Two of them"),
        ]
    ) { (arguments) throws(CommandFailure) in
        let selection = try chosen(arguments, "tried again")
        let rate = try arguments.integer("rate", in: 1...1_000_000)
        let isDry = arguments.flag("dry-run")
        return try ControlOptions.run(arguments) { control, node in
            if isDry {
                let letters = try await control.deadLetters(selection)
                LetterText.show(letters)
                return letters.isEmpty ? .nothingFound : .success
            }
            let count = try await LetterRetry(control, rate: rate).run(selection)
            Output.standard.lines(ofOthers: "\(node): \(count.done) are tried again")
            if count.notDone > 0 {
                Output.errors.lines(
                    ofOthers:
                        "\(node): \(count.notDone) are not: their events are gone, or too many "
                        + "are tried again already")
            }
            return count.done > 0 && count.notDone == 0 ? .success : .incomplete
        }
    }

    private static let purge = Command(
        "purge", "closes dead letters: nothing more is done about their events",
        details: [
            "A parked key goes on when none of it is left.", ControlOptions.status,
        ],
        operands: .init("[NUMBER…]", 0...1_000, "These only."),
        options: selection + [.flag("all", nil, "All that are open.")],
        examples: [.init("martletctl deadletters purge -g audit", "Those of a group")]
    ) { (arguments) throws(CommandFailure) in
        let selection = try chosen(arguments, "closed")
        return try ControlOptions.run(arguments) { control, node in
            let count = try await control.purgeDeadLetters(selection)
            Output.standard.lines(ofOthers: "\(node): \(count.done) are closed")
            return count.done > 0 ? .success : .incomplete
        }
    }

    private static let edit = Command(
        "edit", "publishes another payload in the place of one that was given up",
        details: [
            "It is a new event with the topic, the key and the attributes of the old one, for all "
                + "groups and subscriptions. The letter is closed. The payload is read from a "
                + "file, or from standard input.",
            ControlOptions.status,
        ],
        operands: .init("NUMBER [FILE]", 1...2, "The letter, and the payload."),
        options: [ControlOptions.node, ControlOptions.timeout],
        examples: [
            .init(
                #"echo '{"id": "A-17", "cents": 4200}' | martletctl deadletters edit 17"#,
                "Mend one")
        ]
    ) { (arguments) throws(CommandFailure) in
        guard let number = UInt64(arguments.operands[0]) else {
            throw CommandFailure(
                .usage, "`\(arguments.operands[0])` is no number of a dead letter.")
        }
        let payload = try LetterText.payload(
            arguments.operands.count > 1 ? arguments.operands[1] : "-")
        return try ControlOptions.run(arguments) { control, node in
            let position = try await control.replaceDeadLetter(number, by: payload)
            Output.standard.lines(
                ofOthers: "\(node): \(number) is closed, and published as \(position)")
            return .success
        }
    }
}
