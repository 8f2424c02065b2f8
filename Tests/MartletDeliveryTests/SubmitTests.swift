import MartletTestKit
import Testing

/// Producers, their node and everything that can go wrong between them. `make simulate` runs
/// thousands; these show that it works, and that its checker would notice.
@Suite struct SubmitTests {
    static func run(_ seed: UInt64, _ flaw: Flaw? = nil) -> SubmitWorld.Outcome {
        var world = SubmitWorld(seed: seed, flaw: flaw)
        return world.run()
    }

    @Test(arguments: 1...3 as ClosedRange<UInt64>)
    func eachEventIsStoredOnce(seed: UInt64) {
        let outcome = Self.run(seed)
        #expect(outcome.violation == nil)
        #expect(outcome.stored > 20)
    }

    @Test func aSeedIsOneRun() {
        let outcome = Self.run(7)
        #expect(Self.run(7) == outcome)
        #expect(Self.run(8).trace != outcome.trace)
    }

    /// Each bug by the first seed that shows it, and the promise that it breaks.
    @Test(arguments: [
        (Flaw.producersNotStored, 1 as UInt64, "I15"), (.answersBeforeCommit, 3, "I3"),
        (.replacedGoesOn, 20, "I15"), (.appendsBehindHoles, 1, "I3"), (.numbersSkipOne, 1, "I22"),
        (.neverSynchronizes, 1, "I1"),
    ])
    func plantedBugsAreFound(flaw: Flaw, seed: UInt64, invariant: String) {
        #expect(Self.run(seed, flaw).violation?.invariant == invariant)
        #expect(Self.run(seed).violation == nil)
    }

    /// A world in which nothing rare happens shows nothing.
    @Test func rareStatesAreReached() {
        var total = SubmitWorld.Outcome()
        for seed in 1...4 as ClosedRange<UInt64> { total.add(Self.run(seed)) }
        for state in [
            "wound: nodeDown", "wound: diskFails", "a commit failed", "a producer died",
            "a producer was replaced", "the node was busy", "a request was lost",
            "an answer was lost", "a session was given up",
        ] {
            #expect(total.sometimes[state] ?? 0 > 0, "\(state)")
        }
    }
}
