import MartletCommandLine
import MartletCore
import MartletTestKit

/// Runs simulated worlds, seed by seed, and adds up what they come to.
struct Campaign {
    /// A kind of world.
    enum World: String, CaseIterable {
        /// A publisher and its readers.
        case fanout
        /// Producers, and the node that stores their events.
        case submit
        /// Workers that share a publisher's events, and die.
        case work
        /// The same with long silences, and few deaths.
        case slow
    }

    let worlds: [World]
    let steps: Int
    let flaw: Flaw?
    let isVerbose: Bool

    private var published = FanoutWorld.Outcome()
    private var submitted = SubmitWorld.Outcome()
    private var worked = WorkWorld.Outcome()
    private var broken = 0

    init(_ worlds: [World], steps: Int, planting flaw: Flaw?, isVerbose: Bool) {
        self.worlds = worlds
        self.steps = steps
        self.flaw = flaw
        self.isVerbose = isVerbose
    }

    /// Runs these seeds, and says what they came to.
    mutating func run(_ seeds: Range<Int>) -> ExitStatus {
        let clock = ContinuousClock()
        let began = clock.now
        for seed in seeds {
            var isBroken = false
            for world in worlds {
                guard let violation = run(world, UInt64(seed)) else { continue }
                isBroken = true
                Output.standard.line("seed \(seed), \(world): \(violation)")
            }
            if isBroken { broken += 1 }
        }
        tell(seeds.count, began.duration(to: clock.now))
        return broken == 0 ? .success : .nothingFound
    }

    private mutating func run(_ kind: World, _ seed: UInt64) -> Violation? {
        switch kind {
        case .fanout:
            var plan = FanoutWorld.Plan(seed: seed)
            plan.steps = steps
            plan.flaw = flaw
            var world = FanoutWorld(plan)
            let outcome = world.run()
            published.add(outcome)
            note(
                kind, seed, outcome.steps, outcome.trace,
                "\(outcome.delivered) delivered, \(outcome.gaps) gaps")
            return outcome.violation
        case .submit:
            var world = SubmitWorld(seed: seed, steps: steps, flaw: flaw)
            let outcome = world.run()
            submitted.add(outcome)
            note(kind, seed, outcome.steps, outcome.trace, "\(outcome.stored) submitted and stored")
            return outcome.violation
        case .work, .slow:
            var world = WorkWorld(
                seed: seed, steps: steps, flaw: flaw, pace: kind == .slow ? .slow : .hasty)
            let outcome = world.run()
            worked.add(outcome)
            note(
                kind, seed, outcome.steps, outcome.trace,
                "\(outcome.begun) handlers, \(outcome.dead) set aside")
            return outcome.violation
        }
    }

    private func note(
        _ world: World, _ seed: UInt64, _ steps: Int, _ trace: UInt64, _ what: String
    ) {
        guard isVerbose else { return }
        Output.standard.line(
            "seed \(seed), \(world): \(steps) steps, \(what), trace \(String(trace, radix: 16))")
    }

    private func tell(_ count: Int, _ time: Duration) {
        let steps = published.steps + submitted.steps + worked.steps
        let rate = Int(Double(steps) / max(time / .seconds(1), 0.001))
        let simulated = published.simulated + submitted.simulated + worked.simulated
        Output.standard.line(
            "\(count) seeds, \(Int(simulated / .seconds(60))) minutes of simulated time, "
                + "\(steps) steps (\(rate)/s): \(published.attempted) events published, "
                + "\(published.delivered) delivered, \(published.gaps) gaps naming "
                + "\(published.reportedLost)")
        tell(published.sometimes)
        Output.standard.line(
            "\(submitted.submitted) events given to producers, \(submitted.stored) stored")
        tell(submitted.sometimes)
        Output.standard.line(
            "\(worked.published) events shared by workers, \(worked.begun) handlers begun, "
                + "\(worked.dead) events set aside")
        tell(worked.sometimes)
        Output.standard.line(
            broken == 0 ? "every promise was kept" : "\(broken) seeds broke a promise")
    }

    private func tell(_ sometimes: [String: Int]) {
        for (what, times) in sometimes.sorted(by: { $0.key < $1.key }) {
            Output.standard.line("  \(what): \(times)")
        }
    }
}
