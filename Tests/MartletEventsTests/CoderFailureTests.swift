import Foundation
import MartletEvents
import Testing

/// What was caught, half written, or too large; and what errors may show.
@Suite struct CoderFailureTests {
    typealias Name = CoderEdgeTests.Name

    @Test(arguments: 0..<4)
    func caughtFailuresLeaveNothingHalfWritten(codec: Int) throws {
        struct Single: Encodable {
            func encode(to encoder: any Encoder) throws {
                var container = encoder.singleValueContainer()
                try? container.encode(Decimal.nan)
            }
        }
        struct Record: Encodable {
            func encode(to encoder: any Encoder) throws {
                var map = encoder.container(keyedBy: Name.self)
                try map.encode(Single(), forKey: Name("a"))
                try map.encode([String: Int](), forKey: Name("b"))
            }
        }
        let codec = CoderEdgeTests.codecs[codec]
        let bytes = try codec.encode(Record())
        #expect(
            try codec.decode([String: [String: Int]].self, from: bytes) == ["a": [:], "b": [:]])
        struct Wide: Encodable {
            func encode(to encoder: any Encoder) throws {
                var map = encoder.container(keyedBy: Name.self)
                try? map.encode(UInt128.max, forKey: Name("a"))
                try? map.encode(Single(), forKey: Name("b"))
                try map.encode(1, forKey: Name("c"))
            }
        }
        // Written whole or refused, but never with a key that has no value.
        if let bytes = try? codec.encode(Wide()) {
            #expect(throws: Never.self) { try codec.decode(JSONTests.Value.self, from: bytes) }
        }
    }

    @Test func caughtFailuresOfDirectTypesFailTheWhole() {
        struct Careless: DirectlyCodable {
            init() {}
            init(from reader: ValueReader) throws {}
            func write(to writer: ValueWriter) throws {
                try writer.map {
                    try? writer.field("a") { throw MartletError(.failed, "on purpose") }
                    try? writer.field("b") {
                        try writer.map { throw MartletError(.failed, "again") }
                    }
                    try writer.field("c", 1)
                }
            }
        }
        struct Silent: DirectlyCodable {
            init() {}
            init(from reader: ValueReader) throws {}
            func write(to writer: ValueWriter) throws {}
        }
        for codec in CoderEdgeTests.codecs {
            #expect(throws: MartletError.self) { try codec.encode(directly: Careless()) }
            #expect(throws: MartletError.self) { try codec.encode(directly: Silent()) }
        }
    }

    @Test func errorsShowNoValue() throws {
        enum Level: String, Codable { case low }
        struct Picky: Codable {
            init(from decoder: any Decoder) throws {
                let text = try decoder.singleValueContainer().decode(String.self)
                throw NSError(domain: text, code: 1)
            }
        }
        let secret = Bytes(utf8: #""my-secret-4711""#)
        for error in [
            #expect(
                throws: MartletError.self,
                performing: { try JSONCodec().decode(Level.self, from: secret) }),
            #expect(
                throws: MartletError.self,
                performing: { try JSONCodec().decode(Picky.self, from: secret) }),
            #expect(
                throws: MartletError.self,
                performing: { try JSONCodec().decode(Int.self, from: secret) }),
        ] {
            #expect(error.map { "\($0)".contains("secret") } == false)
            let failure = error?.cause as? CodingFailure
            #expect(failure.map { "\($0)".contains("secret") } == false)
        }
    }

    @Test(
        arguments: [
            ("9007199254740993.0", 9_007_199_254_740_993),
            ("12345678901234567e0", 12_345_678_901_234_567),
            ("9223372036854775807e0", .max), ("1.5e1", 15), ("-120e-1", -12), ("0e99999", 0),
            ("-0.0", 0),
            ("9007199254740993.5", nil), ("0.99999999999999999999", nil), ("1e-400", nil),
            ("1e30", nil),
            ("9223372036854775808", nil),
        ] as [(String, Int?)])
    func wholeNumbersAreExactInAnyForm(text: String, number: Int?) {
        #expect((try? JSONCodec().decode(Int.self, from: Bytes(utf8: text))) == number)
    }

    @Test func limitsMayBeRaisedAndLowered() throws {
        let text = String(repeating: "x", count: 2_000_000)
        let codec = JSONCodec(byteCountMax: 3_000_000)
        #expect(try codec.decode(String.self, from: codec.encode(text)) == text)
        #expect(throws: MartletError.self) { try JSONCodec().encode(text) }
        var buffer = EncodingBuffer(byteCountMax: .max)
        try codec.encode(text, into: &buffer)
        let count = buffer.count
        #expect(count == 2_000_002)
    }

    @Test func largeMapsOfNumbersAreFoundThrough() throws {
        let codec = MessagePackCodec()
        var bytes: [UInt8] = [0xDE, 0x4E, 0x20]
        for number in 0..<20_000 {
            bytes += [0xCD, UInt8(number >> 8), UInt8(number & 0xFF), UInt8(number % 100)]
        }
        let map = try codec.decode([Int: Int].self, from: Bytes(bytes))
        #expect(map.count == 20_000 && map[12_345] == 45)
        enum Key: Int, CodingKey { case first = 7, absent = 99_999 }
        struct Record: Decodable {
            var first: Int, hasAbsent: Bool
            init(from decoder: any Decoder) throws {
                let map = try decoder.container(keyedBy: Key.self)
                first = try map.decode(Int.self, forKey: .first)
                hasAbsent = (0..<1_000).contains { _ in map.contains(.absent) }
            }
        }
        let record = try codec.decode(Record.self, from: Bytes(bytes))
        #expect(record.first == 7 && !record.hasAbsent)
        // A number twice is as bad as a text twice.
        #expect(throws: MartletError.self) {
            try codec.decode([Int: Int].self, from: Bytes(hex("82010a010b")))
        }
    }

    @Test func tagsBeforeTagsAreBounded() {
        let tags = [UInt8](repeating: 0xC1, count: 31)
        let nested = (0..<31).reduce([0x00] as [UInt8]) { inner, _ in [0x81] + tags + inner }
        #expect(throws: MartletError.self) { try CBORCodec().decode(Int.self, from: Bytes(nested)) }
        #expect(throws: Never.self) { try CBORCodec().decode(Int.self, from: Bytes(tags + [5])) }
        #expect(throws: MartletError.self) {
            try CBORCodec().decode(Int.self, from: Bytes(tags + tags + [5]))
        }
    }

    @Test func theBuilderWritesWhatReadersAccept() throws {
        var attributes = EventAttributes()
        for number in 0..<Limits.attributesMax {
            try attributes.set(AttributeName("a\(number)"), to: 1)
        }
        let other = try EventDefinition(topic: "orders.placed", type: "other")
        var builder = FrameBuilder.sample()
        try builder.add([], other, attributes: attributes)
        let cloud = try Frame(builder.seal())[0].cloudEvent()
        #expect(throws: MartletError.self) {
            var builder = FrameBuilder.sample()
            try builder.add([], other, attributes: cloud.attributes)
        }
        let deep = String(repeating: "[", count: 31) + String(repeating: "]", count: 31)
        let event = try CloudEvent(
            id: "1", source: "s", type: "t", contentType: .json, data: Bytes(utf8: deep))
        #expect(throws: MartletError.self) { try CloudEventsJSON.encode(event) }
    }

    @Test func manySourcesOfOneTopicAreDefinedQuickly() throws {
        var builder = FrameBuilder.sample()
        for number in 0..<700 {
            let event = try CloudEvent(id: "\(number)", source: "s\(number)", type: "orders.placed")
            if try builder.append(event, at: .sample) == nil {
                _ = builder.seal()
                _ = try builder.append(event, at: .sample)
            }
        }
        #expect(try Frame(builder.seal()).last?.source == "s699")
    }
}
