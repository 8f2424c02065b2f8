import MartletCommandLine
import MartletCore
import MartletTestKit

/// Runs simulated worlds, seed by seed, and says what they came to.
let simulate = Command(
    "martlet-simulate", "runs simulated worlds and checks what readers get",
    details: [
        "Every seed is four worlds: a publisher and its readers (fanout), producers and the node "
            + "that stores their events (submit), workers that share a publisher's (work), and "
            + "workers that are silent for longer than a lease (slow), with links, nodes and "
            + "disks that fail. A seed that breaks a promise is named; run it again with --seed.",
        "Exit status: 0 if every promise was kept, 1 if one was broken.",
    ],
    options: [
        .value("seed", "N", "s", "The first seed, 1 without it."),
        .value("seeds", "N", "n", "How many seeds, one without it."),
        .value("steps", "N", nil, "Steps under faults for each seed, 2,000 without it."),
        .value(
            "flaw", "NAME", nil, "A bug to plant: \(Flaw.allCases.map(\.rawValue).first ?? "")…"),
        .value("world", "NAME", "w", "One of the four worlds, all without it."),
        .flag("verbose", "v", "Print a line for each seed."),
    ],
    examples: [
        .init("martlet-simulate --seeds 20000", "Twenty thousand worlds"),
        .init("martlet-simulate --seed 7 -v", "One again"),
    ], verbs: [TopologyCommand.command, PlotCommand.command]
) { (arguments) throws(CommandFailure) in
    let first = try arguments.integer("seed", in: 0...Int.max) ?? 1
    let count = try arguments.integer("seeds", in: 1...Int.max) ?? 1
    let steps = try arguments.integer("steps", in: 1...1_000_000) ?? 2_000
    var flaw: Flaw?
    if let name = arguments.value("flaw") {
        flaw = Flaw(rawValue: name)
        guard flaw != nil else {
            let names = Flaw.allCases.map(\.rawValue).joined(separator: ", ")
            throw CommandFailure(.usage, "`--flaw` is one of \(names).")
        }
    }
    var worlds = Campaign.World.allCases
    if let name = arguments.value("world") {
        guard let world = Campaign.World(rawValue: name) else {
            let names = worlds.map(\.rawValue).joined(separator: ", ")
            throw CommandFailure(.usage, "`--world` is one of \(names).")
        }
        worlds = [world]
    }
    var campaign = Campaign(
        worlds, steps: steps, planting: flaw, isVerbose: arguments.flag("verbose"))
    return campaign.run(first..<first + count)
}

Program.main(simulate, version: "0.1.0")
