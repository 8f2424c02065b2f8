import Foundation
import MartletEvents
import Testing

/// All that `Codable` can ask of a coder, in every format.
@Suite struct CodableTests {
    enum Format: String, CaseIterable {
        case json, messagePack, cbor, deterministicCBOR

        var codec: any Codec {
            switch self {
            case .json: JSONCodec()
            case .messagePack: MessagePackCodec()
            case .cbor: CBORCodec()
            case .deterministicCBOR: CBORCodec(deterministic: true)
            }
        }

        /// The value after a way there and back.
        func roundTrip<Value: Codable>(_ value: Value) throws -> Value {
            try codec.decode(Value.self, from: codec.encode(value))
        }
    }

    struct Everything: Codable, Equatable {
        enum Shape: Codable, Equatable {
            case point, circle(radius: Double), line(Int, to: Int)
        }
        enum Level: String, Codable { case low, high }
        enum Number: Int, Codable { case one = 1, two }

        var bool = true
        var ints: [Int8] = [.min, -1, 0, .max]
        var int16 = Int16.min, int32 = Int32.min, int64 = Int64.min
        var uint8 = UInt8.max, uint16 = UInt16.max, uint32 = UInt32.max, uint64 = UInt64.max
        var float = Float(1.1), double = 1.1
        var text = "naïve \u{1F600} \"quoted\" \\ \n"
        var none: String?
        var some: String? = "x"
        var nested: [[String?]] = [["a", nil], [], [nil]]
        var byText = ["a": 1, "b\"": 2, "": 3]
        var byNumber = [-1: "minus", 7: "seven"]
        var byLevel = [Level.low: 1, .high: 2]
        var shapes: [Shape] = [.point, .circle(radius: 0.5), .line(1, to: 2)]
        var level = Level.high
        var number = Number.two
        var date = Date(timeIntervalSince1970: 1_795_509_000.25)
        var data = Data([0, 1, 2, 255])
        var bytes = Bytes([9, 8, 7])
        var url = URL(string: "https://example.com/a?b=c#d")
        var uuid = UUID()
        var decimal = Decimal(string: "12345678901234567890.123456789") ?? 0
        var decimals = [Decimal(-1), 0, Decimal(string: "1e-20") ?? 0]
        var wide = Int128.max
    }

    @Test(arguments: Format.allCases)
    func everythingComesBack(format: Format) throws {
        var value = Everything()
        if format != .json { value.wide = Int128(Int64.max) }
        #expect(try format.roundTrip(value) == value)
        #expect(try format.roundTrip([value, value]) == [value, value])
        #expect(try format.roundTrip(["k": value]) == ["k": value])
    }

