import Foundation
import MartletEvents
import Testing

/// Frames: what is written is read, and nothing else is.
@Suite struct FrameTests {
    @Test(arguments: GoldenFrame.allCases)
    func theBytesAreThoseThatAreCheckedIn(golden: GoldenFrame) throws {
        #expect(try golden.built() == golden.bytes())
    }

    @Test(arguments: GoldenFrame.allCases)
    func theProtocolPageShowsTheSameBytes(golden: GoldenFrame) throws {
        let page = try String(
            contentsOf: Files.root.appendingPathComponent("Docs/protocol.md"), encoding: .utf8)
        let lines = page.components(separatedBy: "\n")
        let mark = try #require(lines.firstIndex(of: "<!-- golden \(golden.rawValue) -->"))
        let shown = lines[(mark + 2)...].prefix { $0 != "```" }
            .map { $0.prefix(51).prefix { $0.isHexDigit || $0 == " " } }
        #expect(hex(shown.joined()) == (try golden.bytes()))
    }

    @Test(arguments: GoldenFrame.allCases)
    func everyTruncationIsRefused(golden: GoldenFrame) throws {
        let bytes = try golden.bytes()
        for count in 0..<bytes.count {
            #expect(throws: MartletError.self) { try Frame(Bytes(Array(bytes[..<count]))) }
            // Without the checksum the structure alone must do; what it lets pass must be readable.
            Self.walk(try? Frame(Bytes(Array(bytes[..<count])), verifyingChecksum: false))
        }
    }

