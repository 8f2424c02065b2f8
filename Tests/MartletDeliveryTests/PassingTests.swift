import Testing

@testable import MartletDelivery
@testable import MartletTestKit

extension SubscriberChannelTests {
    /// What `pass` takes, `handle` would have delivered, and nothing else.
    @Test func theShortWayDoesWhatTheLongOneDoes() throws {
        let passed = try (1...200).reduce(0) { try $0 + Self.passed(seed: $1) }
        #expect(passed > 300)
    }

    /// How many frames took the short way in a random history.
    private static func passed(seed: UInt64) throws -> Int {
        var random = SimulationGenerator(seed: seed)
        var dialogue = Dialogue(bufferBytes: 1_200)
        var passed = 0
        if !seed.isMultiple(of: 5) { dialogue.follow() }
        for _ in 0..<40 {
            switch Int.random(in: 0..<12, using: &random) {
            case 0:
                _ = dialogue.handle(.consumed(byteCount: Int.random(in: 0..<600, using: &random)))
            case 1: _ = dialogue.handle(.detached(afterGoodbye: false))
            case 2: _ = dialogue.handle(.attached(dialogue.maker.epoch))
            case 3: _ = try dialogue.maker.frame(1)
            case 4: _ = dialogue.end(.done, dialogue.maker.next)
            case 5: dialogue.now = dialogue.now + .seconds(1)
            default:
                let isBeat = Int.random(in: 0..<8, using: &random) == 0
                let count = Int.random(in: 1...3, using: &random)
                let frame = try isBeat ? dialogue.maker.beat() : dialogue.maker.frame(count)
                var short = dialogue.reader
                let isPassed = short.pass(frame)
                let words = dialogue.handle(.published(frame))
                guard isPassed else { continue }
                passed += 1
                #expect(
                    words == [
                        "deliver \(frame.sequences.lowerBound)..<\(frame.sequences.upperBound)"
                    ])
                #expect(String(reflecting: short) == String(reflecting: dialogue.reader))
            }
        }
        return passed
    }
}
