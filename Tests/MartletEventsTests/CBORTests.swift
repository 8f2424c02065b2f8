import Foundation
import Testing

@testable import MartletEvents

/// CBOR against the examples of RFC 8949, appendix A.
@Suite struct CBORTests {
    /// Encoded bytes, and what they are in diagnostic notation.
    static let examples: [(String, String)] = [
        ("00", "0"), ("01", "1"), ("0a", "10"), ("17", "23"), ("1818", "24"), ("1819", "25"),
        ("1864", "100"), ("1903e8", "1000"), ("1a000f4240", "1000000"),
        ("1b000000e8d4a51000", "1000000000000"), ("1bffffffffffffffff", "18446744073709551615"),
        ("c249010000000000000000", "2(h'010000000000000000')"),
        ("3bffffffffffffffff", "-18446744073709551616"),
        ("c349010000000000000000", "3(h'010000000000000000')"), ("20", "-1"), ("29", "-10"),
        ("3863", "-100"), ("3903e7", "-1000"), ("f90000", "0.0"), ("f98000", "-0.0"),
        ("f93c00", "1.0"), ("fb3ff199999999999a", "1.1"), ("f93e00", "1.5"), ("f97bff", "65504.0"),
        ("fa47c35000", "100000.0"), ("fa7f7fffff", "3.4028234663852886e+38"),
        ("fb7e37e43c8800759c", "1e+300"), ("f90001", "5.960464477539063e-08"),
        ("f90400", "6.103515625e-05"), ("f9c400", "-4.0"), ("fbc010666666666666", "-4.1"),
        ("f97c00", "inf"), ("f97e00", "nan"), ("f9fc00", "-inf"), ("fa7f800000", "inf"),
        ("fa7fc00000", "nan"), ("faff800000", "-inf"), ("fb7ff0000000000000", "inf"),
        ("fb7ff8000000000000", "nan"), ("fbfff0000000000000", "-inf"), ("f4", "false"),
        ("f5", "true"), ("f6", "null"), ("f7", "simple(23)"), ("f0", "simple(16)"),
        ("f8ff", "simple(255)"),
        ("c074323031332d30332d32315432303a30343a30305a", #"0("2013-03-21T20:04:00Z")"#),
        ("c11a514b67b0", "1(1363896240)"), ("c1fb41d452d9ec200000", "1(1363896240.5)"),
        ("d74401020304", "23(h'01020304')"), ("d818456449455446", "24(h'6449455446')"),
        ("d82076687474703a2f2f7777772e6578616d706c652e636f6d", #"32("http://www.example.com")"#),
        ("40", "h''"), ("4401020304", "h'01020304'"), ("60", #""""#), ("6161", #""a""#),
        ("6449455446", #""IETF""#), ("62225c", #"""\""#), ("62c3bc", #""ü""#),
        ("63e6b0b4", #""水""#),
        ("64f0908591", #""𐅑""#), ("80", "[]"), ("83010203", "[1, 2, 3]"),
        ("8301820203820405", "[1, [2, 3], [4, 5]]"),
        (
            "98190102030405060708090a0b0c0d0e0f101112131415161718181819",
            "[\((1...25).map(String.init).joined(separator: ", "))]"
        ),
        ("a0", "{}"), ("a201020304", "{1: 2, 3: 4}"),
        ("a26161016162820203", #"{"a": 1, "b": [2, 3]}"#),
        ("826161a161626163", #"["a", {"b": "c"}]"#),
        (
            "a56161614161626142616361436164614461656145",
            #"{"a": "A", "b": "B", "c": "C", "d": "D", "e": "E"}"#
        ),
        ("5f42010243030405ff", "h'0102030405'"), ("7f657374726561646d696e67ff", #""streaming""#),
        ("9fff", "[]"), ("9f018202039f0405ffff", "[1, [2, 3], [4, 5]]"),
        ("9f01820203820405ff", "[1, [2, 3], [4, 5]]"),
        ("83018202039f0405ff", "[1, [2, 3], [4, 5]]"),
        ("83019f0203ff820405", "[1, [2, 3], [4, 5]]"),
        (
            "9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff",
            "[\((1...25).map(String.init).joined(separator: ", "))]"
        ),
        ("bf61610161629f0203ffff", #"{"a": 1, "b": [2, 3]}"#),
        ("826161bf61626163ff", #"["a", {"b": "c"}]"#),
        ("bf6346756ef563416d7421ff", #"{"Fun": true, "Amt": -2}"#),
    ]

    @Test(arguments: examples)
    func readsTheExamples(bytes: String, diagnostic: String) throws {
        #expect(try Diagnostic.text(cbor: hex(bytes)) == diagnostic)
        for count in 0..<hex(bytes).count {
            #expect(throws: ScanFailure.self) {
                try Diagnostic.text(cbor: Array(hex(bytes).prefix(count)))
            }
        }
    }

    /// What is not well-formed: RFC 8949, appendix F, and beyond.
    @Test(arguments: [
        "", "18", "19", "1a", "1b", "1901", "1a0102", "1b01020304050607", "38", "58", "78", "98",
        "9a01ff00",
        "b8", "d8", "f8", "f900", "fa0000", "fb000000", "41", "61", "5affffffff00",
        "5bffffffffffffffff010203",
        "7affffffff00", "7b7fffffffffffffff010203", "81", "818181818181818181", "8200", "a1",
        "a20102",
        "a100", "a2000000", "c0", "9f", "9f0102", "bf", "bf01020102", "819f", "9f8000",
        "9f9f9f9f9fffffffff",
        "9f819f819f9fffffff", "5f4100", "6161ff00", "1c", "1d", "1e", "3c", "3d", "3e", "5c", "5d",
        "7c",
        "9c", "bc", "dc", "fc", "fd", "fe", "f800", "f801", "f818", "f81f", "5f00ff", "5f21ff",
        "5f6100ff",
        "5f80ff", "5fa0ff", "5fc000ff", "5fe0ff", "7f4100ff", "5f5f4100ffff", "7f7f6100ffff", "ff",
        "81ff",
        "8200ff", "a1ff", "a1ff00", "a100ff", "a20000ff", "9f81ff", "bf00ff", "bf000000ff", "1f",
        "3f", "df",
        "0000", "f5f5", "61c3", "62ff41", "7f61c361bcff", "63eda080",
    ])
    func refusesWhatIsNotWellFormed(bytes: String) {
        #expect(throws: ScanFailure.self) { try Diagnostic.text(cbor: hex(bytes)) }
        #expect(throws: MartletError.self) {
            try CBORCodec().decode(JSONTests.Value.self, from: Bytes(hex(bytes)))
        }
    }

    @Test func depthIsBounded() {
        let deep = [UInt8](repeating: 0x81, count: 100_000)
        #expect(throws: ScanFailure.self) { try Diagnostic.text(cbor: deep) }
        #expect(throws: ScanFailure.self) {
            try Diagnostic.text(cbor: [UInt8](repeating: 0xC1, count: 100_000))
        }
        #expect(throws: ScanFailure.self) {
            try Diagnostic.text(cbor: [UInt8](repeating: 0x9F, count: 100_000))
        }
        #expect(throws: Never.self) {
            try Diagnostic.text(cbor: [UInt8](repeating: 0x81, count: 32) + [0])
        }
    }

    @Test func writesTheSmallestForm() throws {
        func written(_ value: some Encodable) throws -> String {
            hex(try CBORCodec().encode(value).array())
        }
        #expect(try written(23) == "17")
        #expect(try written(24) == "1818")
        #expect(try written(256) == "190100")
        #expect(try written(65_536) == "1a00010000")
        #expect(try written(UInt64.max) == "1bffffffffffffffff")
        #expect(try written(Int64.min) == "3b7fffffffffffffff")
        #expect(try written(1.0) == "f93c00")
        #expect(try written(100_000.0) == "fa47c35000")
        #expect(try written(1.1) == "fb3ff199999999999a")
        #expect(try written(65_504.0) == "f97bff")
        #expect(try written(5.960464477539063e-8) == "f90001")
        #expect(try written(6.103515625e-5) == "f90400")
        #expect(try written(Double.nan) == "f97e00")
        #expect(try written(-Double.infinity) == "f9fc00")
        #expect(try written(Array(0..<24)).hasPrefix("9818"))
        #expect(try written([String](repeating: "", count: 256)).hasPrefix("990100"))
        #expect(try written([UInt8](repeating: 0, count: 65_536)).hasPrefix("9a00010000"))
        #expect(try written(Date(timeIntervalSince1970: 1_363_896_240)) == "c11a514b67b0")
        #expect(try written(Date(timeIntervalSince1970: 1_363_896_240.5)) == "c1fb41d452d9ec200000")
        #expect(
            try written(URL(string: "http://www.example.com"))
                == "d82076687474703a2f2f7777772e6578616d706c652e636f6d")
    }

    @Test func allHalfFloatsComeBack() {
        for bits in UInt16.min...UInt16.max {
            let value = HalfFloat.double(bits)
            let back = HalfFloat.bits(value)
            if value.isNaN ? back != 0x7E00 : back != bits {
                Issue.record("\(String(bits, radix: 16)) is \(value) and became \(back ?? 0)")
                return
            }
        }
        for value in [65_505, 65_536, 1.0001, 1e-8, 5.97e-8, 1e300] {
            #expect(HalfFloat.bits(value) == nil)
        }
    }

    @Test func deterministicBytesDoNotDependOnTheOrder() throws {
        struct Record: Codable { var bb = 1, a = [3, 2], ccc = ["z": 1] }
        let record = hex(try CBORCodec(deterministic: true).encode(Record()).array())
        #expect(record == "a361618203026262620163636363a1617a01")
        let numbers = Dictionary(
            uniqueKeysWithValues: (0..<300).map { ("key \($0 * 7_919 % 300)", $0) })
        let codec = CBORCodec(deterministic: true)
        let bytes = try codec.encode(numbers)
        let again = Dictionary(
            uniqueKeysWithValues: numbers.sorted { $0.key < $1.key }.map { ($0, $1) })
        #expect(try codec.encode(again) == bytes)
        #expect(try codec.decode([String: Int].self, from: bytes) == numbers)
    }

    @Test func numbersAndTagsBecomeSwift() throws {
        func read<T: Decodable>(_ type: T.Type, _ bytes: String) throws -> T {
            try CBORCodec().decode(type, from: Bytes(hex(bytes)))
        }
        #expect(try read([Int: Int].self, "a201020304") == [1: 2, 3: 4])
        #expect(try read(UInt64.self, "c248ffffffffffffffff") == .max)
        #expect(try read(Int64.self, "c3487fffffffffffffff") == .min)
        #expect(try read(Int128.self, "3bffffffffffffffff") == -18_446_744_073_709_551_616)
        #expect(try read(Double.self, "3bffffffffffffffff") == -18_446_744_073_709_551_616)
        #expect(try read(Double.self, "c249010000000000000000") == 18_446_744_073_709_551_616)
        #expect(throws: MartletError.self) { try read(Int64.self, "c3488000000000000000") }
        #expect(throws: MartletError.self) { try read(UInt64.self, "c249010000000000000000") }
        #expect(throws: MartletError.self) { try read(Int.self, "4101") }
        let date = Date(timeIntervalSince1970: 1_363_896_240)
        #expect(try read(Date.self, "c074323031332d30332d32315432303a30343a30305a") == date)
        #expect(try read(Date.self, "c11a514b67b0") == date)
        #expect(
            try read(URL.self, "d82076687474703a2f2f7777772e6578616d706c652e636f6d").host()
                == "www.example.com")
        #expect(try read(Data.self, "d74401020304") == Data([1, 2, 3, 4]))
        #expect(try read(Bytes.self, "5f42010243030405ff") == Bytes([1, 2, 3, 4, 5]))
        // A tag that says only that this is CBOR.
        #expect(try read([String: Bool].self, "d9d9f7a16161f5") == ["a": true])
    }
}
