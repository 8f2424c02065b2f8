import Martlet
import MartletCommandLine
import MartletTools

/// `martletctl top`: what flows, as a table that is kept up to date.
enum TopCommand {
    static let command = Command(
        "top", "shows rates, lag and losses as they change",
        details: [
            "Subscribes to topics, all without operands, and shows every second for each stream "
                + "of each node: events and bytes a second, events so far, how old the newest "
                + "event was when it came, and what was lost. On a terminal the table is drawn "
                + "anew in its place; into a pipe or a file lines are added.",
            "The lag compares the publisher's clock with this machine's; it grows where this "
                + "reader cannot keep up. Rates are of what has arrived here.",
            "Exit status: 0 done, 69 a publisher refuses it.",
        ],
        operands: .init("PATTERN…", 0...Int.max, "Topics to watch; all without it."),
        options: [
            NodeOptions.usualPeer,
            .value("interval", "SECONDS", "i", "Show it so often; 1 without it."),
            .value("count", "N", "n", "End after so many tables."),
            .flag("json", "j", "Print an object of JSON for each stream of each node."),
            NodeOptions.name("martletctl"),
        ],
        examples: [
            .init("martletctl top", "All that the usual peer publishes"),
            .init("martletctl top 'orders.>' -n 10 -j > rates.ndjson", "Ten seconds of orders"),
        ]
    ) { (arguments) throws(CommandFailure) in
        try Top(arguments).run()
    }
}

/// From a command line to a table.
private struct Top: Sendable {
    private let configuration: NodeConfiguration
    private let patterns: [TopicPattern]
    private let interval: Duration
    private let count: Int
    private let isJSON: Bool

    init(_ arguments: Arguments) throws(CommandFailure) {
        configuration = try NodeOptions.configuration(Settings.peers(arguments))
        patterns = try NodeOptions.patterns(
            arguments.operands.isEmpty ? [">"] : arguments.operands)
        interval = .seconds(try arguments.integer("interval", in: 1...3_600) ?? 1)
        count = try arguments.integer("count", in: 1...Int.max) ?? .max
        isJSON = arguments.flag("json")
    }

    func run() throws(CommandFailure) -> ExitStatus {
        try Service.run {
            let tally = StreamTally()
            try await Service.untilStopped {
                try await withNode(configuration) { node in
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        group.addTask {
                            try await node.subscribe(to: patterns, onGap: { tally.add($0) }) {
                                events in
                                for try await batch in events.batches { tally.add(batch) }
                            }
                        }
                        group.addTask { try await show(tally, of: node) }
                        defer { group.cancelAll() }
                        try await group.next()
                    }
                }
            }
            return .success
        }
    }

    private func show(_ tally: StreamTally, of node: Node) async throws {
        let isDrawn = Terminal.isOutputOne && !isJSON
        var drawn = 0
        for _ in 0..<count {
            try await Task.sleep(for: interval)
            let rows = tally.takeRows(names: try await names(of: node))
            let connected = try await node.peerStatus().count {
                if case .connected = $0.state { true } else { false }
            }
            let table = TopTable(rows, nodes: connected, isJSON: isJSON)
            let lines = try table.lines
            if isDrawn { Output.standard.write(Terminal.clearedLines(drawn)) }
            for line in lines { Output.standard.lines(ofOthers: line) }
            Output.standard.flush()
            drawn = lines.count
        }
    }

    private func names(of node: Node) async throws -> [NodeID: String] {
        var names: [NodeID: String] = [:]
        for status in try await node.peerStatus() {
            if let id = status.id { names[id] = status.name }
        }
        return names
    }
}
