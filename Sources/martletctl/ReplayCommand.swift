import Martlet
import MartletCommandLine
import MartletTools

/// `martletctl replay`: the past of a node once more, from its journal.
enum ReplayCommand {
    static let operands = Command.Operands(
        "DIR [PATTERN…]", 1...Int.max, "The folder of the journal, and topics; all without.")

    static let choices: [Command.Option] = [
        .value("from", "START", nil, "A time, an age as 10m, a position or cursor:NAME."),
        .values("to", "END", nil, "End before a time, or an age, or with a position."),
        .values("filter", "EXPR", "f", "An expression or a filter that must hold."),
        .value("count", "N", "n", "End after so many events."),
    ]

    static let command = Command(
        "replay", "plays the events of a journal once more",
        details: [
            "It reads the journal of a node that is stopped, and prints its events as JSON lines "
                + "in the format of CloudEvents: those of a lane in their order, lanes beside each "
                + "other by their times.",
            "With --publish they are published anew instead, by a node of its own and under the "
                + "topic that is named, or under their own with `=`. They keep their ids and "
                + "sources, by which they can be told from new ones. It begins when a node "
                + "subscribes.",
            "--speed 1 leaves the time between events that was between them, 10 a tenth of it; "
                + "without it they follow each other at once.",
            "Exit status: 0 done, 1 with --strict if events are damaged, 66 there is no journal, "
                + "or a node uses it, 69 nobody subscribes.",
        ],
        operands: operands,
        options: choices + [
            .value("speed", "FACTOR", nil, "How fast, against how it was."),
            .value("publish", "TOPIC", nil, "Publish them under this topic; = for their own."),
            NodeOptions.usualListen, NodeOptions.peer, NodeOptions.name("martletctl"),
            .flag("strict", nil, "End with 1 if events are damaged."),
        ],
        examples: [
            .init("martletctl replay shop.journal 'orders.>' --from 2h", "The last two hours"),
            .init(
                "martletctl replay shop.journal --publish tests.orders --speed 10",
                "For those who listen to tests.orders, ten times as fast as it was"),
        ]
    ) { (arguments) throws(CommandFailure) in
        try Replay(arguments).run(arguments)
    }
}

/// From a command line to a history that is printed or published.
struct Replay: Sendable {
    private let patterns: [TopicPattern]
    private let start: Start
    private let end: HistoryEnd?
    private let filter: Filter?
    private let count: Int?
    private let speed: Double?
    private let target: ReplayTarget?
    private let isStrict: Bool

    init(_ arguments: Arguments) throws(CommandFailure) {
        let texts = Array(arguments.operands.dropFirst())
        patterns = try NodeOptions.patterns(texts.isEmpty ? [">"] : texts)
        start = try Replay.start(arguments)
        end = try Replay.end(arguments)
        filter = try FilterOptions.filter(arguments)
        count = try arguments.integer("count", in: 1...Int.max)
        speed = try Replay.speed(arguments)
        target = try ReplayTarget(arguments)
        isStrict = arguments.flag("strict")
    }

    private static func start(_ arguments: Arguments) throws(CommandFailure) -> Start {
        guard let text = arguments.value("from") else { return .beginning }
        if text.hasPrefix("cursor:") { return .cursor(String(text.dropFirst(7))) }
        return try arguments.parsed("from", text) { (text) throws(MartletError) in
            try StartText.start(text, now: .now)
        }
    }

    private static func end(_ arguments: Arguments) throws(CommandFailure) -> HistoryEnd? {
        var positions: [Position] = []
        for text in arguments.values("to") {
            let start = try arguments.parsed("to", text) { (text) throws(MartletError) in
                try StartText.start(text, now: .now)
            }
            switch start {
            case .time(let time): return .time(time)
            case .after(let some): positions += some
            case .now, .beginning, .cursor:
                throw CommandFailure(
                    .usage, "`--to` takes a time, an age or a position, not `\(text)`.")
            }
        }
        return positions.isEmpty ? nil : .positions(positions)
    }

    private static func speed(_ arguments: Arguments) throws(CommandFailure) -> Double? {
        guard let text = arguments.value("speed") else { return nil }
        guard let speed = Double(text), speed > 0, speed.isFinite else {
            throw CommandFailure(.usage, "`--speed` takes a number above 0, not `\(text)`.")
        }
        return speed
    }

    func run(_ arguments: Arguments) throws(CommandFailure) -> ExitStatus {
        try JournalCommand.run(arguments) { journal in
            if case .cursor(let name) = start, journal.cursors[name] == nil {
                throw CommandFailure(.noInput, "The journal has no cursor `\(name)`.")
            }
            let losses = LossReport()
            let history = journal.events(
                on: patterns, from: start, upTo: end, where: filter, onGap: { losses.add($0) })
            let played: Int
            if let target {
                played = try await target.withPublisher { publish in
                    try await play(history) { event in try await publish(event) }
                }
            } else {
                played = try await play(history) { event in
                    Output.standard.write(utf8: try EventText.json(event))
                }
            }
            Output.standard.flush()
            if target != nil || losses.isAny {
                Output.errors.line("\(Rate.grouped(played)) events played, \(losses.text)")
                Output.errors.flush()
            }
            return isStrict && losses.isAny ? .incomplete : .success
        }
    }

    private func play(
        _ history: StoredHistory, _ body: (RecordedEvent) async throws -> Void
    ) async throws -> Int {
        var played = 0
        var pace = ReplayPace(speed)
        try await Service.untilStopped {
            for try await event in history {
                try await pace.wait(for: event.time)
                try await body(event)
                played += 1
                if played == count { return }
            }
        }
        return played
    }
}

/// Leaves as much time between events as was between them, or a part of it.
private struct ReplayPace {
    private let speed: Double?
    private var first: Timestamp?
    private let began = ContinuousClock.now

    init(_ speed: Double?) { self.speed = speed }

    mutating func wait(for time: Timestamp) async throws {
        guard let speed else { return }
        let first = self.first ?? time
        self.first = first
        let offset = Double(time.microseconds - first.microseconds) / speed
        let due = began + .microseconds(Int64(Swift.max(0, Swift.min(offset, 1e15))))
        guard due > .now else { return }
        // Somebody may watch what has been printed so far.
        Output.standard.flush()
        try await Task.sleep(until: due, clock: .continuous)
    }
}
