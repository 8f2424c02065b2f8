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
        #expect(!filter.explain(event).isEmpty)
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

    @Test func nestingInCodeIsBounded() throws {
        var filter = try Filter.exact(["type": "x"])
        for _ in 0..<31 { filter = try .not(filter) }
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

@Suite struct FunctionSetTests {
    static func functions() throws -> FunctionSet {
        var functions = FunctionSet.standard
        try functions.add(
            ExpressionFunction("DOUBLED", parameters: [.integer], result: .integer) { arguments in
                guard case .integer(let value) = arguments[0], value < 1_000 else {
                    throw MartletError(.invalidArgument, "too much")
                }
                return .integer(value * 2)
            })
        try functions.add(
            ExpressionFunction("LIES", parameters: [], result: .integer) { _ in .string("x") })
        return functions
    }

    @Test func ownFunctionsAreCalled() throws {
        let event = try CloudEvent.sample(["hop": "4"])
        let cases: [(String, ExpressionValue, EvaluationError.Kind?)] = [
            ("doubled(hop) + 1", .integer(9), nil), ("DOUBLED('x')", .integer(0), .cast),
            ("DOUBLED(1000)", .integer(0), .functionEvaluation),
            ("LIES()", .integer(0), .functionEvaluation),
        ]
        for (text, value, error) in cases {
            let evaluation = try Expression(text, functions: Self.functions()).evaluate(event)
            #expect(evaluation.value == value)
            #expect(evaluation.error?.kind == error)
        }
    }

    static func function(_ name: String, _ count: Int, isVariadic: Bool = false)
        -> ExpressionFunction
    {
        ExpressionFunction(
            name, parameters: Array(repeating: .string, count: count),
            variadic: isVariadic ? .string : nil, result: .boolean
        ) { _ in .boolean(true) }
    }

    @Test func overloadsMustDiffer() throws {
        var functions = FunctionSet()
        try functions.add(Self.function("ABC", 1))
        try functions.add(Self.function("abc", 2))
        #expect(failure { try functions.add(Self.function("ABC", 2)) }?.code == .invalidArgument)
        #expect(failure { try functions.add(Self.function("ABC", 2, isVariadic: true)) } != nil)
        try functions.add(Self.function("ABC", 3, isVariadic: true))
        #expect(failure { try functions.add(Self.function("ABC", 3)) } != nil)
        #expect(failure { try functions.add(Self.function("ABC", 4, isVariadic: true)) } != nil)
        for name in ["", "A1", "_A", "AND", "A-B", "Ä"] {
            #expect(failure { try functions.add(Self.function(name, 1)) } != nil, "\(name)")
        }
    }
}
