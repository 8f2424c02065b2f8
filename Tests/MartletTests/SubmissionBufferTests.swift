import MartletDelivery
import Testing

@testable import Martlet

/// Who waits for what a producer has submitted.
@Suite struct SubmissionBufferTests {
    private static let node = NodeID(high: 1, low: 2)
    private static let epoch = Epoch(start: 1, random: 7)

    private func buffer(events count: Int) throws -> SubmissionBuffer {
        let buffer = SubmissionBuffer("web", NodeID(high: 0, low: 9))
        buffer.open(Self.epoch, next: 1, ["orders"])
        let kind = try EventDefinition(topic: "orders.placed", contentType: .bytes)
        let fields = EventFields(time: nil, key: nil, id: nil, attributes: nil)
        for _ in 0..<count {
            _ = try Bytes([1, 2, 3]).withBytes { (span) throws(MartletError) in
                try buffer.append(span, fields, kind)
            }
        }
        return buffer
    }

    private func rows(_ first: UInt64, _ sequences: Range<UInt64>) -> [SubmittedRun] {
        [
            SubmittedRun(
                first: first, stream: "orders", lane: 0, epoch: Self.epoch, sequences: sequences)
        ]
    }

    private var later: MonotonicTime { NodeClock.now + .seconds(60) }

    /// An answer that is faster than who waits for it tells where the event stands all the same.
    @Test func anAnswerMayComeFirst() async throws {
        let buffer = try buffer(events: 4)
        #expect(buffer.takeFrames().map(\.sequences) == [1..<5])
        buffer.stored(before: 4, at: Self.node, rows(1, 11..<14))
        for number in 1...3 as ClosedRange<UInt64> {
            #expect(try await buffer.wait(for: number, until: later)?.sequence == number + 10)
        }
        #expect(buffer.unconfirmedCount == 1)
    }

    /// Who waits at the end is told, and so is who comes then.
    @Test func nobodyWaitsForEver() async throws {
        try await within {
            let buffer = try self.buffer(events: 2)
            let waiting = Task { try await buffer.wait(for: 2, until: self.later) }
            await Task.yield()
            buffer.stored(before: 2, at: Self.node, self.rows(1, 1..<2))
            buffer.end()
            await #expect(throws: MartletError.self) { try await waiting.value }
            await #expect(throws: MartletError.self) {
                try await buffer.wait(for: 2, until: self.later)
            }
            #expect(try await buffer.wait(for: 1, until: self.later)?.sequence == 1)
            #expect(buffer.unconfirmedCount == 1)
        }
    }

    /// Its numbers outlive a failure, and waits and calls end with it.
    @Test func aFailureIsToldToAll() async throws {
        let buffer = try buffer(events: 2)
        buffer.fail(MartletError(.wrongState, "replaced"))
        #expect(buffer.nextNumber == 3)
        #expect(throws: MartletError.self) { try buffer.next() }
        let error = await #expect(throws: MartletError.self) {
            try await buffer.wait(for: 1, until: later)
        }
        #expect(error?.code == .wrongState)
    }

    /// A producer that is not answered takes so much and no more, and goes on when it is.
    @Test func whatIsOnItsWayIsBounded() throws {
        let buffer = try buffer(events: 0)
        let kind = try EventDefinition(topic: "orders.placed", contentType: .bytes)
        let fields = EventFields(time: nil, key: nil, id: nil, attributes: nil)
        let payload = Bytes([UInt8](repeating: 0, count: 50_000))
        func fill() throws -> Int {
            var count = 0
            while try payload.withBytes({ (span) throws(MartletError) in
                try buffer.append(span, fields, kind)
            }) != nil {
                count += 1
            }
            return count
        }
        let count = try fill()
        #expect((Limits.submissionBytes / 50_100...Limits.submissionBytes / 50_000 + 1) ~= count)
        let frames = buffer.takeFrames()
        #expect(frames.reduce(0) { $0 + $1.sequences.count } == count)
        buffer.stored(before: frames[count / 2].sequences.lowerBound, at: Self.node, [])
        #expect(try abs(fill() - count / 2) <= 1)
        buffer.stored(before: 1 << 40, at: Self.node, [])
    }
}
