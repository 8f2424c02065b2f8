import MartletRouting
import Testing

/// The dialects of the Subscriptions API, in code and in JSON.
@Suite struct FilterTests {
    static func event() throws -> CloudEvent {
        try .sample(
            type: "com.example.created", subject: "/orders/17",
            ["region": "eu", "urgent": true, "size": 12, "partitionkey": "c-9"])
    }

    @Test(arguments: [
        (#"{"exact": {"type": "com.example.created"}}"#, true),
        (#"{"exact": {"type": "com.example.Created"}}"#, false),
        (#"{"exact": {"type": "com.example.created", "region": "us"}}"#, false),
        (#"{"exact": {"type": "com.example.created", "region": "eu"}}"#, true),
        (#"{"exact": {"urgent": "true", "size": "12"}}"#, true),
        (#"{"exact": {"missing": "x"}}"#, false), (#"{"exact": {"partitionkey": "c-9"}}"#, true),
        (#"{"prefix": {"type": "com."}}"#, true), (#"{"prefix": {"type": "example"}}"#, false),
        (#"{"prefix": {"type": "com.", "subject": "/orders"}}"#, true),
        (#"{"prefix": {"type": "com.example.created.more"}}"#, false),
        (#"{"prefix": {"size": "1"}}"#, true), (#"{"suffix": {"type": ".created"}}"#, true),
        (#"{"suffix": {"type": ".created", "subject": "/18"}}"#, false),
        (#"{"suffix": {"missing": "x"}}"#, false),
        (#"{"all": [{"exact": {"region": "eu"}}, {"prefix": {"type": "com"}}]}"#, true),
        (#"{"all": [{"exact": {"region": "eu"}}, {"prefix": {"type": "org"}}]}"#, false),
        (#"{"any": [{"exact": {"region": "us"}}, {"prefix": {"type": "com"}}]}"#, true),
        (#"{"any": [{"exact": {"region": "us"}}, {"prefix": {"type": "org"}}]}"#, false),
        (#"{"not": {"exact": {"region": "us"}}}"#, true),
        (#"{"not": {"exact": {"region": "eu"}}}"#, false),
        (#"{"not": {"exact": {"missing": "x"}}}"#, true),
        (#"{"sql": "region = 'eu' AND size > 10"}"#, true),
        (#"{"sql": "region = 'eu' AND size > 12"}"#, false), (#"{"sql": "missing = 1"}"#, false),
        (#""region IN ('eu', 'uk')""#, true),
        (#"[{"exact": {"region": "eu"}}, "size = 12"]"#, true),
        (#"["size = 12", "size = 13"]"#, false),
        (#"{"not": {"any": [{"not": {"sql": "urgent"}}, {"all": ["size = 1"]}]}}"#, true),
    ])
    func passes(json: String, isPassing: Bool) throws {
        let filter = try Filter(json: Bytes(utf8: json))
        let event = try Self.event()
        #expect(filter.matches(event) == isPassing)
        #expect(filter.matches(try event.recorded()) == isPassing)
        #expect(filter.explain(event) == filter.explain(try event.recorded()))
        let written = try JSONCodec().encode(filter)
        #expect(try Filter(json: written) == filter)
    }

    @Test(arguments: [
        #"{}"#, #"{"exact": {}}"#, #"{"exact": {"type": ""}}"#, #"{"exact": {"Type": "x"}}"#,
        #"{"exact": {"data": "x"}}"#, #"{"exact": {"type": 5}}"#, #"{"prefix": "x"}"#,
        #"{"all": []}"#,
        #"{"any": []}"#, #"[]"#, #"{"not": []}"#, #"{"nope": {}}"#, #"{"sql": 5}"#,
        #"{"sql": "1 ="}"#,
        #"{"sql": "LENGTH(id)"}"#, #"{"exact": {"type": "x"}, "prefix": {"type": "x"}}"#, "5",
        "null",
        "", "{", #"{"all": {"exact": {"type": "x"}}}"#,
        String(repeating: #"{"not":"#, count: 40) + #"{"exact":{"type":"x"}}"#
            + String(repeating: "}", count: 40),
    ])
    func isNoFilter(json: String) {
        #expect(failure { _ = try Filter(json: Bytes(utf8: json)) } != nil)
    }

    @Test func whatCodeAcceptsItsJSONDoes() throws {
        var filter = try Filter.exact(["type": "x"])
        while let deeper = try? Filter.all([filter]) { filter = deeper }
        #expect(try Filter(json: JSONCodec().encode(filter)) == filter)
        #expect(
            failure { _ = try Filter.exact(["type": "a", "type": "b"]) }?.code == .invalidExpression
        )
        let many = try (0..<1_023).map { _ in try Filter.sql("size = 1") }
        _ = try Filter.any(many)
        #expect(failure { _ = try Filter.any(many + many) }?.code == .invalidExpression)
    }

    @Test func equalityIsThatOfBytes() throws {
        #expect(try Filter.exact(["subject": "\u{E9}"]) != Filter.exact(["subject": "e\u{301}"]))
        #expect(try Expression("data['\u{E9}']") != Expression("data['e\u{301}']"))
        #expect(try Filter.sql("size = 1") == Filter.sql("size = 1"))
        #expect(try Filter.sql("size = 1") != Filter.sql("size = 1", isStrict: true))
    }

    @Test func errorsInJSONAreThoseOfTheFilter() throws {
        let json = #"{"any": [{"sql": "size = 1"}, {"sql": "LENGHT(id) = 1"}]}"#
        let message = try #require(failure { _ = try Filter(json: Bytes(utf8: json)) }).message
        #expect(message.hasPrefix("At `any[1]"), "\(message)")
        #expect(message.hasSuffix("  LENGHT(id) = 1\n  ^"))
    }

    @Test func strictnessAndFunctionsReachIntoJSON() throws {
        let json = Bytes(utf8: #"{"not": {"sql": "data.x = 1"}}"#)
        _ = try Filter(json: json)
        #expect(failure { _ = try Filter(json: json, isStrict: true) } != nil)
        let own = Bytes(utf8: #"["DOUBLED(size) = 24"]"#)
        #expect(failure { _ = try Filter(json: own) } != nil)
        let filter = try Filter(json: own, functions: FunctionSetTests.functions())
        #expect(filter.matches(try Self.event()))
    }

    @Test func nestingInCodeIsBounded() throws {
        var filter = try Filter.exact(["type": "x"])
        for _ in 0..<27 { filter = try .not(filter) }
        #expect(failure { _ = try Filter.not(filter) }?.code == .invalidExpression)
    }

    @Test(arguments: [
        ("region = 'us'", "`region = 'us'` is false: `region` is `eu`"),
        ("size > 1 AND region = 'us' AND urgent", "`region = 'us'` is false: `region` is `eu`"),
        ("missing = 1", "`missing = 1` fails: the event has no `missing`"),
        (
            "region = 'eu' OR size = 1",
            "`region = 'eu' OR size = 1` is true: `region` is `eu`, `size` is `12`"
        ),
        ("1 = 2", "`1 = 2` is false"),
    ])
    func reasons(text: String, reason: String) throws {
        #expect(try Filter.sql(text).explain(Self.event()) == reason)
    }

    @Test func reasonsOfTexts() throws {
        let event = try Self.event()
        #expect(
            try Filter.exact(["region": "us"]).explain(event)
                == "`region` is `eu`, which is not `us`")
        #expect(try Filter.prefix(["missing": "us"]).explain(event) == "the event has no `missing`")
        #expect(
            try Filter.not(.suffix(["type": "created"])).explain(event)
                == "what must not hold does: `type` ends with `created`")
    }

    @Test func payloadValuesAreInReasons() throws {
        let event = try CloudEvent.sample(json: #"{"total": 5}"#)
        let filter = try Filter.sql("type LIKE '%' AND data.total > 1000")
        #expect(filter.explain(event) == "`data.total > 1000` is false: `data.total` is `5`")
    }
}
