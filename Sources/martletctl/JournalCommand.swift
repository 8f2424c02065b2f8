import Martlet
import MartletCommandLine
import MartletTools

/// `martletctl journal`: what a journal holds, and whether it is whole.
enum JournalCommand {
    static let command = Command(
        "journal", "looks at the journal of a node",
        details: [
            "A journal is the folder that a node was started with. No node must use it meanwhile: "
                + "stop it, or ask the node itself with `martletctl tail --from beginning`."
        ],
        verbs: [info, verify, export, cursors, producers, adopt])

    private static let folder = Command.Operands("DIR", 1...1, "The folder of the journal.")

    /// Runs something with the journal that is named.
    static func run(
        _ arguments: Arguments,
        _ body: @escaping @Sendable (StoredJournal) async throws -> ExitStatus
    ) throws(CommandFailure) -> ExitStatus {
        let folder = arguments.operands[0]
        return try Service.run {
            do {
                return try await withJournal(at: folder) { journal in
                    for finding in journal.findings {
                        Output.errors.lines(ofOthers: "\(folder): \(finding)")
                    }
                    Output.errors.flush()
                    return try await body(journal)
                }
            } catch let error as MartletError where error.code != .cancelled {
                throw CommandFailure(error, .noInput)
            }
        }
    }

    private static let info = Command(
        "info", "says what a journal holds",
        details: [
            "For each stream its lanes, the events that are kept and the time of the latest. Exit "
                + "status: 0 done, 66 there is no journal, or a node uses it."
        ],
        operands: folder, options: [.flag("json", "j", "Print one object of JSON.")],
        examples: [.init("martletctl journal info shop.journal", "What is in there")]
    ) { (arguments) throws(CommandFailure) in
        let isJSON = arguments.flag("json")
        return try run(arguments) { journal in
            let summary = JournalSummary(journal)
            if isJSON {
                Output.standard.line(try JSONText.of(summary))
            } else {
                Output.standard.lines(ofOthers: summary.text)
            }
            return .success
        }
    }

    private static let verify = Command(
        "verify", "reads all of a journal, and names what is damaged",
        details: [
            "Every frame is read, and its checksum, its position and its place behind the one "
                + "before are checked. Exit status: 0 whole, 1 damaged, 66 there is no journal, or "
                + "a node uses it."
        ],
        operands: folder,
        examples: [.init("martletctl journal verify shop.journal", "Is everything there?")]
    ) { (arguments) throws(CommandFailure) in
        try run(arguments) { journal in
            let progress = ByteProgress(of: journal.byteCount)
            let damage = try await journal.check { progress.show($0) }
            progress.end()
            for range in damage {
                Output.standard.lines(
                    ofOthers: "damaged: \(range.channel.stream) lane \(range.channel.lane), events "
                        + "\(range.sequences.lowerBound) to \(range.sequences.upperBound - 1): "
                        + range.reason)
            }
            let isWhole = damage.isEmpty && !journal.findings.contains(where: \.isLoss)
            let events = journal.channels.reduce(0) { $0 + ($1.next - $1.first) }
            Output.standard.line(
                "\(Rate.grouped(events)) events, \(Rate.grouped(progress.byteCount)) bytes of "
                    + "frames read: " + (isWhole ? "whole" : "damaged"))
            return isWhole ? .success : .incomplete
        }
    }

    private static let export = Command(
        "export", "prints the events of a journal as JSON lines",
        details: [
            "The same as `martletctl replay`, which says more about it: the JSON format of "
                + "CloudEvents, with the extension `position` where the id is another."
        ],
        operands: ReplayCommand.operands, options: ReplayCommand.choices,
        examples: [.init("martletctl journal export shop.journal > all.ndjson", "All events")]
    ) { (arguments) throws(CommandFailure) in
        try Replay(arguments).run(arguments)
    }

    private static let cursors = Command(
        "cursors", "lists the cursors of a journal",
        details: ["For each its name, and the position in each channel."],
        operands: folder,
        options: [.value("forget", "NAME", nil, "Forget the cursor of this name.")],
        examples: [.init("martletctl journal cursors reader.journal", "Who has got how far")]
    ) { (arguments) throws(CommandFailure) in
        let forgotten = arguments.value("forget")
        return try run(arguments) { journal in
            if let forgotten {
                guard journal.cursors[forgotten] != nil else {
                    throw CommandFailure(.nothingFound, "There is no cursor `\(forgotten)`.")
                }
                try await journal.forget(cursor: forgotten)
                return .success
            }
            for (name, positions) in journal.cursors.sorted(by: { $0.key < $1.key }) {
                for position in positions {
                    Output.standard.lines(ofOthers: "\(name)  \(position)")
                }
            }
            return journal.cursors.isEmpty ? .nothingFound : .success
        }
    }

    private static let producers = Command(
        "producers", "lists who has submitted events to the node",
        details: [
            "For each its name, the number of its next event, and when it was heard of last: all "
                + "events before that number are stored."
        ],
        operands: folder,
        examples: [.init("martletctl journal producers shop.journal", "Who has submitted what")]
    ) { (arguments) throws(CommandFailure) in
        try run(arguments) { journal in
            for (name, producer) in journal.producers.sorted(by: { $0.key < $1.key }) {
                Output.standard.lines(
                    ofOthers: "\(name)  next \(producer.next)  \(producer.usedAt)")
            }
            return journal.producers.isEmpty ? .nothingFound : .success
        }
    }

    private static let adopt = Command(
        "adopt", "makes a copy of a journal the original",
        details: [
            "A folder that was copied, or restored from a backup, is not opened: two nodes with "
                + "one identity would number different events alike. Call this when the original "
                + "is gone for good. Readers that had got further than the backup are told so."
        ],
        operands: folder,
        examples: [.init("martletctl journal adopt restored.journal", "After a restore")]
    ) { (arguments) throws(CommandFailure) in
        do throws(MartletError) { try adoptJournal(at: arguments.operands[0]) } catch {
            throw CommandFailure(error, .noInput)
        }
        return .success
    }
}
