import Dispatch
import MartletCommandLine

let chaos = Command(
    "martlet-chaos", "real processes whose peers are killed, stopped and cut off",
    details: [
        "Publishers and subscribers run as processes of their own while a scenario harms them. "
            + "Every subscriber checks every event: a hole that was not reported, a repeat, a "
            + "change of order or of a byte breaks the scenario. Lag must end within 10 s.",
        "Scenarios: "
            + Scenario.allCases.map { "\($0.rawValue) (\($0.summary))" }.joined(separator: "; ")
            + ". The last is run only if it is named. Networks need root, `ip` and `iptables`, and "
            + "are skipped without.",
        "Exit status: 0 if every promise was kept, 1 if one was broken.",
    ],
    operands: .init("SCENARIO…", 0...Int.max, "Which ones; all but the last without it."),
    options: [
        .value("seed", "N", "s", "What the times are drawn from; 1 without it."),
        .value("kills", "N", nil, "How often others than the first four harm; 20 without."),
        .value("minutes", "N", nil, standard: "10", "How long hosts are harmed."),
    ],
    examples: [.init("martlet-chaos stop --seed 7", "One of them")],
    verbs: [
        Roles.publish, Roles.subscribe, StoreRole.command, CheckRole.command, ProducerRoles.keep,
        ProducerRoles.submit, StateRole.command, WorkRole.command, ProxyRole.command,
        RecordRole.command, HostsAudit.command,
    ]
) { (arguments) throws(CommandFailure) in
    let seed = try arguments.integer("seed", in: 0...Int.max) ?? 1
    var scenarios: [Scenario] = []
    for name in arguments.operands {
        guard let scenario = Scenario(rawValue: name) else {
            let names = Scenario.allCases.map(\.rawValue).joined(separator: ", ")
            throw CommandFailure(.usage, "There is no scenario `\(name)`. There are \(names).")
        }
        scenarios.append(scenario)
    }
    let kills = try arguments.integer("kills", in: 1...1_000_000) ?? 20
    let minutes = try arguments.requiredInteger("minutes", in: 1...100_000)
    return run(scenarios.isEmpty ? Scenario.usual : scenarios, seed, kills: kills, minutes)
}

/// Each of them, whatever becomes of those before.
private func run(
    _ scenarios: [Scenario], _ seed: Int, kills: Int, _ minutes: Int
) -> ExitStatus {
    var broken = 0
    let handlers = Undoing.handleSignals()
    defer { for handler in handlers { handler.cancel() } }
    for scenario in scenarios {
        Output.standard.line("\(scenario.rawValue), seed \(seed): \(scenario.summary)")
        Output.standard.flush()
        if let obstacle = scenario.obstacle {
            Output.standard.line("    skipped: \(obstacle)")
            continue
        }
        var random = SplitMix64(seed: UInt64(seed))
        do {
            try scenario.run(&random, kills: kills, minutes: minutes)
            Output.standard.line("    every promise was kept")
        } catch {
            broken += 1
            Output.standard.line("    BROKEN: \((error as? ChaosFailure)?.text ?? "\(error)")")
        }
        Output.standard.flush()
    }
    return broken == 0 ? .success : ExitStatus(1)
}

Program.main(chaos, version: "0.1.0")
