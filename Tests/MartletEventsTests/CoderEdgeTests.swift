import Foundation
import MartletEvents
import Testing

/// What careless or hostile types and values do to coders.
@Suite struct CoderEdgeTests {
    struct Name: CodingKey {
        let stringValue: String
        var intValue: Int?
        init(_ text: String) { stringValue = text }
        init(stringValue: String) { self.init(stringValue) }
        init?(intValue: Int) { return nil }
    }

    static let codecs: [any Codec] = [
        JSONCodec(), MessagePackCodec(), CBORCodec(), CBORCodec(deterministic: true),
    ]

    /// Somebody keeps a container or a writer: the buffer of the caller stays as it is.
    @Test(arguments: 0..<3)
    func whatIsKeptWritesNoMore(codec: Int) throws {
        final class Loot: @unchecked Sendable {
            var map: KeyedEncodingContainer<Name>?
            var writer: ValueWriter?
        }
        struct Thief: Encodable, DirectlyCodable {
            let loot: Loot
            func encode(to encoder: any Encoder) throws {
                var map = encoder.container(keyedBy: Name.self)
                try map.encode(1, forKey: Name("a"))
                loot.map = map
            }
            func write(to writer: ValueWriter) throws {
                loot.writer = writer
                try writer.write(1)
            }
            init(_ loot: Loot) { self.loot = loot }
            init(from reader: ValueReader) throws { throw MartletError(.failed, "no") }
        }
        let loot = Loot()
        defer { (loot.map, loot.writer) = (nil, nil) }
        var buffer = EncodingBuffer()
        try Self.codecs[codec].encode(Thief(loot), into: &buffer)
        try Self.codecs[codec].encode(directly: Thief(loot), into: &buffer)
        let before = buffer.bytes()
        #expect(throws: MartletError.self) { try loot.map?.encode(2, forKey: Name("b")) }
        #expect(throws: MartletError.self) {
            try loot.writer?.write(String(repeating: "x", count: 99))
        }
        let after = buffer.bytes()
        #expect(before == after)
    }

    @Test func aReaderThatGoesTooFarFindsNothing() {
        struct Twice: DirectlyCodable {
            func write(to writer: ValueWriter) throws {}
            init(from reader: ValueReader) throws {
                try reader.map { _ in }
                try reader.map { _ in }
            }
        }
        #expect(throws: MartletError.self) {
            try JSONCodec().decode(directly: Twice.self, from: Bytes(utf8: "{}"))
        }
    }

    @Test func aFieldThatSaysNothingIsAnError() {
        struct Silent: DirectlyCodable {
            init() {}
            func write(to writer: ValueWriter) throws {
                try writer.map { try writer.field("a") {} }
            }
            init(from reader: ValueReader) throws {}
        }
        for codec in Self.codecs {
            #expect(throws: MartletError.self) { try codec.encode(directly: Silent()) }
        }
    }

    @Test(arguments: 0..<4)
    func aValueThatFailsLeavesNoTrace(codec: Int) throws {
        struct Failing: Encodable {
            func encode(to encoder: any Encoder) throws {
                var map = encoder.container(keyedBy: Name.self)
                try map.encode([1, 2, 3], forKey: Name("inner"))
                var part = map.nestedUnkeyedContainer(forKey: Name("part"))
                try part.encode(7)
                throw MartletError(.failed, "on purpose")
            }
        }
        struct Careless: Encodable {
            func encode(to encoder: any Encoder) throws {
                var map = encoder.container(keyedBy: Name.self)
                try? map.encode(Failing(), forKey: Name("a"))
                try? map.encode(Decimal.nan, forKey: Name("b"))
                try map.encode(1, forKey: Name("c"))
                try? map.encode(Failing(), forKey: Name("d"))
            }
        }
        let codec = Self.codecs[codec]
        let bytes = try codec.encode(Careless())
        #expect(try codec.decode([String: Int].self, from: bytes) == ["c": 1])
        #expect(throws: MartletError.self) { try codec.encode(Failing()) }
        #expect(throws: MartletError.self) { try codec.encode(["k": [Failing()]]) }
    }

    @Test func limitsAreThoseOfTheBytesThatAreWritten() throws {
        var buffer = EncodingBuffer(byteCountMax: 6)
        do throws(MartletError) {
            try buffer.append([1, 2, 3, 4, 5, 6, 7].span.bytes)
            Issue.record("seven bytes went into six")
        } catch { #expect(error.code == .messageTooLarge) }
        try JSONCodec().encode("abcd", into: &buffer)
        let count = buffer.count
        #expect(count == 6)
        for limit in 0..<3 {
            var tiny = EncodingBuffer(byteCountMax: limit)
            for codec in Self.codecs {
                do throws(MartletError) {
                    try codec.encode(["key": ["a": 1]], into: &tiny)
                    Issue.record("a map went into \(limit) bytes")
                } catch { #expect(error.code == .messageTooLarge) }
            }
        }
    }

    @Test func decimalsAreExactOrRefused() throws {
        let codec = JSONCodec()
        let decimals = [
            "3.14159265358979323846264338327950288419", "1e40", "1e-127", "-0.1", "1e120",
        ]
        for text in decimals {
            let decimal = try #require(Decimal(string: text))
            #expect(try codec.decode(Decimal.self, from: Bytes(utf8: text)) == decimal)
            for codec in Self.codecs {
                #expect(try codec.decode(Decimal.self, from: codec.encode(decimal)) == decimal)
            }
        }
        for text in ["1e-9223372036854775808", "1e999", "\"12abc\"", "\"\"", "\"[1]\"", "true"] {
            #expect(throws: MartletError.self, "\(text)") {
                try codec.decode(Decimal.self, from: Bytes(utf8: text))
            }
        }
        for bytes in ["cb7ff0000000000000", "cb7ff8000000000000", "cb7e37e43c8800759c"] {
            #expect(throws: MartletError.self) {
                try MessagePackCodec().decode(Decimal.self, from: Bytes(hex(bytes)))
            }
        }
    }

    @Test func wholeNumbersOfAllWidths() throws {
        let cbor = CBORCodec()
        for number in [Int128.min, .max, 0, -1, Int128(UInt64.max) + 1] {
            #expect(try cbor.decode(Int128.self, from: cbor.encode(number)) == number)
        }
        #expect(try cbor.decode(UInt128.self, from: cbor.encode(UInt128.max)) == .max)
        #expect(throws: MartletError.self) { try MessagePackCodec().encode(Int128.max) }
        #expect(try cbor.decode(Int.self, from: Bytes(hex("c24105"))) == 5)
        #expect(try cbor.decode([UInt8].self, from: Bytes(hex("81c2420005"))) == [5])
        #expect(throws: MartletError.self) {
            try cbor.decode([UInt8].self, from: Bytes(hex("81c2420305")))
        }
        #expect(try cbor.decode([Int8].self, from: Bytes(hex("81c3417f"))) == [-128])
        #expect(
            try JSONCodec().decode(Int.self, from: Bytes(utf8: "9007199254740993.0"))
                == 9_007_199_254_740_993)
        #expect(
            try JSONCodec().decode(Float.self, from: Bytes(utf8: "9007199791611905"))
                == Float(Int64(9_007_199_791_611_905)))
    }

    @Test func momentsAreExactToTheMicrosecond() throws {
        struct Moment: DirectlyCodable, Equatable {
            var moment: Timestamp
            init(_ moment: Timestamp) { self.moment = moment }
            func write(to writer: ValueWriter) throws { try writer.write(moment) }
            init(from reader: ValueReader) throws { moment = try reader.timestamp() }
        }
        let microseconds: [Int64] = [
            0, 1, -1, 10_413_792_000_000_001, -10_413_792_000_000_001, 1_795_509_000_123_456,
        ]
        let moments =
            [.earliest, .latest] + microseconds.compactMap { Timestamp(microseconds: $0) }
        for codec in Self.codecs {
            for moment in moments.map(Moment.init) {
                let bytes = try codec.encode(directly: moment)
                #expect(try codec.decode(directly: Moment.self, from: bytes) == moment)
            }
            let dates = [Date.distantPast, Date(timeIntervalSince1970: 0.25)]
            #expect(try codec.decode([Date].self, from: codec.encode(dates)) == dates)
        }
    }

    @Test func datesMayLieAsDeepAsAnything() throws {
        struct Box: Codable { var inner: [Box], date: Date? }
        let deepest = Box(inner: [], date: Date(timeIntervalSince1970: 1.5))
        let box = (1..<16).reduce(deepest) { box, _ in Box(inner: [box], date: nil) }
        for codec in Self.codecs {
            #expect(throws: Never.self) { try codec.decode(Box.self, from: codec.encode(box)) }
        }
    }

    @Test func keysThatAreNumbersAreFound() throws {
        enum Key: Int, CodingKey { case first = 1, second }
        struct Record: Decodable {
            var first: Int, hasSecond: Bool, keys: Int
            init(from decoder: any Decoder) throws {
                let map = try decoder.container(keyedBy: Key.self)
                first = try map.decode(Int.self, forKey: .first)
                hasSecond = map.contains(.second)
                keys = map.allKeys.count
            }
        }
        let record = try MessagePackCodec().decode(Record.self, from: Bytes(hex("820105020a")))
        #expect(record.first == 5 && record.hasSecond && record.keys == 2)
        // A large map with keys of all kinds, the empty text among them.
        var map = "de0010" + "a007" + "9001"
        for key in 0..<14 { map += "a1" + String(key + 97, radix: 16) + "05" }
        struct Empty: Decodable {
            var value: Int
            init(from decoder: any Decoder) throws {
                value = try decoder.container(keyedBy: Name.self).decode(Int.self, forKey: Name(""))
            }
        }
        #expect(try MessagePackCodec().decode(Empty.self, from: Bytes(hex(map))).value == 7)
    }

    @Test func aSuperclassThatIsMissingIsNull() throws {
        final class Child: Decodable {
            var isNull: Bool
            init(from decoder: any Decoder) throws {
                let parent = try decoder.container(keyedBy: Name.self).superDecoder()
                isNull = try parent.singleValueContainer().decodeNil()
            }
        }
        #expect(try JSONCodec().decode(Child.self, from: Bytes(utf8: "{}")).isNull)
        #expect(try !JSONCodec().decode(Child.self, from: Bytes(utf8: #"{"super":1}"#)).isNull)
    }
}
