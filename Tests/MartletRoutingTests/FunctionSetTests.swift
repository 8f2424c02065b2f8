import MartletRouting
import Testing

/// Functions of the user's.
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

    @Test func theirErrorsAreTold() throws {
        let evaluation = try Expression("DOUBLED(1000)", functions: Self.functions())
            .evaluate(.sample())
        #expect(evaluation.error?.message == "`DOUBLED(1000)` fails: too much")
    }

    @Test func aParameterMayTakeAnyType() throws {
        var functions = FunctionSet.standard
        try functions.add(
            ExpressionFunction("TYPE", parameters: [nil], result: .string) { arguments in
                .string(arguments[0].type.rawValue)
            })
        for (text, type) in [
            ("1", "integer"), ("'a'", "string"), ("TRUE", "boolean"), ("1.5", "number"),
        ] {
            let expression = try Expression("TYPE(\(text))", functions: functions)
            #expect(expression.evaluate(try .sample()).value == .string(type))
        }
    }

    /// What functions are given and give back stays small, however often a text is repeated.
    @Test func textsAreBounded() throws {
        let event = try CloudEvent.sample(json: "\"" + String(repeating: "x", count: 16_000) + "\"")
        for text in [
            "CONCAT(data, data)", "CONCAT_WS(data, 1, 2, 3)", "LENGTH(CONCAT(data, data))",
        ] {
            #expect(
                try Expression(text).evaluate(event).error?.kind == .functionEvaluation, "\(text)")
        }
        #expect(try Expression("LENGTH(data)").evaluate(event).value == .integer(16_000))
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
        for name in ["", "A1", "_A", "AND", "A-B", "Ä", "data"] {
            #expect(failure { try functions.add(Self.function(name, 1)) } != nil, "\(name)")
        }
    }
}
