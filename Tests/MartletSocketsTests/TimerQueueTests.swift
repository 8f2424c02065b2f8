import Testing

@testable import MartletSockets

@Suite struct TimerQueueTests {
    let start = ContinuousClock.now

    @Test func firesInOrderOfTimeAndThenOfArrival() {
        var queue = TimerQueue<Int>()
        for (delay, name) in [(30, 3), (10, 1), (20, 2), (10, 11)] {
            _ = queue.add(at: start + .milliseconds(delay), name)
        }
        #expect(queue.earliest == start + .milliseconds(10))
        #expect(queue.popDue(at: start + .milliseconds(9)) == nil)
        var fired: [Int] = []
        while let name = queue.popDue(at: start + .milliseconds(20)) { fired.append(name) }
        #expect(fired == [1, 11, 2])
        #expect(queue.count == 1)
        #expect(queue.removeAll() == [3])
        #expect(queue.earliest == nil)
    }

    @Test func cancelledTimersNeverFire() {
        var queue = TimerQueue<Int>()
        let tokens = (0..<200).map { queue.add(at: start + .milliseconds($0), $0) }
        for (number, token) in tokens.enumerated() where number % 3 != 0 {
            #expect(queue.cancel(token) == number)
            #expect(queue.cancel(token) == nil)
        }
        var fired: [Int] = []
        while let name = queue.popDue(at: start + .seconds(1)) { fired.append(name) }
        #expect(fired == (0..<200).filter { $0 % 3 == 0 })
    }

    /// Against sorting, with cancellations in between.
    @Test(arguments: 0..<20) func agreesWithASortedList(seed: UInt64) {
        var random = SplitMix(state: seed)
        var queue = TimerQueue<Int>()
        var model: [(delay: Int, name: Int, token: TimerQueue<Int>.Token)] = []
        for name in 0..<500 {
            switch random.next() % 4 {
            case 0 where !model.isEmpty:
                let victim = model.remove(at: Int(random.next() % UInt64(model.count)))
                #expect(queue.cancel(victim.token) == victim.name)
            case 1:
                let now = Int(random.next() % 100)
                while let fired = queue.popDue(at: start + .milliseconds(now)) {
                    let next = model.enumerated().min {
                        ($0.element.delay, $0.element.name) < ($1.element.delay, $1.element.name)
                    }
                    #expect(next?.element.name == fired)
                    if let next { model.remove(at: next.offset) }
                }
                #expect(model.allSatisfy { $0.delay > now })
            default:
                let delay = Int(random.next() % 100)
                let token = queue.add(at: start + .milliseconds(delay), name)
                model.append((delay, name, token))
            }
            #expect(queue.count == model.count)
        }
    }
}

/// Random numbers from a seed.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