    @Test(arguments: GoldenFrame.allCases)
    func everyFlippedBitIsRefused(golden: GoldenFrame) throws {
        let bytes = try golden.bytes()
        for bit in 0..<bytes.count * 8 {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: MartletError.self, "bit \(bit)") { try Frame(Bytes(flipped)) }
            Self.walk(try? Frame(Bytes(flipped), verifyingChecksum: false))
        }
    }

    @Test func aByteMoreIsRefused() throws {
        let bytes = try GoldenFrame.plain.bytes() + [0]
        #expect(throws: MartletError.self) { try Frame(Bytes(bytes)) }
    }

    @Test func readsWhatTheGoldensSay() throws {
        let frame = try Frame(Bytes(GoldenFrame.plain.bytes()))
        #expect(frame.channel == Channel(node: .sample, stream: "orders", lane: 0))
        #expect(frame.header.epoch == Epoch(start: 2, random: 0xCAFE))
        #expect(frame.sequences == 17..<19)
        #expect(frame.map(\.sequence) == [17, 18])
        #expect(frame[1].payload == Bytes(utf8: #"{"cents":990}"#))
        #expect(frame[1].time == .sample.adding(1_500))
        #expect(frame[1].time.description == "2026-11-24T08:30:00.0015Z")
        #expect(
            frame[1].id == "00112233445566778899aabbccddeeff/orders/0/8589986558/18")
        #expect(Position(frame[1].id) == frame[1].position)
        #expect(frame[1].source == "martlet:00112233445566778899aabbccddeeff")
        #expect(frame[1].type == "orders.placed")
        #expect(frame[1].topic == "orders.placed")
        #expect(frame[1].contentType == .json)
        #expect(frame[1].key == nil)
        #expect(frame[1].attributes.isEmpty)
    }

    @Test func readsEveryPartOfARecord() throws {
        let event = try Frame(Bytes(GoldenFrame.full.bytes()))[0]
        #expect(event.key == "customer-9")
        #expect(event.eventID == EventID(source: "/checkout", id: "A-17"))
        #expect(event.explicitID == "A-17")
        #expect(event.type == "com.example.order")
        #expect(event.schema == "https://example.com/order.json")
        #expect(event.attributes.subject == "A-17")
        #expect(event.attributes.correlationID == "c-1")
        #expect(event.attributes.expiryTime == .sample)
        #expect(event.attributes.dataReference == "/blobs/7")
        #expect(event.attributes["digest"] == .binary(Bytes([0xDE, 0xAD])))
        #expect(event.attributes["home"] == .uri("https://example.com"))
        #expect(event.attributes["priority"] == 2)
        #expect(event.attributes["urgent"] == true)
        #expect(event.payload == Bytes([0xA1, 0x61, 0x6E, 0x01]))
        #expect(event.payloadByteCount == 4)
        #expect(event.withPayload { $0.byteCount } == 4)
    }

    @Test func aBeatSaysWhatComesNext() throws {
        let beat = try Frame(Bytes(GoldenFrame.beat.bytes()))
        #expect(beat.isBeat)
        #expect(beat.isEmpty)
        #expect(beat.sequences == 17..<17)
        #expect(beat.header.firstSequence == 17)
    }

    /// The fast paths end where lengths, times and numbers of definitions take another byte.
    @Test(arguments: [
        0, 1, 2, 121, 122, 123, 124, 125, 126, 127, 128, 16_378, 16_379, 16_380,
        16_381, 16_382, 16_384, 65_000,
    ])
    func payloadsOfAllSizesComeBack(size: Int) throws {
        let definition = try EventDefinition(topic: "orders.placed")
        let times: [Int64] = [
            0, 63, 64, -64, -65, 8_191, 8_192, 1_048_575, 1_048_576, -1_048_577,
            1 << 40,
        ]
        let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        for time in times {
            var builder = FrameBuilder.sample()
            try builder.add([1], definition)
            if try builder.append(
                payload.span.bytes, as: 0, at: .sample.adding(time)) == nil
            {
                _ = builder.seal()
                try builder.add(payload, definition, at: .sample.adding(time))
            }
            let event = try #require(try Frame(builder.seal()).last)
            #expect(event.payload.array() == payload)
            #expect(event.time == .sample.adding(time))
        }
    }

    @Test func framesGoOnWhereTheLastOneEnded() throws {
        var builder = FrameBuilder.sample(nextSequence: 1)
        let definition = try EventDefinition(topic: "orders.placed")
        try builder.add([1], definition)
        try builder.add([2], definition)
        #expect(try Frame(builder.seal()).sequences == 1..<3)
        let isEmpty = builder.isEmpty
        #expect(isEmpty)
        try builder.add([3], definition)
        #expect(try Frame(builder.seal()).sequences == 3..<4)
        #expect(try Frame(builder.seal()).header.firstSequence == 4)
    }

    @Test func aFrameKeepsToItsSizeAndALargeEventTravelsAlone() throws {
        let definition = try EventDefinition(topic: "orders.placed")
        var builder = FrameBuilder(
            channel: Channel(node: .sample, stream: "orders", lane: 0),
            epoch: Epoch(rawValue: 1), frameBytes: 1_000)
        let payload = [UInt8](repeating: 7, count: 100)
        var sealed: [Frame] = []
        for number in 0..<100 {
            while true {
                if let kind = try builder.define(definition),
                    try builder.append(payload.span.bytes, as: kind, at: .sample) != nil
                {
                    break
                }
                sealed.append(try Frame(builder.seal()))
            }
            if number == 50 {
                sealed.append(try Frame(builder.seal()))
                try builder.add([UInt8](repeating: 9, count: 500_000), definition)
                sealed.append(try Frame(builder.seal()))
            }
        }
        sealed.append(try Frame(builder.seal()))
        #expect(sealed.allSatisfy { $0.bytes.count <= 1_000 || $0.count == 1 })
        #expect(sealed.flatMap { $0.map(\.sequence) } == Array(1...101))
        #expect(sealed.contains { $0.count == 1 && $0[0].payloadByteCount == 500_000 })
    }

    @Test func anEventBeyondTheLimitIsRefusedAndNothingIsLost() throws {
        var builder = FrameBuilder.sample()
        let definition = try EventDefinition(topic: "orders.placed")
        try builder.add([1], definition)
        let tooLarge = [UInt8](repeating: 0, count: Limits.eventBytesMax)
        #expect(throws: MartletError.self) { try builder.add(tooLarge, definition) }
        #expect(throws: MartletError.self) { try builder.add(tooLarge, definition, key: "k") }
        #expect(throws: MartletError.self) { try builder.add([], definition, key: "") }
        #expect(throws: MartletError.self) { try builder.add([], definition, key: "a\u{1}b") }
        try builder.add([2], definition)
        let frame = try Frame(builder.seal())
        #expect(frame.map { $0.payload.array() } == [[1], [2]])
    }

    @Test func topicsOfOtherStreamsAreRefused() throws {
        var builder = FrameBuilder.sample()
        let other = try EventDefinition(topic: "payments.made")
        #expect(throws: MartletError.self) { try builder.define(other) }
    }

    /// What a codec appends and fails to finish leaves no trace.
    @Test func encodesInPlace() throws {
        var builder = FrameBuilder.sample()
        let kind = try #require(
            try builder.define(EventDefinition(topic: "orders.placed", contentType: .json)))
        let numbers = Array(0..<100)
        for count in [0, 1, 30, 31, 100] {
            _ = try builder.append(as: kind, at: .sample) { (buffer) throws(MartletError) in
                try JSONCodec().encode(Array(numbers.prefix(count)), into: &buffer)
            }
            #expect(throws: MartletError.self) {
                try builder.append(as: kind, at: .sample) { (buffer) throws(MartletError) in
                    try buffer.append([1, 2, 3].span.bytes)
                    try JSONCodec().encode([Double.nan], into: &buffer)
                }
            }
        }
        let frame = try Frame(builder.seal())
        #expect(try frame.map { try $0.decode(as: [Int].self).count } == [0, 1, 30, 31, 100])
    }

    /// Goes through all that a frame offers; only memory safety is at stake.
    static func walk(_ frame: Frame?) {
        guard let frame else { return }
        for event in frame {
            _ = (event.key, event.id, event.source, event.attributes, event.time, event.payload)
            _ = event.detached().payload
        }
    }
}

