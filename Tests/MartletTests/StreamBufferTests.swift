import MartletDelivery
import Testing

@testable import Martlet
@testable import MartletCore

/// Frames between those who publish and the loop.
@Suite struct StreamBufferTests {
    private func buffer() throws -> StreamBuffer {
        StreamBuffer(
            try .live("orders", frameBytes: 4_096),
            of: Instance(node: NodeID(high: 1, low: 2), epoch: Epoch(start: 1, random: 7)))
    }

    /// Appends events until so many frames wait.
    private func fill(_ buffer: StreamBuffer, with count: Int) throws {
        let definition = try EventDefinition(topic: "orders.placed", contentType: .bytes)
        let kind = PublishedKind(definition: definition, number: buffer.register(definition))
        let payload = Bytes([UInt8](repeating: 7, count: 1_000))
        // Three fit in a frame, and the one that does not ends it.
        for _ in 0...3 * count {
            _ = try payload.withBytes { (span) throws(MartletError) in
                try buffer.append(span, at: .earliest, kind)
            }
        }
    }

    private func take(_ buffer: StreamBuffer) -> SealedFrame? {
        guard case .frame(let frame, wasOpen: false) = buffer.take(openToo: false) else {
            return nil
        }
        return frame
    }

    /// A publisher that is always held up never takes the last frame: what it has taken must go
    /// nevertheless.
    @Test func whatIsTakenIsNotKept() throws {
        let buffer = try buffer()
        try fill(buffer, with: 200)
        for _ in 0..<150 {
            weak var keeper: AnyObject?
            do {
                let frame = try #require(take(buffer))
                #expect(frame.sequences.count == 3)
                keeper = frame.bytes.keeper
                #expect(keeper != nil)
            }
            #expect(keeper == nil)
        }
        #expect(!buffer.isEmpty)
    }

    @Test func framesLeaveInTheirOrder() throws {
        let buffer = try buffer()
        var next: UInt64 = 1
        for round in 0..<20 {
            try fill(buffer, with: 10)
            for _ in 0..<(round == 19 ? 200 : 5) {
                guard let frame = take(buffer) else { break }
                #expect(frame.sequences.lowerBound == next)
                next = frame.sequences.upperBound
            }
        }
        #expect(take(buffer) == nil)
        guard case .frame(let last, wasOpen: true) = buffer.take(openToo: true) else {
            Issue.record("the open frame is missing")
            return
        }
        #expect(last.sequences.lowerBound == next)
        #expect(buffer.isEmpty)
    }
}
