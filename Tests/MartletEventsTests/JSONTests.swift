import Foundation
import MartletEvents
import Testing

/// What is JSON and what is not, by the grammar of RFC 8259.
@Suite struct JSONTests {
    /// Any value of JSON.
    indirect enum Value: Codable, Equatable {
        case null, bool(Bool), number(Double), text(String), array([Value]), object([String: Value])

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .null
            } else if let value = try? container.decode(Bool.self) {
                self = .bool(value)
            } else if let value = try? container.decode(Double.self) {
                self = .number(value)
            } else if let value = try? container.decode(String.self) {
                self = .text(value)
            } else if let value = try? container.decode([Value].self) {
                self = .array(value)
            } else {
                self = .object(try container.decode([String: Value].self))
            }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .null: try container.encodeNil()
            case .bool(let value): try container.encode(value)
            case .number(let value): try container.encode(value)
            case .text(let value): try container.encode(value)
            case .array(let value): try container.encode(value)
            case .object(let value): try container.encode(value)
            }
        }
    }

    static func decode(_ text: String) throws -> Value {
        try JSONCodec().decode(Value.self, from: Bytes(utf8: text))
    }

    static let accepted: [(String, Value)] = [
        ("null", .null), ("true", .bool(true)), (" false ", .bool(false)), ("0", .number(0)),
        ("-0", .number(0)), ("-1", .number(-1)), ("12e3", .number(12_000)), ("1E+2", .number(100)),
        ("1e-2", .number(0.01)), ("1.25", .number(1.25)), ("-0.5e1", .number(-5)),
        ("1.0", .number(1)),
        ("123456789012345678901234567890", .number(1.2345678901234568e29)),
        ("0.1", .number(0.1)), ("1.7976931348623157e308", .number(.greatestFiniteMagnitude)),
        ("5e-324", .number(.leastNonzeroMagnitude)), ("1e-400", .number(0)),
        ("9007199254740993", .number(9_007_199_254_740_992)),
        (#""""#, .text("")), (#""a""#, .text("a")),
        (#""\"\\\/\b\f\n\r\t""#, .text("\"\\/\u{8}\u{C}\n\r\t")),
        (#""\u0041\u00e9\u20AC""#, .text("Aé€")), (#""\ud83d\ude00""#, .text("😀")),
        (#""\u0000""#, .text("\0")), ("\"é€😀\"", .text("é€😀")),
        ("\"\u{7F}\"", .text("\u{7F}")),
        (#""abcdefgh\n""#, .text("abcdefgh\n")),
        (#""1234567é9012345""#, .text("1234567é9012345")),
        ("[]", .array([])), ("[ ]", .array([])), ("[1,2]", .array([.number(1), .number(2)])),
        ("[\t1\n,\r[ ] ]", .array([.number(1), .array([])])), ("{}", .object([:])),
        ("{ }", .object([:])), (#"{"a":1}"#, .object(["a": .number(1)])),
        (
            #"{ "a" : { "b" : [ null ] } , "c" : "" }"#,
            .object(["a": .object(["b": .array([.null])]), "c": .text("")])
        ),
        (#"{"\u0061\n":1}"#, .object(["a\n": .number(1)])), (#"{"":0}"#, .object(["": .number(0)])),
        (String(repeating: "[", count: 32) + String(repeating: "]", count: 32), nest(32)),
    ]

    private static func nest(_ depth: Int) -> Value {
        depth == 0 ? .array([]) : (1..<depth).reduce(.array([])) { value, _ in .array([value]) }
    }

    @Test(arguments: accepted)
    func acceptsWhatIsJSON(text: String, value: Value) throws {
        #expect(try Self.decode(text) == value)
        #expect(try Self.decode(" \n\t\r" + text + " \n") == value)
        // Foundation agrees, and reads what we write.
        // (But it refuses what is too small for any number but zero.)
        if !text.hasPrefix("1e-400") {
            let foundation = try JSONDecoder().decode(Value.self, from: Data(text.utf8))
            #expect(foundation == value)
        }
        let written = try JSONCodec().encode(value)
        #expect(try JSONDecoder().decode(Value.self, from: Data(written.array())) == value)
        #expect(try JSONCodec().decode(Value.self, from: written) == value)
    }

    @Test(arguments: [
        "", " ", "nul", "nulll", "True", "tru", "falsey", "n", "[", "]", "{", "}", "[1", "[1,",
        "[1,]",
        "[,1]", "[1 2]", "[1,,2]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,\"a\":1}", "{a:1}",
        "{1:1}",
        "{\"a\" 1}", "{\"a\":1 \"b\":2}", "{\"a\":1]", "[1}", "\"", "\"a", "\"\\\"", "\"\\x\"",
        "\"\\u12\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"",
        "\"\\udc00\\udc00\"",
        "\"\\ud800x\"",
        "\"a\u{0}b\"", "\"a\nb\"", "\"\t\"", "01", "-", "-a", "+1", ".5", "1.", "1.e1", "1e", "1e+",
        "1e1.5", "0x10", "00", "-01", "1a", "NaN", "Infinity", "-Infinity", "1 2", "{} {}",
        "null x",
        "'a'", "/* */ 1", "// x\n1", "[1]]", "\u{FEFF}1", "\u{A0}1", "1\u{0}", "[1,\u{B}2]",
        String(repeating: "[", count: 33) + String(repeating: "]", count: 33),
        String(repeating: "[", count: 100_000), String(repeating: "{\"a\":", count: 100_000),
    ])
    func refusesWhatIsNot(text: String) {
        let error = #expect(throws: MartletError.self) { try Self.decode(text) }
        #expect(error?.code == .notDecodable)
        #expect((error?.cause as? CodingFailure)?.byteOffset != nil)
    }

    @Test(
        arguments: [
            [0x22, 0x80, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xC3, 0x22],
            [0x22, 0xED, 0xA0, 0x80, 0x22],
            [0x22, 0xF5, 0x80, 0x80, 0x80, 0x22], [0x22, 0xE2, 0x82, 0x22], [0xFF],
            [0x22, 0xFF, 0x22],
            [0x7B, 0x22, 0xFF, 0x22, 0x3A, 0x31, 0x7D], [0x22, 0x5C, 0x6E, 0xC3, 0x22],
        ] as [[UInt8]])
    func refusesWhatIsNotUTF8(bytes: [UInt8]) {
        #expect(throws: MartletError.self) {
            try JSONCodec().decode(Value.self, from: Bytes(bytes))
        }
    }

    @Test func wholeNumbersAreExact() throws {
        let codec = JSONCodec()
        for value in [Int64.min, .min + 1, -1, 0, 1, .max] {
            #expect(try codec.encode(value) == Bytes(utf8: String(value)))
            #expect(try codec.decode(Int64.self, from: Bytes(utf8: String(value))) == value)
        }
        #expect(try codec.decode(UInt64.self, from: Bytes(utf8: "18446744073709551615")) == .max)
        #expect(try codec.encode(UInt64.max) == Bytes(utf8: "18446744073709551615"))
        #expect(try codec.decode(Int.self, from: Bytes(utf8: "1.5e1")) == 15)
        let wide = "-170141183460469231731687303715884105728"
        #expect(try codec.decode(Int128.self, from: Bytes(utf8: wide)) == .min)
        #expect(try codec.encode(Int128.min) == Bytes(utf8: wide))
        for text in ["256", "-1", "1.5", "1e3", "18446744073709551616", "null", "\"1\""] {
            #expect(throws: MartletError.self) {
                try codec.decode(UInt8.self, from: Bytes(utf8: text))
            }
        }
    }

    /// The fewest digits that stand for a number, and every number by its digits.
    @Test func floatingPointNumbersComeBack() throws {
        var generator = SeededGenerator(seed: 7)
        let codec = JSONCodec()
        var numbers: [Double] = [
            0, -0.0, 0.1, 0.2, 0.3, 1.0 / 3, 1e15, 1e16, 123456.789, .leastNonzeroMagnitude, 1e22,
            1e23, 0.1 + 0.2, 2.5, 100, 4.35, 0.000001, 0.0000001, 999999999999999,
        ]
        for _ in 0..<20_000 {
            numbers.append(Double(bitPattern: generator.next()))
            numbers.append(
                Double(Int64.random(in: -1_000_000...1_000_000, using: &generator)) / 1_000)
            numbers.append(Double.random(in: -1e6...1e6, using: &generator))
        }
        for number in numbers where number.isFinite {
            let text = String(decoding: try codec.encode(number).array(), as: UTF8.self)
            let back = try codec.decode(Double.self, from: Bytes(utf8: text))
            let digits = text.filter(\.isNumber).count
            if back.bitPattern != number.bitPattern
                || (text.contains("e") ? digits : digits - 22) > number.description.count
            {
                Issue.record("\(number) was written as \(text) and read as \(back)")
                return
            }
            let float = Float(number)
            if float.isFinite {
                let back = try codec.decode(Float.self, from: codec.encode(float))
                if back.bitPattern != float.bitPattern { Issue.record("\(float) became \(back)") }
            }
        }
        #expect(try codec.encode(4.35) == Bytes(utf8: "4.35"))
        #expect(try codec.encode(100.0) == Bytes(utf8: "100"))
        #expect(try codec.encode(-0.0) == Bytes(utf8: "-0.0"))
    }

    @Test(arguments: [Double.nan, .infinity, -.infinity])
    func whatJSONCannotSayIsRefused(number: Double) {
        let error = #expect(throws: MartletError.self) { try JSONCodec().encode(["a": [number]]) }
        #expect(error?.code == .notEncodable)
        #expect((error?.cause as? CodingFailure)?.path == "a[0]")
        #expect(throws: MartletError.self) { try JSONCodec().encode(Float(number)) }
    }

    @Test(arguments: [
        ("1e999", "Double"), ("-1e999", "Double"),
    ])
    func numbersBeyondTheTypeAreRefused(text: String, type: String) {
        #expect(throws: MartletError.self) {
            try JSONCodec().decode(Double.self, from: Bytes(utf8: text))
        }
        #expect(throws: MartletError.self) {
            try JSONCodec().decode(Float.self, from: Bytes(utf8: "1e39"))
        }
    }

    @Test func keysStandInTheOrderOfTheirDeclaration() throws {
        struct Record: Codable { var zebra = 1, apple = 2, mango = 3, banana: Int? = nil }
        #expect(
            try JSONCodec().encode(Record()) == Bytes(utf8: #"{"zebra":1,"apple":2,"mango":3}"#))
    }

    @Test func textsAreEscapedWhereTheyMust() throws {
        let text =
            (0..<0x80).map { String(UnicodeScalar(UInt8($0))) }.joined() + "é€😀\u{2028}"
        let written = try JSONCodec().encode(text)
        #expect(try JSONCodec().decode(String.self, from: written) == text)
        #expect(try JSONDecoder().decode(String.self, from: Data(written.array())) == text)
        #expect(
            String(decoding: written.array(), as: UTF8.self).hasPrefix(
                #""\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000b\f\r\u000e"#))
    }

    @Test func errorsSayWhere() throws {
        struct Order: Codable {
            struct Item: Codable { var price: Int }
            var items: [Item]
        }
        let texts = [
            (#"{"items":[{"price":1},{"price":"x"}]}"#, "items[1].price", 31),
            (#"{"items":[{"price":1},{}]}"#, "items[1]", 22),
            (#"{"items":[{"price":null}]}"#, "items[0].price", 19),
            (#"{"items":7}"#, "items", 9), (#"{"items":[{"price":1,"price":2}]}"#, "items[0]", 11),
            ("{}", "", 0), ("[]", "", 0), (#"{"items":[{"price":1.5}]}"#, "items[0].price", 19),
        ]
        for (text, path, offset) in texts {
            let error = #expect(throws: MartletError.self) {
                try JSONCodec().decode(Order.self, from: Bytes(utf8: text))
            }
            let failure = try #require(error?.cause as? CodingFailure)
            #expect(failure.path == path, "\(text): \(failure)")
            #expect(failure.byteOffset == offset, "\(text): \(failure)")
        }
    }

    @Test func inputsBeyondTheLimitAreRefused() {
        let codec = JSONCodec(byteCountMax: 10)
        #expect(throws: MartletError.self) {
            try codec.decode([Int].self, from: Bytes(utf8: "[1,2,3,4,5]"))
        }
        var buffer = EncodingBuffer(byteCountMax: 10)
        do {
            try JSONCodec().encode([1, 2, 3, 4, 5], into: &buffer)
            Issue.record("eleven bytes went into ten")
        } catch {
            #expect(error.code == .messageTooLarge)
        }
        let isEmpty = buffer.isEmpty
        #expect(isEmpty)
    }
}
