import MartletTestKit
import Testing

/// Groups of workers that share events, and everything that can go wrong between them. `make
/// simulate` runs thousands; these show that it works, and that its checker would notice.
@Suite struct WorkTests {
    static func run(
        _ seed: UInt64, _ flaw: Flaw? = nil, _ pace: WorkWorld.Pace = .hasty, steps: Int = 1_500
    ) -> WorkWorld.Outcome {
        var world = WorkWorld(seed: seed, steps: steps, flaw: flaw, pace: pace)
        return world.run()
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func everyEventEndsOnceInEachGroup(seed: UInt64) {
        let outcome = Self.run(seed)
        #expect(outcome.violation == nil)
        #expect(outcome.begun > 20)
    }

    /// With silences that are longer than a lease.
    @Test(arguments: 1...2 as ClosedRange<UInt64>)
    func slowWorldsKeepTheirPromises(seed: UInt64) {
        let outcome = Self.run(seed, nil, .slow, steps: 600)
        #expect(outcome.violation == nil)
        #expect(outcome.sometimes["a handler was cancelled"] ?? 0 > 0)
        #expect(outcome.sometimes["a session was given up"] ?? 0 > 0)
    }

    /// Where reopened events that a worker had when the publisher died were once given to another,
    /// and where a worker that had missed a life of the publisher claimed what others had by then.
    @Test(arguments: [
        (254 as UInt64, WorkWorld.Pace.hasty), (266, .slow),
    ])
    func worldsThatFoundBugsKeepTheirPromises(seed: UInt64, pace: WorkWorld.Pace) {
        #expect(Self.run(seed, nil, pace).violation == nil)
    }

    @Test func aSeedIsOneRun() {
        let outcome = Self.run(6)
        #expect(Self.run(6) == outcome)
        #expect(Self.run(8).trace != outcome.trace)
    }

    /// Each bug by the first seed that shows it, and the promise that it breaks.
    @Test(arguments: [
        (Flaw.followersGoOn, 2 as UInt64, "I12"), (.failuresVanish, 1, "I8"),
        (.leasesUnclaimedEarly, 2, "I8"), (.leasesFromLeasedThrough, 2, "I9"),
        (.attemptsInMemory, 2, "I10"), (.neverSynchronizes, 2, "I8"),
        (.settlesBeforeCommit, 22, "I7"), (.parksInMemory, 46, "I12"),
        (.reopensInMemory, 46, "I7"), (.releasesEarly, 7, "I12"), (.keepsItsRest, 1, "I8"),
    ])
    func plantedBugsAreFound(flaw: Flaw, seed: UInt64, invariant: String) {
        #expect(Self.run(seed, flaw).violation?.invariant == invariant)
        #expect(Self.run(seed).violation == nil)
    }

    /// A world in which nothing rare happens shows nothing.
    @Test func rareStatesAreReached() {
        var total = WorkWorld.Outcome()
        for seed in 1...18 as ClosedRange<UInt64> { total.add(Self.run(seed)) }
        for state in [
            "wound: nodeDown", "wound: diskFails", "wound: paused", "wound: outage",
            "a commit failed", "a worker died", "a worker drained", "a message was lost",
            "a session was given up", "a repeat was begun",
            "a poison event killed its worker", "an event was set aside: failed",
            "an event was set aside: rejected", "an event was set aside: lapsed",
            "an event was set aside: parked", "an event was tried again: parked",
            "a key was held", "keys of a channel went side by side",
            "an outcome was told: handled", "an outcome was told: dead",
        ] {
            #expect(total.sometimes[state] ?? 0 > 0, "\(state)")
        }
    }
}
