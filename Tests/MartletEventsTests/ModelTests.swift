import MartletEvents
import Testing

/// Topics, content types, attributes: what may be and what may not.
@Suite struct ModelTests {
    @Test(arguments: [
        "orders", "orders.placed", "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p", "sensors.küche.42",
        String(repeating: "x", count: 200),
    ])
    func topicsThatAreOnes(text: String) throws {
        let topic = try Topic(text)
        #expect(topic.text == text)
        #expect(topic.stream.text == text.split(separator: ".").first.map(String.init))
        #expect(topic.tokens.joined(separator: ".") == text)
    }

    @Test(arguments: [
        "", ".", "orders.", ".orders", "orders..placed", "orders placed", "orders.*", "orders.>",
        "a\tb", "a\u{1F}b", "a\u{7F}", "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q",
        String(repeating: "x", count: 201),
    ])
    func topicsThatAreNone(text: String) {
        let error = #expect(throws: MartletError.self) { try Topic(text) }
        #expect(error?.code == .invalidTopic)
    }

    @Test(arguments: [
        "application/json", "text/plain;charset=utf-8", "application/vnd.a+json ; q=1",
    ])
    func contentTypesThatAreOnes(text: String) throws {
        #expect(try ContentType(text).text == text)
    }

    @Test(arguments: ["", "json", "/json", "application/", "a/b/c", "a b/c", "a/b;\n", "a/ü"])
    func contentTypesThatAreNone(text: String) {
        #expect(throws: MartletError.self) { try ContentType(text) }
    }

    @Test func contentTypesKnowJSON() throws {
        #expect(ContentType.json.isJSON)
        #expect(ContentType("Application/Problem+JSON; charset=utf-8").isJSON)
        #expect(ContentType("text/json").isJSON)
        #expect(!ContentType.cbor.isJSON)
        #expect(ContentType("Text/Plain; a=b").mediaType == "text/plain")
    }

    @Test(arguments: [
        "", "Upper", "with-dash", "ü", "id", "data", "datacontenttype",
        String(repeating: "a", count: 33),
    ])
    func attributeNamesThatAreNone(text: String) {
        #expect(throws: MartletError.self) { try AttributeName(text) }
    }

    @Test func attributesStayInOrderAndCanBeTakenAway() throws {
        var attributes = try EventAttributes(subject: "s", ["b": 1, "a": true, "c": "x"])
        #expect(attributes.extensions.map(\.name) == ["a", "b", "c"])
        try attributes.set("b", to: 7)
        try attributes.set("a", to: nil)
        try attributes.set("zz", to: nil)
        #expect(attributes == (try EventAttributes(subject: "s", ["b": 7, "c": "x"])))
        #expect(attributes["a"] == nil)
        #expect(attributes["b"] == 7)
    }

    @Test(arguments: [
        AttributeValue.string("a\u{0}"), .string("a\u{9F}"), .string(character(0xFFFE)),
        .string(character(0x1FFFF)), .string(character(0xFDD0)),
        .string(String(repeating: "x", count: 4_097)), .uri("relative/path"), .uri(""), .uri(":x"),
        .uriReference(""), .binary(Bytes([UInt8](repeating: 0, count: 4_097))),
    ])
    func attributeValuesThatAreNone(value: AttributeValue) {
        let error = #expect(throws: MartletError.self) { try EventAttributes(["a": value]) }
        #expect(error?.code == .invalidAttribute)
    }

    @Test func valuesHaveTheirCanonicalTexts() {
        let values: [(AttributeValue, String)] = [
            (true, "true"), (false, "false"), (-7, "-7"), ("x", "x"),
            (.binary(Bytes([1, 2, 3, 4])), "AQIDBA=="), (.uri("urn:x"), "urn:x"),
            (.timestamp(.sample), "2026-11-24T08:30:00Z"),
        ]
        for (value, text) in values { #expect(value.canonicalText == text) }
    }

    @Test func thereIsABoundOfAttributes() throws {
        var attributes = EventAttributes()
        for number in 0..<Limits.attributesMax {
            try attributes.set(AttributeName("a\(number)"), to: 1)
        }
        #expect(throws: MartletError.self) { try attributes.set("more", to: 1) }
        try attributes.set("a7", to: 2)
    }

    @Test func deliveriesShowWhatIsUnusual() throws {
        let event = try Frame(Bytes(GoldenFrame.full.bytes()))[0]
        let usual = Delivery(event)
        #expect(usual.description == event.description)
        #expect(usual.attempt == 1 && !usual.mayBeRepeat && usual.missed == 0)
        let unusual = Delivery(event, attempt: 3, mayBeRepeat: true, missed: 12)
        #expect(unusual.description.hasSuffix("attempt 3, may be a repeat, 12 missed before it"))
        #expect(
            unusual.id == "A-17" && unusual.source == "/checkout" && unusual.key == "customer-9")
        #expect(!unusual.description.contains("customer"))
    }
}

/// A text of one code point, which may be one that no literal may hold.
private func character(_ value: UInt32) -> String {
    Unicode.Scalar(value).map { String(Character($0)) } ?? ""
}
