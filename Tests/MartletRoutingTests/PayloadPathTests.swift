import MartletRouting
import Testing

/// Values looked up in payloads, in every format.
@Suite struct PayloadPathTests {
    struct Item: Codable { var name: String, price: Double, sku: Int }
    struct Order: Codable {
        var total: Int
        var customer: [String: String]
        var items: [Item]
        var note: String?
        var paid: Bool
        var big: Int64
        var huge: UInt64
    }

    static let order = Order(
        total: 4_200, customer: ["id": "c-9", "a b": "x"],
        items: [Item(name: "pen", price: 1.25, sku: -7), Item(name: "ink", price: 20, sku: 8)],
        note: nil, paid: true, big: 9_007_199_254_740_993, huge: .max)

    static func events() throws -> [CloudEvent] {
        try ([JSONCodec(), MessagePackCodec(), CBORCodec()] as [any Codec]).map { codec in
            try .sample(contentType: codec.contentType, data: codec.encode(order))
        }
    }

    @Test(arguments: [
        Case("data.total", 4_200), Case("data.customer.id", "c-9"),
        Case("data.customer['a b']", "x"), Case("data['customer'][\"id\"]", "c-9"),
        Case("data.items[0].name", "pen"), Case("data.items[1].sku", 8),
        Case("data.items[0].price", .number(.fraction(1.25))), Case("data.items[1].price", 20),
        Case("data.items[0].price + 1", .number(.fraction(2.25))),
        Case("-data.items[0].price", .number(.fraction(-1.25))),
        Case("data.items[0].price * 4", .number(.whole(5))),
        Case("data.items[0].price = 1.25", true),
        Case("1.25 = data.items[0].price", true), Case("data.items[0].price = '1.25'", true),
        Case("data.items[0].price > 1", true), Case("data.items[0].price < 1.5", true),
        Case("2 > data.items[0].price", true), Case("data.items[0].price >= 1.25", true),
        Case("data.items[0].price IN (1, 1.25)", true),
        Case("data.items[0].price LIKE '1.%'", true),
        Case("data.items[0].price / 0", 0, .math),
        Case("data.paid", true), Case("data.paid AND TRUE", true), Case("data.paid = 'true'", true),
        Case("data.note", false, .missingAttribute), Case("EXISTS data.note", false),
        Case("data.missing.deeper", false, .missingAttribute), Case("EXISTS data.total", true),
        Case("EXISTS data.items", true), Case("EXISTS data.items[2]", false),
        Case("EXISTS data", true),
        Case("NOT EXISTS data.x", true), Case("data.items", false, .cast),
        Case("data", false, .cast),
        Case("data.total.x", false, .missingAttribute),
        Case("data.items.name", false, .missingAttribute),
        Case("data.customer[0]", false, .missingAttribute),
        Case("data.total > 1000 AND data.paid", true),
        Case("data.big", .number(.whole(9_007_199_254_740_993))),
        Case("data.big = '9007199254740993'", true), Case("data.big = 9007199254740993", true),
        Case("data.big = 9007199254740992", false), Case("data.big > 9007199254740992", true),
        Case("9007199254740992 < data.big", true), Case("data.big > 1.5", true),
        Case("data.big + 1 = 9007199254740994", true), Case("-data.big < 0", true),
        Case("data.big / 3 = 3002399751580331", true), Case("data.big % 10 = 3", true),
        Case("data.big IN (1, 9007199254740993)", true), Case("1 < data.big", true),
        Case("9223372036854775807 < 9223372036854775808.0", true),
        Case("9223372036854775807 > 9223372036854775808.0", false),
        Case("-9223372036854775808 > -9223372036854775809.0", false),
        Case("data.big / 2", .number(.fraction(4_503_599_627_370_496.5))),
        Case("ABS(data.big)", 0, .cast), Case("STRING(data.big)", "9007199254740993"),
        Case("data.x > - 1.5", false, .missingAttribute), Case("- 1.5 < data.total", true),
        Case("1.5 = 2", false), Case("1 IN (1.5, 1)", true), Case("3000000000 > data.total", true),
        Case("3000000000 / 7", .number(.fraction(3_000_000_000 / 7))),
        Case("LENGTH(data.customer.id)", 3),
        Case("data.items[9999999].name", false, .missingAttribute),
        Case("INT(data.items[1].price)", 20), Case("INT(data.items[0].price)", 0, .cast),
        Case("STRING(data.items[0].price)", "1.25"), Case("BOOL(data.items[0].price)", true),
        Case("1.5 + 1", .number(.fraction(2.5))), Case("1.5 > 1", true),
        Case("data.missing + 1", 0, .missingAttribute),
        Case("data.customer.id = 'c-9' AND type = 'orders.placed'", true),
        Case("data.huge > 1", true), Case("data.items[0].sku + 7 = 0", true),
    ])
    func values(one: Case) throws {
        for event in try Self.events() {
            let expression = try Expression(one.text)
            for evaluation in [
                expression.evaluate(event), expression.evaluate(try event.recorded()),
            ] {
                #expect(evaluation.value == one.value, "\(event.contentType?.text ?? "")")
                #expect(evaluation.error?.kind == one.error)
            }
        }
    }

