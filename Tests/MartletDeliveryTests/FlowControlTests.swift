import Testing

@testable import MartletDelivery

/// A stream that waits for its readers.
@Suite struct FlowControlTests {
    static func total(_ bytes: Int, frames: Int) -> FrameTotal {
        var total = FrameTotal()
        for _ in 0..<frames { total.add(bytes / frames) }
        return total
    }

    @Test func theWindowOfTheSlowestCounts() {
        var flow = FlowControl(windowBytes: 1_000, windowFrames: 100)
        let alone = flow.isHeldUp(at: .seconds(1))
        #expect(!alone)
        flow.began(1)
        flow.began(2)
        for _ in 0..<10 { flow.published(100, lane: 0) }
        let full = flow.isHeldUp(at: .seconds(1))
        #expect(full)
        flow.reached(Self.total(1_000, frames: 10), lane: 0, session: 1)
        let stillFull = flow.isHeldUp(at: .seconds(1))
        #expect(stillFull)
        flow.reached(Self.total(100, frames: 1), lane: 0, session: 2)
        let free = flow.isHeldUp(at: .seconds(1))
        #expect(!free)
    }

    @Test func manySmallFramesFillItToo() {
        var flow = FlowControl(windowBytes: 1_000, windowFrames: 5)
        flow.began(1)
        for lane in 0..<5 { flow.published(1, lane: lane) }
        let full = flow.isHeldUp(at: .seconds(1))
        #expect(full)
        flow.ended(1)
        let free = flow.isHeldUp(at: .seconds(1))
        #expect(!free)
    }

    @Test func whoIsTooSlowIsLeftUntilItHasCaughtUp() {
        var flow = FlowControl(windowBytes: 1_000, windowFrames: 100)
        flow.published(500, lane: 3)
        flow.began(1)
        flow.published(1_000, lane: 3)
        let full = flow.isHeldUp(at: .seconds(1))
        #expect(full)
        let stillFull = flow.isHeldUp(at: .seconds(1.9))
        #expect(stillFull)
        let left = flow.isHeldUp(at: .seconds(2))
        #expect(!left)
        #expect(flow.readerCount == 0)
        flow.reached(Self.total(900, frames: 2), lane: 3, session: 1)
        #expect(flow.readerCount == 0)
        flow.reached(Self.total(1_000, frames: 2), lane: 3, session: 1)
        #expect(flow.readerCount == 1)
    }

    /// A reader of the past is not waited for while it catches up.
    @Test func whoBeginsFarBehindIsNotWaitedFor() {
        var flow = FlowControl(windowBytes: 1_000, windowFrames: 100)
        for _ in 0..<5 { flow.published(1_000, lane: 0) }
        flow.began(1)
        let atOnce = flow.isHeldUp(at: .seconds(1))
        #expect(!atOnce)
        flow.reached(Self.total(1_000, frames: 1), lane: 0, session: 1)
        let far = flow.isHeldUp(at: .seconds(1))
        #expect(!far)
        #expect(flow.readerCount == 0)
    }
}
