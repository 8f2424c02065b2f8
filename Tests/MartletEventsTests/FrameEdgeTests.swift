import MartletEvents
import Testing

/// Frames at their limits, and in careless hands.
@Suite struct FrameEdgeTests {
    @Test func anEncoderCannotTakeBackWhatOthersWrote() throws {
        var builder = FrameBuilder.sample()
        let kind = try #require(try builder.define(EventDefinition(topic: "orders.placed")))
        _ = try builder.append([1, 2 as UInt8].span.bytes, as: kind, at: .sample)
        _ = try builder.append(as: kind, at: .sample) { (buffer) throws(MartletError) in
            let isEmpty = buffer.isEmpty
            #expect(isEmpty)
            try buffer.append([7, 7 as UInt8].span.bytes)
            buffer.removeAll()
            try buffer.append([3 as UInt8].span.bytes)
            let bytes = buffer.bytes()
            #expect(bytes == Bytes([3]))
        }
        #expect(try Frame(builder.seal()).map { $0.payload.array() } == [[1, 2], [3]])
    }

    @Test func aLargeFrameHoldsOneEvent() throws {
        var builder = FrameBuilder.sample()
        try builder.add(
            [UInt8](repeating: 1, count: 300_000), EventDefinition(topic: "orders.placed"))
        var bytes = builder.seal().array()
        #expect(try Frame(Bytes(bytes)).count == 1)
        // The count stands 40 bytes into the header, behind the name.
        bytes["orders".utf8.count + 3 + 40] = 2
        #expect(throws: MartletError.self) { try Frame(Bytes(bytes), verifyingChecksum: false) }
    }

    /// Time grows with the events, not with its square: a quadratic walk takes minutes here.
    @Test func slicesOfManyRangesAreWalkedOnce() throws {
        var builder = FrameBuilder(
            channel: Channel(node: .sample, stream: "orders", lane: 0), epoch: Epoch(rawValue: 1),
            frameBytes: Limits.frameBytesTargetMax)
        let kind = try #require(try builder.define(EventDefinition(topic: "orders.placed")))
        let nothing: [UInt8] = []
        while try builder.append(nothing.span.bytes, as: kind, at: .sample) != nil {}
        let frame = try Frame(builder.seal())
        #expect(frame.count > 60_000)
        let slice = try #require(frame.slice { $0.sequence.isMultiple(of: 2) })
        var sum: UInt64 = 0
        for _ in 0..<20 { slice.forEach { sum &+= $0.sequence } }
        for event in slice { sum &+= event.sequence }
        #expect(
            sum == 21 * frame.reduce(0) { $0 + ($1.sequence.isMultiple(of: 2) ? $1.sequence : 0) })
        for event in slice {
            #expect(slice.event(numbered: event.sequence)?.sequence == event.sequence)
        }
        #expect(slice.slice { $0.sequence.isMultiple(of: 4) }?.count == slice.count / 2)
    }

    /// The ranges of a slice must rise and name as many numbers as there are events.
    @Test(
        arguments: [
            [1, 0, 2], [2, 0, 1, 1, 2], [2, 0, 2, 1, 1], [2, 1, 1, 1, 1], [2, 0, 1, 0, 1],
            [0, 0, 1, 1, 1],
            [3, 0, 1, 1, 1], [2, 0, 0, 1, 2],
        ] as [[UInt8]])
    func rangesThatAreNot(ranges: [UInt8]) throws {
        let golden = try GoldenFrame.slice.bytes()
        let start = "orders".utf8.count + 3 + 64
        #expect(Array(golden[start..<start + 5]) == [2, 0, 1, 1, 1])
        var bytes = Array(golden[..<start]) + ranges + golden[(start + 5)...]
        // The length of the body stands 44 bytes into the header.
        bytes[start - 64 + 44] = UInt8(bytes.count - start)
        let frame = try? Frame(Bytes(bytes), verifyingChecksum: false)
        #expect((frame != nil) == (ranges == [1, 0, 2]))
    }

    /// Texts that look the same and have other bytes are different topics, as they are to ZeroMQ.
    @Test func topicsDifferByTheirBytes() throws {
        let composed: Topic = "orders.caf\u{E9}"
        let decomposed: Topic = "orders.cafe\u{301}"
        #expect(composed != decomposed)
        var builder = FrameBuilder.sample()
        try builder.add([1], EventDefinition(topic: composed, type: "orders.cafe\u{301}"))
        try builder.add([2], EventDefinition(topic: decomposed))
        let frame = try Frame(builder.seal())
        #expect(frame.map { Array($0.topic.text.utf8).count } == [12, 13])
        #expect(Array(frame[0].type.utf8).count == 13)
    }

    @Test func attributesToTheLastPlaceCrossAndComeBack() throws {
        var attributes = EventAttributes()
        for number in 0..<Limits.attributesMax {
            try attributes.set(AttributeName("a\(number)"), to: 1)
        }
        var builder = FrameBuilder.sample()
        try builder.add(
            [], EventDefinition(topic: "orders.placed", type: "other"), key: "k",
            attributes: attributes)
        let cloud = try Frame(builder.seal())[0].cloudEvent()
        #expect(cloud.key == "k")
        #expect(try cloud.topic() == "orders.placed")
        _ = try builder.append(cloud, at: .sample)
        #expect(try Frame(builder.seal())[0].attributes == attributes)
    }

    @Test func aSubjectMustBeATextThatIsAllowed() throws {
        var bytes = try GoldenFrame.full.bytes()
        let subject = Array("subject".utf8) + [3, 4] + Array("A-17".utf8)
        let place = try #require(
            (0..<bytes.count - subject.count).first {
                Array(bytes[$0..<$0 + subject.count]) == subject
            })
        #expect(throws: Never.self) { try Frame(Bytes(bytes), verifyingChecksum: false) }
        bytes[place + subject.count - 1] = 0x0A
        #expect(throws: MartletError.self) { try Frame(Bytes(bytes), verifyingChecksum: false) }
    }
}