    @Test(arguments: [
        ("data.", 5), ("data..a", 5), ("data.1", 5), ("data.a.", 7), ("data[", 5), ("data[x]", 5),
        ("data[1", 6), ("data[-1]", 5), ("data['a]", 5), ("data['a'", 8), ("data[99999999999]", 5),
        ("data.a-b c", 9), ("data[]", 5), ("data .a", 5),
        ("data" + String(repeating: ".a", count: 33), 68),
    ])
    func isNoPath(text: String, offset: Int) {
        let error = failure { _ = try Expression(text) }
        #expect(error?.code == .invalidExpression)
        #expect((error?.cause as? SyntaxFailure)?.byteOffset == offset, "\(error?.message ?? "")")
    }

    @Test func pathsAreWrittenWithAndWithoutTheirRoot() throws {
        #expect(PayloadPath("customer.id") == PayloadPath("data.customer.id"))
        #expect(PayloadPath("[0]").text == "data[0]")
        #expect(PayloadPath("data").text == "data")
        for text in ["", "a.", "a b", ".", "a[", "data.x y"] {
            #expect(failure { _ = try PayloadPath(text) }?.code == .invalidExpression, "\(text)")
        }
    }

    @Test func payloadsThatCannotBeReadAreErrors() throws {
        let cases: [(CloudEvent, String, EvaluationError.Kind)] = [
            (try .sample(json: "{\"a\": "), "data.a = 1", .generic),
            (try .sample(json: "{\"a\": 1, \"a\": 2}"), "data.a = 1", .generic),
            (try .sample(), "data.a = 1", .missingAttribute),
            (try .sample(data: Bytes()), "data.a = 1", .missingAttribute),
            (try .sample(contentType: .text), "data = ''", .missingAttribute),
            (try .sample(contentType: "image/png", data: Bytes([1])), "data.a = 1", .generic),
            (
                try .sample(contentType: .text, data: Bytes(utf8: "hi")), "data.a = 1",
                .missingAttribute
            ),
            (
                try .sample(json: "\"" + String(repeating: "x", count: 70_000) + "\""),
                "data = 'x'", .generic
            ),
        ]
        for (event, text, kind) in cases {
            for evaluation in [
                try Expression(text).evaluate(event),
                try Expression(text).evaluate(event.recorded()),
            ] {
                #expect(evaluation.value == .boolean(false))
                #expect(evaluation.error?.kind == kind, "\(text)")
                #expect(evaluation.error?.message.isEmpty == false)
            }
            let path = text.prefix { $0 != " " }
            let exists = try Expression("EXISTS \(path)")
            let isThere = event.data.map { $0.count > 60_000 } ?? false
            #expect(exists.matches(event) == isThere)
            #expect(exists.matches(try event.recorded()) == isThere)
            // Nothing can be looked up in what cannot be read; where nothing is, nothing exists.
            let isReadable = kind == .missingAttribute || isThere
            #expect((exists.evaluate(event).error == nil) == isReadable, "\(text)")
        }
    }

