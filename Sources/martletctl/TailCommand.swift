import Martlet
import MartletCommandLine
import MartletTools
import Synchronization

/// `martletctl tail`: shows events as they come.
enum TailCommand {
    static let command = Command(
        "tail", "shows events as they come",
        details: [
            "Subscribes to topics and prints a line for each event. In a pattern * stands for one "
                + "token and > for all that follow: orders.* or '>'. It begins with what is "
                + "published from now on; --from goes back as far as publishers keep their events.",
            "Losses are said on standard error, with their place: which events of which lane, and "
                + "why. On SIGINT or SIGTERM, or after --count events, it ends and says how much "
                + "it has shown.",
            "With --into events are added to a file as JSON lines. Started again with the same "
                + "file, it goes on behind the last event in it: none comes twice, and none is "
                + "left out that its publisher still keeps; lanes of which it has none are read "
                + "from their first event. A line that was cut short is taken away.",
            "Exit status: 0 done, 1 with --strict if events were lost, 69 if a publisher refuses "
                + "it.",
        ],
        operands: .init("PATTERN…", 1...Int.max, "Topics to show."),
        options: [
            NodeOptions.usualPeer,
            .value("from", "START", nil, "now, beginning, a time, an age as 10m, or a position."),
            .value("cursor", "NAME", nil, "Go on behind what was shown last under this name."),
            NodeOptions.journal,
            .values("filter", "EXPR", "f", "An expression or a filter that must hold."),
            .value("count", "N", "n", "End after so many events."),
            .value("into", "FILE", "o", "Add the events to this file, behind those in it."),
            .value("lag", "POLICY", nil, "What if it is too slow: replay, drop, latest or fail."),
            .flag("strict", nil, "End with 1 if events were lost."),
            .flag("json", "j", "Print events in the JSON format of CloudEvents."),
            .flag("quiet", "q", "Say nothing at the end."),
            NodeOptions.name("martletctl"),
        ],
        examples: [
            .init("martletctl tail 'orders.>'", "Orders as they come"),
            .init("martletctl tail '>' --json --from beginning -n 100", "The first events kept"),
            .init("martletctl tail 'orders.>' --into orders.ndjson", "A copy that can go on"),
        ]
    ) { (arguments) throws(CommandFailure) in
        try Tail(arguments).run()
    }
}

/// From a command line to a subscription that is printed.
struct Tail: Sendable {
    private let configuration: NodeConfiguration
    private let patterns: [TopicPattern]
    private let filter: Filter?
    private let start: Start
    private let buffering: Buffering
    private let count: Int?
    private let log: EventLog?
    private let isJSON: Bool
    private let isStrict: Bool
    private let isQuiet: Bool

    init(_ arguments: Arguments) throws(CommandFailure) {
        configuration = try NodeOptions.configuration(Settings.peers(arguments))
        patterns = try NodeOptions.patterns(arguments.operands)
        filter = try FilterOptions.filter(arguments)
        count = try arguments.integer("count", in: 1...Int.max)
        buffering = try Tail.buffering(arguments)
        var start = Start.now
        if let text = arguments.value("from") {
            start = try arguments.parsed("from", text) { (text) throws(MartletError) in
                try StartText.start(text, now: .now)
            }
        }
        if let name = arguments.value("into") {
            let log = try EventLog(name)
            if !log.positions.isEmpty { start = .after(log.positions) }
            self.log = log
        } else {
            log = nil
        }
        if let name = arguments.value("cursor") {
            guard configuration.journal != nil else {
                throw CommandFailure(.usage, "`--cursor` goes with `--journal DIR`.")
            }
            start = .cursor(name)
        }
        self.start = start
        isJSON = arguments.flag("json")
        isStrict = arguments.flag("strict")
        isQuiet = arguments.flag("quiet")
    }

    private static func buffering(_ arguments: Arguments) throws(CommandFailure) -> Buffering {
        switch arguments.value("lag") {
        case "replay", nil: return .replay
        case "drop": return .dropOldest
        case "latest": return .keepLatest
        case "fail": return .fail
        case let text?:
            throw CommandFailure(
                .usage, "`--lag` takes replay, drop, latest or fail, not `\(text)`.")
        }
    }

    func run() throws(CommandFailure) -> ExitStatus { try Service.run { try await tail() } }

    private func tail() async throws -> ExitStatus {
        let losses = LossReport()
        let tally = TailTally()
        try await Service.untilStopped {
            try await withNode(configuration) { node in
                try await node.subscribe(
                    to: patterns, from: start, where: filter, buffering: buffering,
                    onGap: { losses.add($0) }
                ) { events in try await show(events, tally) }
            }
        }
        Output.standard.flush()
        try log?.flush()
        if !isQuiet {
            Output.errors.line("\(tally.text), \(losses.text)")
            Output.errors.flush()
        }
        return isStrict && losses.isAny ? .incomplete : .success
    }

    private func show(_ events: Subscription<RecordedEvent>, _ tally: TailTally) async throws {
        for try await batch in events.batches {
            tally.noteFetched(events.fetchedCount)
            for event in batch {
                try show(event)
                if tally.addShown() == count { return }
            }
            try log?.flush()
            // What nobody else will push is pushed as it comes.
            if log == nil { Output.standard.flush() }
        }
    }

    private func show(_ event: RecordedEvent) throws(CommandFailure) {
        guard isJSON || log != nil else {
            Output.standard.lines(ofOthers: EventText.line(event))
            return
        }
        let line: [UInt8]
        do throws(MartletError) { line = try EventText.json(event) } catch {
            Output.errors.lines(ofOthers: "\(event.position) cannot be shown: \(error.message)")
            Output.errors.flush()
            return
        }
        guard let log else {
            Output.standard.write(utf8: line)
            return
        }
        try log.add(line)
    }
}

/// How much was shown.
private final class TailTally: Sendable {
    private let shown = Atomic<Int>(0)
    private let fetched = Atomic<UInt64>(0)

    func addShown() -> Int { shown.add(1, ordering: .relaxed).newValue }

    func noteFetched(_ count: UInt64) { fetched.store(count, ordering: .relaxed) }

    var text: String {
        "\(Rate.grouped(shown.load(ordering: .relaxed))) events shown, "
            + "\(Rate.grouped(fetched.load(ordering: .relaxed))) fetched"
    }
}
