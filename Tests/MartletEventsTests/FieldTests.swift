import MartletEvents
import Testing

/// Single attributes and payload values, read where they stand.
@Suite struct FieldTests {
    static func event(_ attributes: EventAttributes, key: String? = nil) throws -> RecordedEvent {
        var builder = FrameBuilder.sample()
        let definition = try EventDefinition(topic: "orders.placed", contentType: .json)
        try builder.add(
            Array(#"{"a": [1, {"b": "x"}]}"#.utf8), definition, key: key, id: "A-17",
            attributes: attributes)
        return try #require(try Frame(builder.seal()).first)
    }

    @Test func attributesOfEveryTypeAreFound() throws {
        let values: KeyValuePairs<AttributeName, AttributeValue> = [
            "b": true, "i": -7, "s": "text", "e": "", "n": .binary(Bytes([1, 2])),
            "u": .uri("https://x"), "r": .uriReference("/x"), "t": .timestamp(.sample),
        ]
        let event = try Self.event(EventAttributes(subject: "s-1", values), key: "c-9")
        for (name, value) in values { #expect(event.attribute(name) == value) }
        #expect(event.attribute(.partitionKey) == "c-9")
        #expect(event.attribute("missing") == nil)
        #expect(event.attribute("sub") == nil)
        let bare = try Self.event(EventAttributes())
        #expect(bare.attribute("b") == nil)
        #expect(bare.attribute(.partitionKey) == nil)
    }

    @Test func placesLeadToTheTexts() throws {
        let event = try Self.event(
            EventAttributes(subject: "s-1", ["region": "grün", "size": 12]), key: "c-9")
        let text = { (range: Range<Int>?) in range.map { event.frame.bytes.text(in: $0) } }
        #expect(text(event.keyPlace) == "c-9")
        #expect(text(event.explicitIDPlace) == "A-17")
        guard case .text(let region)? = event.attributePlace("region"),
            case .text(let subject)? = event.attributePlace("subject"),
            case .integer(12)? = event.attributePlace("size")
        else {
            Issue.record("an attribute is missing")
            return
        }
        #expect(text(region) == "grün")
        #expect(text(subject) == "s-1")
        #expect(try Self.event(EventAttributes()).keyPlace == nil)
    }

    @Test(arguments: [
        ("héllo", "héllo", true, true, true), ("héllo", "he\u{301}llo", false, false, false),
        ("héllo", "hé", false, true, false), ("héllo", "", false, true, true),
        ("héllo", "llo", false, false, true), ("héllo", "héllo!", false, false, false),
        ("", "", true, true, true), ("", "o", false, false, false),
    ])
    func textsAreComparedByTheirBytes(
        text: String, part: String, isEqual: Bool, begins: Bool, ends: Bool
    ) {
        let results = [
            TextBytes.isEqual(text.utf8Span.span, part.utf8Span.span),
            TextBytes.begins(text.utf8Span.span, with: part.utf8Span.span),
            TextBytes.ends(text.utf8Span.span, with: part.utf8Span.span),
        ]
        #expect(results == [isEqual, begins, ends])
    }

    @Test func payloadValuesHaveTheirPlaces() throws {
        let json = Bytes(utf8: #"{"a": [1, {"b": "x"}], "c": null}"#)
        let reader = try PayloadReader(json, .json)
        #expect(try reader.value(at: [.key("a"), .index(1), .key("b")]) == .text("x"))
        #expect(try reader.value(at: [.key("c")]) == nil)
        #expect(reader.byteOffset(at: [.key("a"), .index(1)]) == 10)
        #expect(reader.byteOffset(at: [.key("z")]) == nil)
        #expect(throws: PayloadFailure.container) { try reader.value(at: [.key("a")]) }
        #expect(throws: MartletError.self) { try PayloadReader(Bytes([1]), "image/png") }
        #expect(throws: MartletError.self) { try PayloadReader(Bytes(utf8: "{"), .json) }
        #expect(throws: MartletError.self) { try PayloadReader(Bytes([0xFF]), .text) }
    }

    /// A moment goes on as its producer wrote it.
    @Test func timesKeepTheirText() throws {
        let json =
            #"{"specversion":"1.0","id":"1","source":"/s","type":"a.b","#
            + #""time":"2026-11-24T09:30:00+01:00"}"#
        let event = try CloudEventsJSON.decode(from: Bytes(utf8: json))
        #expect(event.time == .sample)
        #expect(event.timeText == "2026-11-24T09:30:00+01:00")
        let again = try CloudEventsJSON.decode(from: CloudEventsJSON.encode(event))
        #expect(again.timeText == event.timeText)
        let headers = CloudEventHeaders.headers(of: event)
        #expect(headers.contains { $0.name.hasSuffix("time") && $0.value.contains("+01:00") })
        let made = try CloudEvent(id: "1", source: "/s", type: "a.b", time: .sample)
        #expect(made.timeText == "2026-11-24T08:30:00Z")
        #expect(made == event)
    }
}
