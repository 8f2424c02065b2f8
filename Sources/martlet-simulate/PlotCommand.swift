import MartletCommandLine

/// `martlet-simulate plot`: the figures of `martlet-simulate topology` as a picture.
enum PlotCommand {
    static let command = Command(
        "plot", "draws figures of `martlet-simulate topology`",
        details: [
            "It reads the lines that `martlet-simulate topology` has printed from standard input, "
                + "and prints a picture in SVG: how figures grow with the workers, at the number "
                + "of publishers that most of the lines have. Broken lines show what was expected."
        ],
        operands: .init("WHICH", 1...1, "messages, moves or time."),
        examples: [.init("martlet-simulate plot moves < figures.txt > moves.svg", "A picture")]
    ) { (arguments) throws(CommandFailure) in
        let text = String(
            decoding: try LineReader.contents(of: "-", byteCountMax: 1_048_576), as: UTF8.self)
        let rows = text.split(separator: "\n").compactMap { TopologyFigures(String($0)) }
        let counts = Dictionary(grouping: rows) { $0["publishers"] }
        guard let most = counts.max(by: { ($0.value.count, $0.key) < ($1.value.count, $1.key) })
        else { throw CommandFailure(.badData, "There are no figures on standard input.") }
        let grown = most.value.sorted { $0["workers"] < $1["workers"] }
        switch arguments.operands[0] {
        case "messages": Output.standard.write(messages(grown).svg)
        case "moves": Output.standard.write(moves(grown).svg)
        case "time": Output.standard.write(time(grown).svg)
        case let name:
            throw CommandFailure(
                .usage, "There is no plot `\(name)`. There are messages, moves and time.")
        }
        return .success
    }

    private static func messages(_ rows: [TopologyFigures]) -> Plot {
        Plot(
            title: "Messages", xTitle: title(rows),
            lines: pair(rows, "until all have come", "start-messages", \.expectedStart)
                + pair(rows, "a second, idle", "idle-messages/s", \.expectedIdle)
                + pair(rows, "when one comes", "join-messages", \.expectedJoin))
    }

    private static func moves(_ rows: [TopologyFigures]) -> Plot {
        Plot(
            title: "Lanes that move", xTitle: title(rows),
            lines: pair(rows, "when one comes", "join-moves", \.expectedMoves)
                + pair(rows, "when one dies", "death-moves", \.expectedMoves))
    }

    private static func time(_ rows: [TopologyFigures]) -> Plot {
        let names = [
            ("start-ms", "all come within 1 s"), ("death-ms", "one dies (the lease is 8 s)"),
            ("join-ms", "one comes"), ("leave-ms", "one leaves"),
        ]
        return Plot(
            title: "Milliseconds until the last lane has moved", xTitle: title(rows),
            lines: names.map { line(rows, $0.1, $0.0) })
    }

    private static func title(_ rows: [TopologyFigures]) -> String {
        "workers, with \(Int(rows[0]["publishers"])) publishers of \(Int(rows[0]["lanes"])) lanes"
    }

    private static func line(
        _ rows: [TopologyFigures], _ name: String, _ column: String
    ) -> Plot.Line {
        Plot.Line(name: name, points: rows.map { ($0["workers"], $0[column]) })
    }

    /// What came out, and what was expected.
    private static func pair(
        _ rows: [TopologyFigures], _ name: String, _ column: String,
        _ expected: KeyPath<TopologyFigures, Double>
    ) -> [Plot.Line] {
        [
            line(rows, name, column),
            Plot.Line(
                name: "expected", points: rows.map { ($0["workers"], $0[keyPath: expected]) },
                isExpected: true),
        ]
    }
}
