import MartletEvents
import Testing

/// Types that write and read themselves.
@Suite struct DirectTests {
    struct Reading: Codable, Equatable, DirectlyCodable {
        var sensor: String
        var celsius: Double
        var count: UInt8
        var isValid: Bool
        var taken: Timestamp?
        var raw: Bytes
        var parts: [Reading]

        private enum CodingKeys: CodingKey { case sensor, celsius, count, isValid, raw, parts }

        func write(to writer: ValueWriter) throws {
            try writer.map {
                try writer.field("sensor", sensor)
                try writer.field("celsius", celsius)
                try writer.field("count", count)
                try writer.field("isValid", isValid)
                try writer.field("taken") {
                    if let taken { try writer.write(taken) } else { try writer.writeNothing() }
                }
                try writer.field("raw") { try writer.write(raw) }
                try writer.field("parts", parts)
            }
        }

        init(from reader: ValueReader) throws {
            var sensor: String?, celsius: Double?, count: UInt8?, isValid: Bool?, raw: Bytes?
            var parts: [Reading] = []
            var taken: Timestamp?
            try reader.map { field in
                switch field {
                case "sensor": sensor = try reader.string()
                case "celsius": celsius = try reader.double()
                case "count": count = try reader.integer()
                case "isValid": isValid = try reader.bool()
                case "taken": taken = try reader.nothing() ? nil : reader.timestamp()
                case "raw": raw = try reader.bytes()
                case "parts": parts = try reader.array(of: Reading.self)
                default: break
                }
            }
            self.sensor = try reader.require(sensor, "sensor")
            self.celsius = try reader.require(celsius, "celsius")
            self.count = try reader.require(count, "count")
            self.isValid = try reader.require(isValid, "isValid")
            self.raw = try reader.require(raw, "raw")
            self.parts = parts
            self.taken = taken
        }

        init(_ sensor: String, parts: [Reading] = [], taken: Timestamp? = nil) {
            self.sensor = sensor
            self.parts = parts
            self.taken = taken
            celsius = 21.5
            count = 200
            isValid = true
            raw = Bytes([1, 2, 3])
        }
    }

    static let codecs: [any Codec] = [
        JSONCodec(), MessagePackCodec(), CBORCodec(), CBORCodec(deterministic: true),
    ]

    @Test(arguments: 0..<4)
    func whatIsWrittenIsRead(codec: Int) throws {
        let codec = Self.codecs[codec]
        let inner = (0..<30).map { Reading("inner \($0)", taken: .sample) }
        let reading = Reading("outer", parts: inner + [Reading("x", parts: [Reading("y")])])
        let bytes = try codec.encode(directly: reading)
        #expect(try codec.decode(directly: Reading.self, from: bytes) == reading)
        // Codable reads what was written directly, and the reverse.
        var plain = reading
        plain.parts = plain.parts.map { Reading($0.sensor, parts: $0.parts) }
        let direct = try codec.encode(directly: plain)
        #expect(try codec.decode(Reading.self, from: direct) == plain)
        #expect(try codec.decode(directly: Reading.self, from: codec.encode(plain)) == plain)
    }

    @Test func fieldsMayComeInAnyOrderAmongOthers() throws {
        let text =
            #"{"x":{"y":[1,{"z":null}]},"raw":"AQID","isValid":true,"count":200,"celsius":21.5,"#
            + #""\u0073ensor":"s","x":[]}"#
        #expect(
            try JSONCodec().decode(directly: Reading.self, from: Bytes(utf8: text)) == Reading("s"))
    }

    @Test(
        arguments: [
            (#"{"sensor":1}"#, "sensor", 10), (#"{"count":256}"#, "count", 9), ("[]", "", 0),
            (#"{"sensor":"a","sensor":"b"}"#, "sensor", 10),
            (#"{"parts":[{"sensor":null}]}"#, "parts[0].sensor", 20),
            ("{}", "", nil), (#"{"parts":7}"#, "parts", 9),
        ] as [(String, String, Int?)])
    func errorsSayWhere(text: String, path: String, offset: Int?) throws {
        let error = #expect(throws: MartletError.self) {
            try JSONCodec().decode(directly: Reading.self, from: Bytes(utf8: text))
        }
        let failure = try #require(error?.cause as? CodingFailure)
        #expect(failure.path == path, "\(failure)")
        if let offset { #expect(failure.byteOffset == offset, "\(failure)") }
    }

    /// A type that reads too much or too little does not bring others out of step.
    @Test func carelessTypesAreErrors() throws {
        struct Greedy: DirectlyCodable {
            func write(to writer: ValueWriter) throws { throw MartletError(.failed, "no") }
            init(from reader: ValueReader) throws {
                try reader.map { _ in
                    _ = try reader.integer(Int.self)
                    _ = try reader.string()
                }
            }
        }
        #expect(throws: MartletError.self) {
            try JSONCodec().decode(directly: Greedy.self, from: Bytes(utf8: #"{"a":1,"b":2}"#))
        }
        #expect(throws: MartletError.self) {
            try JSONCodec().decode(directly: Greedy.self, from: Bytes(utf8: #"{"a":1}"#))
        }
        struct Idle: DirectlyCodable {
            func write(to writer: ValueWriter) throws {}
            init(from reader: ValueReader) throws {}
        }
        #expect(throws: Never.self) {
            try JSONCodec().decode(directly: Idle.self, from: Bytes(utf8: "[1]"))
        }
        #expect(throws: MartletError.self) {
            try BytesCodec().decode(directly: Idle.self, from: Bytes())
        }
    }
}
