import MartletCommandLine
import MartletCore
import MartletTestKit

/// `martlet-simulate topology`: what large clusters send, move and wait for.
enum TopologyCommand {
    static let command = Command(
        "topology", "simulates large clusters, and says what they send, move and wait for",
        details: [
            "For each size a world without faults: all workers come within a second, then nothing "
                + "happens, then events flow, then workers come, die and leave, four of each one "
                + "after the other, of which it tells the mean, and the longest time. It prints a "
                + "line of figures for each size; `martlet-simulate plot` draws them."
        ],
        options: [
            .values("size", "PUBLISHERSxWORKERS", nil, "A size, as 10x100; a row of them without."),
            .value("lanes", "N", nil, standard: "128", "Lanes of each publisher's stream."),
            .value("seed", "N", "s", standard: "1", "What it is drawn from."),
        ],
        examples: [.init("martlet-simulate topology --size 50x1000 --lanes 1024", "A large one")]
    ) { (arguments) throws(CommandFailure) in
        let lanes = try arguments.requiredInteger("lanes", in: 1...Limits.partitionsMax)
        let seed = UInt64(try arguments.requiredInteger("seed", in: 0...Int.max))
        var sizes: [(publishers: Int, workers: Int)] = []
        for text in arguments.values("size") { sizes.append(try size(text)) }
        Output.standard.line(TopologyFigures.columns.joined(separator: " "))
        for (publishers, workers) in sizes.isEmpty ? usualSizes : sizes {
            let clock = ContinuousClock()
            let began = clock.now
            var world = TopologyWorld(
                .init(publishers: publishers, workers: workers, partitions: lanes, seed: seed))
            let report = world.run()
            let figures = TopologyFigures(
                publishers, workers, lanes, report, seconds: (clock.now - began) / .seconds(1))
            Output.standard.line(figures.line)
            Output.standard.flush()
        }
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
        guard sides.count == 2, (1...1_000).contains(sides[0]), (10...1_000).contains(sides[1])
        else {
            throw CommandFailure(
                .usage,
                "`--size` takes up to 1000 publishers and 10 to 1000 workers, as 10x100, not "
                    + "`\(text)`.")
        }
        return (sides[0], sides[1])
    }
}
