import Testing

@testable import MartletDelivery

/// A worker, step by step: when frames go as they are, and what makes it take them apart.
@Suite struct WorkerTests {
    static let node = NodeID(high: 1, low: 2)
    static let now = MonotonicTime(microseconds: 1_000_000)

    /// A worker that has joined, and the publisher that gives it work.
    struct Stage {
        var worker: Worker
        private var next: UInt64 = 1
        private var lastWork: UInt64 = 0
        private var round: UInt64 = 0

        init() throws {
            let group = try GroupDefinition(named: "g", patterns: ["jobs.>"])
            worker = try Worker(group, width: 4, at: now)
            worker.began(
                7, with: Instance(node: node, epoch: .init(start: 1, random: 1)), peer: 0, at: now)
            for case .join(_, let join) in worker.takeMessages().map(\.message) {
                round = join.round
            }
            worker.receive(
                .joined(session: 7, WorkJoined(group: "g", round: round)), from: 0, at: now)
            worker.echoed(now, peer: 0, at: now)
        }

        /// Gives it a frame of events with these keys; nil is none.
        mutating func give(_ keys: [String?], lane: Int = 1) throws {
            var builder = FrameBuilder(
                channel: Channel(node: node, stream: "jobs", lane: lane),
                epoch: Epoch(start: 1, random: 1), nextSequence: next)
            let kind = try EventDefinition(topic: "jobs.new", contentType: .text)
            for key in keys {
                _ = try builder.append("x", with: TextCodec(), of: kind, at: .earliest, key: key)
            }
            next += UInt64(keys.count)
            lastWork += 1
            let work = Work(
                group: "g", round: round, number: lastWork,
                leases: [.init(fence: 5, attempt: 1, mayRepeat: false)], frames: [builder.seal()])
            worker.receive(.work(session: 7, work), from: 0, at: now)
        }

        mutating func take(_ count: Int = 100) -> HeldEvents { worker.take(atMost: count, at: now) }

        /// What it has said since: done, and returned.
        mutating func said() -> (done: [Range<UInt64>], returned: [Range<UInt64>]) {
            worker.flush(at: now)
            var said: (done: [Range<UInt64>], returned: [Range<UInt64>]) = ([], [])
            for case .results(_, let results) in worker.takeMessages().map(\.message) {
                for result in results.results {
                    switch result.verdict {
                    case .done, .value: said.done += result.sequences.ranges
                    case .returned: said.returned += result.sequences.ranges
                    case .retry, .reject: break
                    }
                }
            }
            return said
        }
    }

    @Test func aFrameGoesToOneHandlerAsItIs() throws {
        var stage = try Stage()
        try stage.give(["a", "b", "a"])
        try stage.give(["c"])
        let first = stage.take()
        #expect(first.numbers == [1, 2, 3])
        // The next of its lane waits for it, whatever its keys.
        #expect(stage.take().isEmpty)
        stage.worker.finishDone(first[0..<2])
        #expect(stage.take().isEmpty)
        stage.worker.finishDone(first[2..<3])
        #expect(stage.take().numbers == [4])
        #expect(stage.said().done == [1..<4])
    }

    @Test func lanesGoSideBySide() throws {
        var stage = try Stage()
        try stage.give(["a"], lane: 1)
        try stage.give(["b"], lane: 2)
        #expect(stage.take().numbers == [1])
        #expect(stage.take().numbers == [2])
    }

    /// Events without a key wait for nothing.
    @Test func oneFrameWithoutKeysFeedsMany() throws {
        var stage = try Stage()
        try stage.give([nil, nil, nil], lane: 0)
        #expect(stage.worker.readiness.handlers == 3)
        #expect(stage.take(2).numbers == [1, 2])
        #expect(stage.take(2).numbers == [3])
    }

    @Test func whatIsUnfoldedGoesByItsKeys() throws {
        var stage = try Stage()
        try stage.give(["a", "b"])
        try stage.give(["a", "c", "b"])
        let first = stage.take(1)
        #expect(first.numbers == [1])
        stage.worker.unfold()
        let second = stage.take(1)
        #expect(second.numbers == [2], "another key need not wait")
        stage.worker.unfold()
        let third = stage.take()
        #expect(third.numbers == [4])
        // Each key goes on when its own event has ended.
        stage.worker.finishDone(first)
        let fourth = stage.take()
        #expect(fourth.numbers == [3])
        stage.worker.finishDone(second)
        #expect(stage.take().numbers == [5])
    }

    /// While something is unfolded, nothing goes as it is: it might overtake.
    @Test func nothingGoesFoldedBesideWhatIsNot() throws {
        var stage = try Stage()
        try stage.give(["a"])
        let first = stage.take()
        stage.worker.unfold()
        try stage.give(["a", "b"])
        #expect(stage.take().isEmpty)
        stage.worker.finishDone(first)
        #expect(stage.take().numbers == [2, 3])
    }

    @Test func whatFollowsAFailureGoesBack() throws {
        var stage = try Stage()
        try stage.give(["a", "b", "a"])
        try stage.give(["b", "a"])
        let events = stage.take()
        stage.worker.finish(events[0], .retry(after: nil, reason: "no"))
        // Its followers wait here no more; those of others do.
        #expect(stage.worker.finishFollowing(events) == [3])
        #expect(stage.take().numbers == [4])
        let said = stage.said()
        #expect(said.done == [2..<3])
        #expect(said.returned == [3..<4, 5..<6])
    }

    @Test func whatIsPutBackKeepsItsPlace() throws {
        var stage = try Stage()
        try stage.give(["a", "a", "b", "a"])
        try stage.give(["a"])
        let events = stage.take()
        stage.worker.putBack(events[1..<4])
        #expect(stage.take().numbers == [3])
        stage.worker.finishDone(events[0..<1])
        #expect(stage.take().numbers == [2, 4])
    }

    /// What was taken is counted apart from what waits, whatever becomes of it.
    @Test func whatWaitsIsCounted() throws {
        var stage = try Stage()
        try stage.give(["a", "b", "c"])
        #expect(stage.worker.readiness == (1, 3))
        let events = stage.take()
        #expect(stage.worker.readiness == (0, 0))
        stage.worker.finishDone(events[0..<1])
        stage.worker.putBack(events[1..<3])
        #expect(stage.worker.readiness == (2, 2))
    }
}

extension HeldEvents {
    fileprivate var numbers: [UInt64] { (0..<count).map { self[$0].event.sequence } }
}

extension Worker {
    /// Ends what follows the first event as a handler does that must not go on with its key, and
    /// returns what it gave back.
    fileprivate mutating func finishFollowing(_ events: HeldEvents) -> [UInt64] {
        var back: [UInt64] = []
        for place in 1..<events.count {
            let isSameKey = events[place].strand == events[0].strand
            if isSameKey { back.append(events[place].event.sequence) }
            finish(events[place], isSameKey ? .returned : .done)
        }
        return back
    }
}
