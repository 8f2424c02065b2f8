import Foundation
import Testing

@testable import MartletEvents

/// MessagePack: every format, in both directions.
@Suite struct MessagePackTests {
    static let formats: [(String, String)] = [
        ("00", "0"), ("7f", "127"), ("cc80", "128"), ("ccff", "255"), ("cd0100", "256"),
        ("cdffff", "65535"), ("ce00010000", "65536"), ("cf0000000100000000", "4294967296"),
        ("cfffffffffffffffff", "18446744073709551615"), ("ff", "-1"), ("e0", "-32"),
        ("d0df", "-33"),
        ("d080", "-128"), ("d1ff7f", "-129"), ("d2ffff7fff", "-32769"),
        ("d3ffffffff7fffffff", "-2147483649"), ("d38000000000000000", "-9223372036854775808"),
        ("cc01", "1"), ("d001", "1"), ("d37fffffffffffffff", "9223372036854775807"), ("c0", "null"),
        ("c2", "false"), ("c3", "true"), ("ca3fc00000", "1.5"), ("cb3ff199999999999a", "1.1"),
        ("a0", #""""#), ("a161", #""a""#), ("d90161", #""a""#), ("da000161", #""a""#),
        ("db0000000161", #""a""#), ("c400", "h''"), ("c4020102", "h'0102'"),
        ("c500020102", "h'0102'"),
        ("c6000000020102", "h'0102'"), ("90", "[]"), ("920102", "[1, 2]"), ("dc00020102", "[1, 2]"),
        ("dd000000020102", "[1, 2]"), ("80", "{}"), ("81a16101", #"{"a": 1}"#),
        ("de0001a16101", #"{"a": 1}"#), ("df00000001a16101", #"{"a": 1}"#), ("810102", "{1: 2}"),
        ("d40701", "ext(7, h'01')"), ("d5070102", "ext(7, h'0102')"),
        ("d60701020304", "ext(7, h'01020304')"),
        ("d7ff0102030405060708", "ext(-1, h'0102030405060708')"),
        ("d80701020304050607080910111213141516", "ext(7, h'01020304050607080910111213141516')"),
        ("c70007", "ext(7, h'')"), ("c7038001fefe", "ext(-128, h'01fefe')"),
        ("c800010701", "ext(7, h'01')"),
        ("c9000000010701", "ext(7, h'01')"),
    ]

    @Test(arguments: formats)
    func readsEveryFormat(bytes: String, diagnostic: String) throws {
        #expect(try Diagnostic.text(messagePack: hex(bytes)) == diagnostic)
        for count in 0..<hex(bytes).count {
            #expect(throws: ScanFailure.self) {
                try Diagnostic.text(messagePack: Array(hex(bytes).prefix(count)))
            }
        }
    }

    @Test(arguments: [
        "", "c1", "91c1", "0000", "a1ff", "a2c328", "ddffffffff", "dfffffffff", "dbffffffff00",
        "c6ffffffff",
        "c9ffffffff00", "dcffff00", "c0c0",
    ])
    func refusesWhatIsNone(bytes: String) {
        #expect(throws: ScanFailure.self) { try Diagnostic.text(messagePack: hex(bytes)) }
    }

    @Test func depthIsBounded() {
        #expect(throws: ScanFailure.self) {
            try Diagnostic.text(messagePack: [UInt8](repeating: 0x91, count: 100_000))
        }
        #expect(throws: ScanFailure.self) {
            try Diagnostic.text(messagePack: [UInt8](repeating: 0x81, count: 100_000))
        }
    }

    @Test func writesTheSmallestForm() throws {
        func written(_ value: some Encodable) throws -> String {
            hex(try MessagePackCodec().encode(value).array())
        }
        let smallest = [
            "00", "7f", "cc80", "ccff", "cd0100", "cdffff", "ce00010000",
            "cf0000000100000000", "ff", "e0", "d0df", "d080", "d1ff7f", "d2ffff7fff",
            "d3ffffffff7fffffff", "d38000000000000000",
        ]
        for bytes in smallest {
            let number = try #require(Int64(Diagnostic.text(messagePack: hex(bytes))))
            #expect(try written(number) == bytes)
        }
        #expect(try written(1.5) == "ca3fc00000")
        #expect(try written(1.1) == "cb3ff199999999999a")
        #expect(try written(Float(1.1)) == "ca3f8ccccd")
        for (count, head) in [
            (31, "bf"), (32, "d920"), (255, "d9ff"), (256, "da0100"), (65_536, "db00010000"),
        ] {
            #expect(try written(String(repeating: "x", count: count)).hasPrefix(head))
        }
        for (count, head) in [
            (15, "9f"), (16, "dc0010"), (65_535, "dcffff"), (65_536, "dd00010000"),
        ] {
            #expect(try written([UInt8](repeating: 0, count: count)).hasPrefix(head))
        }
        let map = Dictionary(uniqueKeysWithValues: (0..<16).map { ("\($0)", $0) })
        #expect(try written(map).hasPrefix("de0010"))
        for (count, head) in [(0, "c400"), (255, "c4ff"), (256, "c50100"), (65_536, "c600010000")] {
            #expect(try written(Data(count: count)).hasPrefix(head))
        }
    }

    @Test(arguments: [
        (0.0, "d6ff00000000"), (1, "d6ff00000001"), (4_294_967_295, "d6ffffffffff"),
        (1.5, "d7ff7735940000000001"), (4_294_967_296, "d7ff0000000100000000"),
        (-1, "c70cff00000000ffffffffffffffff"), (-0.5, "c70cff1dcd6500ffffffffffffffff"),
        (17_179_869_184, "c70cff000000000000000400000000"),
    ])
    func timestampsHaveTheirThreeForms(seconds: Double, bytes: String) throws {
        let date = Date(timeIntervalSince1970: seconds)
        #expect(hex(try MessagePackCodec().encode(date).array()) == bytes)
        #expect(try MessagePackCodec().decode(Date.self, from: Bytes(hex(bytes))) == date)
    }

    @Test func extensionsOfApplicationsAreKept() throws {
        struct Record: Codable, Equatable { var shape: MessagePackExtension; var n: Int }
        for count in [0, 1, 2, 3, 4, 8, 16, 17, 255, 256, 65_536] {
            let data = Bytes((0..<count).map { UInt8(truncatingIfNeeded: $0) })
            let record = Record(shape: MessagePackExtension(type: -7, data: data), n: 1)
            let bytes = try MessagePackCodec().encode(record)
            #expect(try MessagePackCodec().decode(Record.self, from: bytes) == record)
        }
        let record = Record(shape: MessagePackExtension(type: 1, data: Bytes()), n: 1)
        #expect(throws: MartletError.self) { try JSONCodec().encode(record) }
        #expect(throws: EncodingError.self) { try JSONEncoder().encode(record) }
        #expect(throws: MartletError.self) {
            try MessagePackCodec().decode(MessagePackExtension.self, from: Bytes([0]))
        }
    }
}
