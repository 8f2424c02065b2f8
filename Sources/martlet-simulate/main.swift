import MartletCommandLine
import MartletCore
import MartletTestKit

/// Runs simulated worlds, seed by seed, and says what they came to.
let simulate = Command(
    "martlet-simulate", "runs simulated worlds and checks what readers get",
    details: [
        "Every seed is three worlds: a publisher and its readers, producers and the node that "
            + "stores their events, and workers that share a publisher's, with links, nodes and "
            + "disks that fail. A seed that breaks a promise is named; run it again with --seed.",
        "Exit status: 0 if every promise was kept, 1 if one was broken.",
    ],
    options: [
        .value("seed", "N", "s", "The first seed, 1 without it."),
        .value("seeds", "N", "n", "How many seeds, one without it."),
        .value("steps", "N", nil, "Steps under faults for each seed, 2,000 without it."),
        .value(
            "flaw", "NAME", nil, "A bug to plant: \(Flaw.allCases.map(\.rawValue).first ?? "")…"),
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
    return run(first, count, steps, flaw, isVerbose: arguments.flag("verbose"))
}

/// Adds up what the worlds came to.
private func run(
    _ first: Int, _ count: Int, _ steps: Int, _ flaw: Flaw?, isVerbose: Bool
) -> ExitStatus {
    let clock = ContinuousClock()
    let began = clock.now
    var total = FanoutWorld.Outcome()
    var submitted = SubmitWorld.Outcome()
    var worked = WorkWorld.Outcome()
    var broken = 0
    for seed in first..<first + count {
        var plan = FanoutWorld.Plan(seed: UInt64(seed))
        plan.steps = steps
        plan.flaw = flaw
        var world = FanoutWorld(plan)
        let outcome = world.run()
        total.add(outcome)
        if isVerbose {
            Output.standard.line(
                "seed \(seed): \(outcome.steps) steps, \(outcome.delivered) delivered, "
                    + "\(outcome.gaps) gaps, trace \(String(outcome.trace, radix: 16))")
        }
        var submitWorld = SubmitWorld(seed: UInt64(seed), steps: steps, flaw: flaw)
        let submitOutcome = submitWorld.run()
        submitted.add(submitOutcome)
        if isVerbose {
            Output.standard.line(
                "seed \(seed): \(submitOutcome.steps) steps, \(submitOutcome.stored) submitted "
                    + "and stored, trace \(String(submitOutcome.trace, radix: 16))")
        }
        var workWorld = WorkWorld(seed: UInt64(seed), steps: steps, flaw: flaw)
        let workOutcome = workWorld.run()
        worked.add(workOutcome)
        if isVerbose {
            Output.standard.line(
                "seed \(seed): \(workOutcome.steps) steps, \(workOutcome.begun) handlers, "
                    + "\(workOutcome.dead) set aside, trace "
                    + String(workOutcome.trace, radix: 16))
        }
        let violations = [
            outcome.violation, submitOutcome.violation, workOutcome.violation,
        ].compactMap { $0 }
        if !violations.isEmpty { broken += 1 }
        for violation in violations { Output.standard.line("seed \(seed): \(violation)") }
    }
    let elapsed = began.duration(to: clock.now).components
    let seconds = Double(elapsed.seconds) + Double(elapsed.attoseconds) / 1e18
    let steps = total.steps + submitted.steps + worked.steps
    let rate = Int(Double(steps) / max(seconds, 0.001))
    let simulated = total.simulated + submitted.simulated + worked.simulated
    Output.standard.line(
        "\(count) seeds, \(Int(simulated / .seconds(60))) minutes of simulated time, "
            + "\(steps) steps (\(rate)/s): \(total.attempted) events published, "
            + "\(total.delivered) delivered, \(total.gaps) gaps naming \(total.reportedLost)")
    tell(total.sometimes)
    Output.standard.line(
        "\(submitted.submitted) events given to producers, \(submitted.stored) stored")
    tell(submitted.sometimes)
    Output.standard.line(
        "\(worked.published) events shared by workers, \(worked.begun) handlers begun, "
            + "\(worked.dead) events set aside")
    tell(worked.sometimes)
    Output.standard.line(broken == 0 ? "every promise was kept" : "\(broken) seeds broke a promise")
    return broken == 0 ? .success : .nothingFound
}

private func tell(_ sometimes: [String: Int]) {
    for (what, times) in sometimes.sorted(by: { $0.key < $1.key }) {
        Output.standard.line("  \(what): \(times)")
    }
}

Program.main(simulate, version: "0.1.0")
