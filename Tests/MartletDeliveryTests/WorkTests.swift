import MartletTestKit
import Testing

/// Groups of workers share events in simulated worlds.
@Suite struct WorkTests {
    @Test(arguments: 1...4) func everyEventEndsOnceInEachGroup(part: Int) {
        for seed in UInt64(part * 1_000)..<UInt64(part * 1_000 + 30) {
            var world = WorkWorld(seed: seed)
            let outcome = world.run()
            #expect(outcome.violation == nil, "seed \(seed): \(String(describing: outcome.violation))")
            #expect(outcome.begun > 0)
        }
    }
}
