import MartletTestKit
import Testing

/// Whole worlds. `make simulate` runs thousands; these show that it works, and that its checker
/// would notice.
@Suite struct SimulationTests {
    static func run(_ seed: UInt64, _ flaw: Flaw? = nil) -> FanoutWorld.Outcome {
        var plan = FanoutWorld.Plan(seed: seed)
        plan.flaw = flaw
        var world = FanoutWorld(plan)
        return world.run()
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func promisesAreKept(seed: UInt64) {
        let outcome = Self.run(seed)
        #expect(outcome.violation == nil)
        #expect(outcome.delivered > 100)
    }

    @Test func aSeedIsOneRun() {
        let outcome = Self.run(7)
        #expect(Self.run(7) == outcome)
        #expect(Self.run(8).trace != outcome.trace)
    }

    /// Each bug by the first seed that shows it, and the promise that it breaks.
    @Test(arguments: [
        (Flaw.answersSkipAFrame, 1 as UInt64, "I22"), (.noTailBeat, 2, "I22"),
        (.deliversTwice, 1, "I6"), (.cursorBeforeDelivery, 1, "I6"),
        (.deliversOutOfOrder, 1, "I6"), (.gapNotReported, 1, "I6"), (.epochNotRaised, 1, "I4"),
        (.truncatedAnsweredFromNewHistory, 6, "I22"), (.expiredAnsweredAsDone, 10, "I22"),
        (.everythingExpires, 11, "I6"), (.firstMeansNow, 1, "I6"),
        (.noRequestAfterReattach, 1, "I22"), (.ringWithoutBound, 1, "I18"),
        (.forgetsTheFirst, 1, "I6"), (.publishesBeforeCommit, 4, "I4"),
        (.neverSynchronizes, 14, "I1"), (.epochNotStored, 388, "I4"),
    ])
    func plantedBugsAreFound(flaw: Flaw, seed: UInt64, invariant: String) {
        #expect(Self.run(seed, flaw).violation?.invariant == invariant)
        #expect(Self.run(seed).violation == nil)
    }

    /// A world in which nothing rare happens shows nothing.
    @Test func rareStatesAreReached() {
        var total = FanoutWorld.Outcome()
        for seed in 1...14 as ClosedRange<UInt64> { total.add(Self.run(seed)) }
        for state in [
            "a gap: expired", "a gap: instanceGone", "a session was given up",
            "a paused reader lost a published message", "wound: publisherDown", "wound: readerDown",
            "wound: diskFails", "a commit failed", "the journal was read for a reader",
        ] {
            #expect(total.sometimes[state] ?? 0 > 0, "\(state)")
        }
    }
}
