import MartletCommandLine
import MartletCore
import MartletTestKit

/// `martlet-simulate topology`: what large clusters send, move and wait for.
enum TopologyCommand {
    static let command = Command(
        "topology", "simulates large clusters, and says what they send, move and wait for",
        details: [
            "For each size a world without faults: all workers come within a second, then nothing "
                + "happens, then events flow, then a worker comes, one dies and one leaves. It "
                + "prints a line for each size, and with --svg draws how it grows."
        ],
        options: [
            .values("size", "PUBLISHERSxWORKERS", nil, "A size, as 10x100; a row of them without."),
            .value("lanes", "N", nil, standard: "128", "Lanes of each publisher's stream."),
            .value("svg", "DIR", nil, "Draw plots into this folder."),
            .value("seed", "N", "s", standard: "1", "What it is drawn from."),
        ],
        examples: [.init("martlet-simulate topology --size 50x1000 --lanes 1024", "A large one")]
    ) { (arguments) throws(CommandFailure) in
        let lanes = try arguments.requiredInteger("lanes", in: 1...Limits.partitionsMax)
        let seed = UInt64(try arguments.requiredInteger("seed", in: 0...Int.max))
        var sizes: [(publishers: Int, workers: Int)] = []
        for text in arguments.values("size") { sizes.append(try size(text)) }
        var rows: [TopologyRow] = []
        Output.standard.line(TopologyRow.head)
        for (publishers, workers) in sizes.isEmpty ? usualSizes : sizes {
            let clock = ContinuousClock()
            let began = clock.now
            var world = TopologyWorld(
                .init(publishers: publishers, workers: workers, partitions: lanes, seed: seed))
            let report = world.run()
            let row = TopologyRow(
                publishers: publishers, workers: workers, lanes: lanes, report: report,
                seconds: (clock.now - began) / .seconds(1))
            rows.append(row)
            Output.standard.line(row.text)
            Output.standard.flush()
        }
        if let folder = arguments.value("svg") { try TopologyPlots(rows).write(to: folder) }
        return .success
    }

    /// Both grow, one after the other.
    private static let usualSizes: [(publishers: Int, workers: Int)] =
        [10, 30, 100, 300, 1_000].map { (10, $0) } + [1, 3, 30, 50].map { ($0, 100) }
        + [(50, 1_000)]

    private static func size(
        _ text: String
    ) throws(CommandFailure) -> (publishers: Int, workers: Int) {
        let sides = text.split(separator: "x").compactMap { Int($0) }
        guard sides.count == 2, (1...1_000).contains(sides[0]), (3...1_024).contains(sides[1])
        else {
            throw CommandFailure(
                .usage,
                "`--size` takes up to 1000 publishers and 3 to 1024 workers, as 10x100, not "
                    + "`\(text)`.")
        }
        return (sides[0], sides[1])
    }
}

/// What one size came to.
struct TopologyRow {
    let publishers: Int
    let workers: Int
    let lanes: Int
    let report: TopologyWorld.Report
    /// How long the simulation took.
    let seconds: Double

    static let head =
        "publishers workers lanes | start: ms messages | idle/s per event | join: ms moves "
        + "messages | death: ms moves messages | leave: ms moves messages | simulated in s"

    var text: String {
        let perEvent = (report.messagesPerEvent * 100).rounded() / 100
        return "\(publishers) \(workers) \(lanes) | \(report.start.milliseconds) "
            + "\(report.start.messages) | \(report.idleMessages) \(perEvent) | "
            + [report.join, report.death, report.leave].map {
                "\($0.milliseconds) \($0.moves) \($0.messages)"
            }.joined(separator: " | ") + " | \((seconds * 10).rounded() / 10)"
    }
}