extension FrameTests {
    /// A frame that is read like another is what it is without that one.
    @Test func readingLikeAnotherChangesNothing() throws {
        let kinds = try ["orders.placed", "orders.paid", "orders.placed.late"].map {
            try EventDefinition(topic: Topic($0), contentType: .text)
        }
        let channel = Channel(node: .sample, stream: "orders", lane: 0)
        var builder = FrameBuilder(channel: channel, epoch: Epoch(start: 1, random: 1))
        var frames: [Frame] = []
        // Kinds alone and together, in either order, and none.
        for chosen in [[0], [0], [1], [0, 1], [1, 0], [2], []] as [[Int]] {
            for kind in chosen {
                _ = try builder.append(
                    "\(kind)", with: TextCodec(), of: kinds[kind], at: .sample)
            }
            frames.append(try Frame(builder.seal()))
        }
        frames.append(contentsOf: frames[3].map { $0.detached().frame })
        for frame in frames {
            for other in frames {
                let read = try Frame(frame.bytes, like: other)
                #expect(read.map(\.topic) == frame.map(\.topic))
                #expect(read.map(\.payload) == frame.map(\.payload))
                #expect(read.map(\.definition) == frame.map(\.definition))
            }
        }
    }

    /// The record of another frame is not taken for one of another stream, nor for a damaged one.
    @Test func whatIsUnlikeIsRefusedAllTheSame() throws {
        let golden = try Frame(Bytes(GoldenFrame.plain.bytes()))
        let bytes = try GoldenFrame.plain.bytes()
        var renamed = bytes
        renamed[0] ^= 1
        #expect(throws: MartletError.self) {
            try Frame(Bytes(renamed), verifyingChecksum: false, like: golden)
        }
        for count in 0..<bytes.count {
            #expect(throws: MartletError.self) {
                try Frame(
                    Bytes(Array(bytes[..<count])), verifyingChecksum: false, like: golden)
            }
        }
    }
}