    @Test func causesAreTold() throws {
        let image = try CloudEvent.sample(contentType: "image/png", data: Bytes([1]))
        let message = try Expression("data.a = 1").evaluate(image).error?.message
        #expect(message?.contains("image/png") == true)
        let twice = try CloudEvent.sample(json: #"{"a": 1, "a": 2}"#)
        #expect(
            try Expression("data.a = 1").evaluate(twice).error?.message
                == "`data.a` fails: a key occurs twice there")
        let list = try CloudEvent.sample(json: "[]")
        #expect(try Expression("data = 1").evaluate(list).error?.message.contains("array") == true)
    }

    /// Many paths into a large payload, and many filters over one that cannot be read, end soon.
    @Test func lookingUpIsBounded() throws {
        let keys = (0..<20_000).map { "\"k\($0)\": 1" }.joined(separator: ", ")
        let event = try CloudEvent.sample(json: "{\(keys)}")
        let sum = (0..<200).map { "data.k\($0)" }.joined(separator: " + ")
        #expect(try Expression(sum).evaluate(event).error?.kind == .generic)
        #expect(try Expression("data.k7 + data.k7 = 2").matches(event))
        let broken = try CloudEvent.sample(json: "{\(keys)")
        let filter = try Filter.any((0..<500).map { _ in try .sql("data.k1 = 2") })
        #expect(!filter.matches(broken))
    }

    @Test func whateverIsThereExists() throws {
        let huge = try CloudEvent.sample(json: #"{"x": 1e400, "n": null}"#)
        #expect(try Expression("EXISTS data.x").matches(huge))
        #expect(try !Expression("EXISTS data.n").matches(huge))
        #expect(try Expression("data.x = 1").evaluate(huge).error?.kind == .generic)
        let undefined = try CloudEvent.sample(contentType: .cbor, data: Bytes([0xF7]))
        #expect(try Expression("EXISTS data").matches(undefined))
        let bignum = Bytes([0xC2, 0x48, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF])
        let large = try CloudEvent.sample(contentType: .cbor, data: bignum)
        #expect(try Expression("data = 9223372036854775807").matches(large))
    }

    /// One expression over one event takes a bounded time, whoever wrote either.
    @Test func workIsBounded() throws {
        let digits = try CloudEvent.sample(
            json: "{\"n\": 1." + String(repeating: "1", count: 100_000) + "}")
        #expect(try Expression("data.n > 1").evaluate(digits).error?.kind == .generic)
        let text = try CloudEvent.sample(json: "\"" + String(repeating: "é", count: 8_000) + "\"")
        let upper =
            String(repeating: "UPPER(", count: 30) + "data" + String(repeating: ")", count: 30)
        let chain = Array(repeating: upper + " = 'a'", count: 40).joined(separator: " OR ")
        #expect(try Expression(chain).evaluate(text).error?.kind == .generic)
        let like = Array(repeating: "data LIKE '%aaaaaaaaaaaaaaaaaaaa_b%'", count: 40)
            .joined(separator: " OR ")
        #expect(try Expression(like).evaluate(text).error?.kind == .generic)
        #expect(try Expression("UPPER(data) LIKE '%É_É%'").matches(text))
    }

    @Test func aTextIsItsOwnValue() throws {
        let event = try CloudEvent.sample(contentType: .text, data: Bytes(utf8: "hello"))
        #expect(try Expression("data LIKE 'he%'").matches(event))
        #expect(try Expression("data = 1").evaluate(try .sample(json: "1")).value == .boolean(true))
    }

    @Test func strictExpressionsKnowNoPayload() throws {
        #expect(
            failure { _ = try Expression("data.a = 1", isStrict: true) }?.code == .invalidExpression
        )
        #expect(failure { _ = try Filter.sql("data.a = 1", isStrict: true) } != nil)
    }
}