    /// Foundation reads what our JSON says, and the reverse.
    @Test func foundationUnderstands() throws {
        let value = Everything()
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            let text = try decoder.singleValueContainer().decode(String.self)
            return Timestamp(text)?.date ?? .distantPast
        }
        let encoder = JSONEncoder()
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(Timestamp(date)?.description)
        }
        let ours = try JSONCodec().encode(value)
        #expect(try decoder.decode(Everything.self, from: Data(ours.array())) == value)
        let theirs = try encoder.encode(value)
        #expect(try JSONCodec().decode(Everything.self, from: Bytes(Array(theirs))) == value)
    }

    @Test(arguments: Format.allCases)
    func valuesAloneComeBack(format: Format) throws {
        #expect(try format.roundTrip(7) == 7)
        #expect(try format.roundTrip("text") == "text")
        #expect(try format.roundTrip(true) == true)
        #expect(try format.roundTrip(Int?.none) == nil)
        #expect(try format.roundTrip(Int?.some(3)) == 3)
        #expect(try format.roundTrip([String]()) == [])
        #expect(try format.roundTrip([String: Int]()) == [:])
        #expect(try format.roundTrip(Everything.Level.low) == .low)
        #expect(
            try format.roundTrip(Date(timeIntervalSince1970: 5)) == Date(timeIntervalSince1970: 5))
        #expect(try format.roundTrip(Data([1])) == Data([1]))
        #expect(try format.roundTrip(Empty()) == Empty())
    }

    struct Empty: Codable, Equatable {}

    // MARK: Classes and nested containers

    class Animal: Codable {
        var name = "animal"
        init() {}
    }

    final class Dog: Animal {
        var barks = 3
        private enum CodingKeys: CodingKey { case barks }

        override init() { super.init() }

        required init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            barks = try container.decode(Int.self, forKey: .barks)
            try super.init(from: container.superDecoder())
        }

        override func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            // The superclass writes first, into its place among the rest.
            try super.encode(to: container.superEncoder())
            try container.encode(barks, forKey: .barks)
        }
    }

    /// Writes to its containers in turns, as no type should and some do.
    struct Tangled: Codable, Equatable {
        var first = [1, 2, 3]
        var second = ["a": 1, "b": 2]
        var last = "end"

        private enum CodingKeys: CodingKey { case first, second, last, deep }

        init() {}

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            var firsts = try container.nestedUnkeyedContainer(forKey: .first)
            let seconds = try container.nestedContainer(keyedBy: Name.self, forKey: .second)
            first = []
            second = [:]
            while !firsts.isAtEnd {
                first.append(try firsts.decode(Int.self))
                if let key = seconds.allKeys.dropFirst(second.count).first {
                    second[key.stringValue] = try seconds.decode(Int.self, forKey: key)
                }
            }
            last = try container.decode(String.self, forKey: .last)
            var deep = try container.nestedUnkeyedContainer(forKey: .deep)
            var inner = try deep.nestedUnkeyedContainer()
            guard try inner.decode(Int.self) == 1, try deep.decode(Int.self) == 2,
                try inner.decode(Int.self) == 3, deep.isAtEnd, inner.isAtEnd
            else { throw MartletError(.failed, "the nested arrays are not as they were") }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            var firsts = container.nestedUnkeyedContainer(forKey: .first)
            var seconds = container.nestedContainer(keyedBy: Name.self, forKey: .second)
            try container.encode(last, forKey: .last)
            var deep = container.nestedUnkeyedContainer(forKey: .deep)
            var inner = deep.nestedUnkeyedContainer()
            try deep.encode(2)
            try inner.encode(1)
            try inner.encode(3)
            for index in 0..<3 {
                try firsts.encode(first[index])
                if let (key, value) = second.sorted(by: { $0.key < $1.key }).dropFirst(index).first
                {
                    try seconds.encode(value, forKey: Name(stringValue: key))
                }
            }
        }

        struct Name: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }
    }

    @Test(arguments: Format.allCases)
    func superclassesHaveTheirPlace(format: Format) throws {
        let dog = Dog()
        dog.name = "Rex"
        dog.barks = 7
        let again = try format.roundTrip(dog)
        #expect(again.name == "Rex" && again.barks == 7)
        let many = try format.roundTrip(Array(repeating: dog, count: 20))
        #expect(many.count == 20 && many.allSatisfy { $0.name == "Rex" && $0.barks == 7 })
    }

    @Test(arguments: Format.allCases)
    func containersMayBeUsedInTurns(format: Format) throws {
        #expect(try format.roundTrip(Tangled()) == Tangled())
        let many = Array(repeating: Tangled(), count: 40)
        #expect(try format.roundTrip(many) == many)
        let map = Dictionary(uniqueKeysWithValues: (0..<40).map { ("\($0)", Tangled()) })
        #expect(try format.roundTrip(map) == map)
    }

    @Test func theirJSONIsWhatFoundationWrites() throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let ours = try JSONSerialization.jsonObject(
            with: Data(JSONCodec().encode(Tangled()).array()))
        let theirs = try JSONSerialization.jsonObject(with: encoder.encode(Tangled()))
        #expect(ours as? NSDictionary == theirs as? NSDictionary)
    }

    // MARK: What cannot be

    @Test(arguments: Format.allCases)
    func whatIsNestedTooDeepIsRefused(format: Format) throws {
        struct Box: Codable { var inner: [Box] }
        func box(_ depth: Int) -> Box {
            (1..<depth).reduce(Box(inner: [])) { box, _ in Box(inner: [box]) }
        }
        // A box is a map and an array.
        #expect(throws: Never.self) { try format.roundTrip(box(16)) }
        let error = #expect(throws: MartletError.self) { try format.codec.encode(box(17)) }
        #expect(error?.code == .notEncodable)
        #expect(throws: MartletError.self) { try format.codec.encode(box(1_000)) }
    }

    @Test(arguments: Format.allCases)
    func misusedContainersAreErrors(format: Format) throws {
        struct TwoKinds: Encodable {
            func encode(to encoder: any Encoder) throws {
                var map = encoder.container(keyedBy: Tangled.Name.self)
                try map.encode(1, forKey: .init(stringValue: "a"))
                var array = encoder.unkeyedContainer()
                try array.encode(2)
            }
        }
        struct TwoValues: Encodable {
            func encode(to encoder: any Encoder) throws {
                var container = encoder.singleValueContainer()
                try container.encode(1)
                try container.encode(2)
            }
        }
        /// Catches the failure of a value and goes on without it.
        struct Careless: Encodable {
            func encode(to encoder: any Encoder) throws {
                var container = encoder.unkeyedContainer()
                try? container.encode(TwoValues())
                try container.encode(3)
            }
        }
        #expect(throws: MartletError.self) { try format.codec.encode(TwoKinds()) }
        #expect(throws: MartletError.self) { try format.codec.encode(TwoValues()) }
        #expect(throws: MartletError.self) { try format.codec.encode([TwoValues()]) }
        let careless = try format.codec.encode(Careless())
        #expect(try format.codec.decode([Int].self, from: careless) == [3])
    }

    /// Somebody keeps a decoder for longer than the bytes live: it finds errors, not memory.
    @Test(arguments: Format.allCases)
    func aDecoderThatWasKeptFindsNothing(format: Format) throws {
        final class Loot { var map: KeyedDecodingContainer<Tangled.Name>? }
        struct Thief: Decodable {
            init(from decoder: any Decoder) throws {
                let key = CodingUserInfoKey(rawValue: "loot")
                let loot = key.flatMap { decoder.userInfo[$0] as? Shared }
                loot?.value.map = try decoder.container(keyedBy: Tangled.Name.self)
            }
        }
        struct Shared: @unchecked Sendable { let value: Loot }
        let loot = Loot()
        let userInfo: [CodingUserInfoKey: any Sendable] = try [
            #require(CodingUserInfoKey(rawValue: "loot")): Shared(value: loot)
        ]
        let codec: any Codec =
            switch format {
            case .json: JSONCodec(userInfo: userInfo)
            case .messagePack: MessagePackCodec(userInfo: userInfo)
            default: CBORCodec(userInfo: userInfo)
            }
        _ = try codec.decode(Thief.self, from: codec.encode(["key": "a long enough text"]))
        // What it keeps knows the codec's user info, and that knows the loot.
        defer { loot.map = nil }
        let map = try #require(loot.map)
        let text = try? map.decode(String.self, forKey: .init(stringValue: "key"))
        #expect(text == nil || text == "")
    }

    // MARK: Keys

    @Test func aKeyThatIsAskedForMayOccurOnce() throws {
        struct One: Codable { var a: Int }
        let codec = JSONCodec()
        #expect(throws: MartletError.self) {
            try codec.decode(One.self, from: Bytes(utf8: #"{"a":1,"a":2}"#))
        }
        #expect(throws: MartletError.self) {
            try codec.decode(One.self, from: Bytes(utf8: #"{"a":1,"\u0061":2}"#))
        }
        #expect(try codec.decode(One.self, from: Bytes(utf8: #"{"b":1,"a":2,"b":3}"#)).a == 2)
        let many = (0..<50).map { #""k\#($0)":\#($0)"# }.joined(separator: ",")
        #expect(throws: MartletError.self) {
            try codec.decode(One.self, from: Bytes(utf8: "{\"a\":1,\(many),\"a\":2}"))
        }
        #expect(try codec.decode(One.self, from: Bytes(utf8: "{\(many),\"a\":2,\"k7\":0}")).a == 2)
        #expect(throws: MartletError.self) {
            try codec.decode([String: Int].self, from: Bytes(utf8: "{\(many),\"k7\":0}"))
        }
    }

    @Test(arguments: Format.allCases)
    func mapsOfAnySizeAreFoundThrough(format: Format) throws {
        for count in [0, 1, 11, 12, 13, 255, 256, 5_000] {
            let map = Dictionary(
                uniqueKeysWithValues: (0..<count).map { ("key-\($0 * 7_919)", $0) })
            #expect(try format.roundTrip(map) == map)
        }
    }

    @Test func optionalsMayBeNullOrAbsent() throws {
        struct Record: Codable, Equatable {
            var a: Int?; var b: String?; var c: [Int]?; var d: Bool?; var e: Double?
        }
        for text in ["{}", #"{"a":null,"b":null,"c":null,"d":null,"e":null}"#, #"{"z":1}"#] {
            #expect(try JSONCodec().decode(Record.self, from: Bytes(utf8: text)) == Record())
        }
        #expect(
            try JSONCodec().decode(
                Record.self, from: Bytes(utf8: #"{"e":1,"d":true,"c":[1],"b":"x","a":1}"#))
                == Record(a: 1, b: "x", c: [1], d: true, e: 1))
    }

    @Test func userInfoReachesTypes() throws {
        let key = try #require(CodingUserInfoKey(rawValue: "unit"))
        struct Weight: Codable {
            var text: String
            init(_ text: String) { self.text = text }
            init(from decoder: any Decoder) throws {
                text =
                    "\(try decoder.singleValueContainer().decode(Int.self)) "
                    + "\(decoder.userInfo[CodingUserInfoKey(rawValue: "unit")!] ?? "?")"
            }
            func encode(to encoder: any Encoder) throws {
                var container = encoder.singleValueContainer()
                try container.encode(
                    "\(encoder.userInfo[CodingUserInfoKey(rawValue: "unit")!] ?? "?")")
            }
        }
        let codec = JSONCodec(userInfo: [key: "kg"])
        #expect(try codec.decode(Weight.self, from: Bytes(utf8: "7")).text == "7 kg")
        #expect(try codec.encode(Weight("")) == Bytes(utf8: #""kg""#))
    }

    @Test func datesFollowTheirStrategy() throws {
        let date = Date(timeIntervalSince1970: 1.5)
        let cases: [(DateCoding, String)] = [
            (.rfc3339, #""1970-01-01T00:00:01.5Z""#), (.native, #""1970-01-01T00:00:01.5Z""#),
            (.secondsSince1970, "1.5"), (.millisecondsSince1970, "1500"),
        ]
        for (dates, text) in cases {
            let codec = JSONCodec(dates: dates)
            #expect(try codec.encode(date) == Bytes(utf8: text))
            #expect(try codec.decode(Date.self, from: Bytes(utf8: text)) == date)
            for codec in [MessagePackCodec(dates: dates), CBORCodec(dates: dates)] as [any Codec] {
                #expect(try codec.decode(Date.self, from: codec.encode(date)) == date)
            }
        }
        #expect(throws: MartletError.self) {
            try JSONCodec().decode(Date.self, from: Bytes(utf8: #""yesterday""#))
        }
        #expect(throws: MartletError.self) {
            try JSONCodec().encode(Date.distantFuture.addingTimeInterval(1e12))
        }
    }
}
