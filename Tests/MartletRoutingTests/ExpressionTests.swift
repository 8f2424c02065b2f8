import MartletRouting
import Testing

/// An expression, what it yields, and the error that comes with it.
struct Case: CustomTestStringConvertible, Sendable {
    let text: String
    let value: ExpressionValue
    let error: EvaluationError.Kind?

    init(_ text: String, _ value: ExpressionValue, _ error: EvaluationError.Kind? = nil) {
        self.text = text
        self.value = value
        self.error = error
    }

    init(_ text: String, _ value: Bool, _ error: EvaluationError.Kind? = nil) {
        self.init(text, .boolean(value), error)
    }

    init(_ text: String, _ value: Int32, _ error: EvaluationError.Kind? = nil) {
        self.init(text, .integer(value), error)
    }

    init(_ text: String, _ value: String, _ error: EvaluationError.Kind? = nil) {
        self.init(text, .string(value), error)
    }

    var testDescription: String { text }
}

/// The language, operator by operator. Every case is evaluated over an event of another system and
/// over the same event in a frame, in strict mode and outside of it.
@Suite struct ExpressionTests {
    static func event() throws -> CloudEvent {
        try .sample(
            id: "A-17", source: "https://shop.example/eu", type: "orders.placed",
            subject: "order 17",
            [
                "hop": "5", "ttl": "10", "mybool": true, "myint": 10, "negative": -3,
                "mytext": "abc", "percent": "50%", "wide": "grün", "big": "2147483648",
                "moment": .timestamp(.latest), "blob": .binary(Bytes(utf8: "hi")),
                "partitionkey": "c-9", "one": "1", "truth": "TRUE", "1a": "digits",
            ])
    }

    static func check(_ one: Case, isStrict: Bool = true) throws {
        let event = try event()
        let expression = try Expression(one.text, isStrict: isStrict)
        for evaluation in [
            expression.evaluate(event), expression.evaluate(try event.recorded()),
        ] {
            #expect(evaluation.value == one.value)
            #expect(evaluation.error?.kind == one.error)
        }
        let isTrue = one.value == .boolean(true) && one.error == nil
        #expect(try expression.matches(event.recorded()) == isTrue)
    }

    @Test(arguments: [
        Case("TRUE", true), Case("true", true), Case("tRuE", true), Case("FALSE", false),
        Case("False", false), Case("0", 0), Case("007", 7), Case("2147483647", .max),
        Case("-2147483648", .min), Case("+5", 5), Case("'abc'", "abc"), Case("\"AbC\"", "AbC"),
        Case("''", ""), Case("'a\"b\\'c'", "a\"b'c"), Case("\"a'b\\\"c\"", "a'b\"c"),
        Case("'a\\b'", "a\\b"), Case("'a\\\\'", "a\\\\"), Case("'a\\\"b'", "a\\\"b"),
        Case(" \t\r\n 'x' \n", "x"), Case("'grün 🐦'", "grün 🐦"), Case("(TRUE)", true),
        Case("((((7))))", 7),
    ])
    func literals(one: Case) throws { try Self.check(one) }

    @Test(arguments: [
        Case("id", "A-17"), Case("source", "https://shop.example/eu"),
        Case("type", "orders.placed"), Case("specversion", "1.0"), Case("subject", "order 17"),
        Case("datacontenttype", "application/json"), Case("time", "2026-11-24T08:30:00Z"),
        Case("topic", "orders.placed"), Case("partitionkey", "c-9"), Case("hop", "5"),
        Case("mybool", true), Case("myint", 10), Case("mytext", "abc"), Case("blob", "aGk="),
        Case("moment", "9999-12-31T23:59:59.999999Z"), Case("1a", "digits"),
        Case("dataschema", false, .missingAttribute), Case("missing", false, .missingAttribute),
        Case("missingAttribute", false, .missingAttribute),
        Case("MYTEXT = 'abc'", false, .missingAttribute),
    ])
    func attributes(one: Case) throws { try Self.check(one) }

    @Test(arguments: [
        Case("NOT TRUE", false), Case("not false", true), Case("NOT NOT TRUE", true),
        Case("NOT 'TRUE'", false), Case("NOT 'fALSE'", true), Case("NOT 10", false),
        Case("NOT 0", true), Case("NOT 'abc'", false, .cast), Case("NOT mytext", false, .cast),
        Case("NOT missing", false, .missingAttribute), Case("NOT truth", false),
        Case("-10", -10), Case("--10", 10), Case("- 10", -10), Case("---10", -10),
        Case("-'10'", -10), Case("--'10'", 10), Case("-TRUE", -1), Case("-FALSE", 0),
        Case("-missing", 0, .missingAttribute), Case("-hop", -5), Case("-mytext", 0, .cast),
        Case("-'abc'", 0, .cast), Case("--2147483648", 0, .math), Case("- NOT TRUE", 0),
        Case("NOT -1", false), Case("-(1 + 2)", -3), Case("NOT (1 = 2)", true),
    ])
    func unaryOperators(one: Case) throws { try Self.check(one) }

    @Test(arguments: [
        Case("4 + 1", 5), Case("4+1", 5), Case("4 -1", 3), Case("4-1", 3), Case("-4 + -1", -5),
        Case("4 - -1", 5), Case("2 * 3", 6), Case("5 / 3", 1), Case("-5 / 3", -1),
        Case("5 / -3", -1), Case("5 % 3", 2), Case("-5 % 3", -2), Case("5 % -3", 2),
        Case("5 / 0", 0, .math), Case("5 % 0", 0, .math), Case("5 / FALSE", 0, .math),
        Case("2147483647 + 1", 0, .math), Case("-2147483648 - 1", 0, .math),
        Case("65536 * 65536", 0, .math), Case("-2147483648 / -1", 0, .math),
        Case("-2147483648 % -1", 0), Case("'5' + 3", 8), Case("5 + '3'", 8),
        Case("'5' + '3'", 8), Case("5 + TRUE", 6), Case("hop + ttl", 15), Case("myint * 2", 20),
        Case("negative + 1", -2), Case("missing / 0", 0, .missingAttribute),
        Case("missing % 0", 0, .missingAttribute), Case("0 / missing", 0, .missingAttribute),
        Case("missing + 1", 0, .missingAttribute), Case("mytext + 1", 0, .cast),
        Case("1 + 'abc'", 0, .cast), Case("big + 0", 0, .cast), Case("1 + ''", 0, .cast),
        Case("'+7' + 0", 7), Case("'007' + 0", 7), Case("' 7' + 0", 0, .cast),
        Case("'-2147483648' + 0", .min), Case("'7.0' + 0", 0, .cast), Case("'-' + 0", 0, .cast),
        Case("10 - 3 - 2", 5), Case("100 / 10 / 5", 2), Case("7 % 4 * 2", 6),
        Case("4 * 2 + 4 / 2", 10), Case("4 * (2 + 4) / 2", 12), Case("2 + 3 * 4", 14),
        Case("1 / 0 + 5", 0, .math),
    ])
    func arithmetic(one: Case) throws { try Self.check(one) }

    @Test(arguments: [
        Case("1 = 1", true), Case("1 = 2", false), Case("1 != 2", true), Case("1 <> 1", false),
        Case("TRUE = TRUE", true), Case("TRUE != FALSE", true), Case("TRUE <> TRUE", false),
        Case("'abc' = 'abc'", true), Case("'abc' = 'ABC'", false), Case("'abc' != '123'", true),
        Case("'abc' <> 'abc'", false), Case("1 < 2", true), Case("2 < 2", false),
        Case("2 <= 2", true), Case("3 <= 2", false), Case("2 > 1", true), Case("2 > 2", false),
        Case("2 >= 2", true), Case("2 >= 3", false), Case("-1 < 0", true),
        Case("true = 'TRUE'", false), Case("true = 'true'", true), Case("'TRUE' = true", true),
        Case("TRUE = \"true\" AND FALSE = \"false\"", true),
        Case("TRUE = \"TRUE\" OR FALSE = \"FALSE\"", false), Case("5 = '5'", true),
        Case("'5' = 5", true), Case("'05' = 5", true), Case("5 = '05'", false),
        Case("1 = TRUE", true), Case("2 = TRUE", true), Case("TRUE = 1", true),
        Case("TRUE = 2", false), Case("'abc' = 5", false, .cast),
        Case("'abc' = TRUE", false, .cast),
        Case("'abc' != 5", false, .cast), Case("hop = 5", true), Case("hop = '5'", true),
        Case("myint = 10", true), Case("myint = '10'", true), Case("10 = myint", true),
        Case("'10' = myint", true), Case("mybool = TRUE", true), Case("mybool = 'true'", true),
        Case("mybool = 1", true), Case("truth = TRUE", true), Case("truth = 'true'", false),
        Case("hop < ttl", true), Case("ttl < hop", false), Case("'9' < '10'", true),
        Case("mytext < 1", false, .cast), Case("1 > 'x'", false, .cast),
        Case("missing = 2", false, .missingAttribute),
        Case("missing != 2", false, .missingAttribute),
        Case("missing <> 2", false, .missingAttribute),
        Case("2 = missing", false, .missingAttribute),
        Case("missing <= 2", false, .missingAttribute), Case("TRUE > FALSE", true),
        Case("1 = 1 = TRUE", true), Case("3 > 2 > 0", true), Case("1 + 1 = 2", true),
        Case("2 = 1 + 1", true), Case("(1 = 2) = FALSE", true), Case("subject = mytext", false),
        Case("mytext = mytext", true), Case("'a' = mytext", false),
    ])
    func comparisons(one: Case) throws { try Self.check(one) }

    @Test(arguments: [
        Case("TRUE AND TRUE", true), Case("TRUE AND FALSE", false), Case("FALSE AND TRUE", false),
        Case("FALSE AND FALSE", false), Case("TRUE OR FALSE", true), Case("FALSE OR TRUE", true),
        Case("FALSE OR FALSE", false), Case("TRUE OR TRUE", true), Case("TRUE XOR TRUE", false),
        Case("TRUE XOR FALSE", true), Case("FALSE XOR TRUE", true), Case("FALSE XOR FALSE", false),
        Case("false and (1 != 1 / 0)", false), Case("true and (1 != 1 / 0)", false, .math),
        Case("true or (1 != 1 / 0)", true), Case("false or (1 != 1 / 0)", false, .math),
        Case("(1 = 1 / 0) or true", false, .math), Case("(1 = 1 / 0) and false", false, .math),
        Case("true xor (1 != 1 / 0)", false, .math),
        Case("false xor missing", false, .missingAttribute),
        Case("false and missing", false), Case("true or missing", true),
        Case("true and missing", false, .missingAttribute), Case("1 AND 'true'", true),
        Case("0 OR 'FALSE'", false), Case("TRUE AND 'abc'", false, .cast),
        Case("'abc' OR TRUE", false, .cast), Case("FALSE AND 'abc'", false),
        Case("FALSE AND TRUE OR TRUE", true), Case("TRUE OR TRUE AND FALSE", false),
        Case("TRUE XOR TRUE OR TRUE", true), Case("1 = 1 AND 2 = 2", true),
        Case("1 = 2 OR 2 = 2", true), Case("NOT TRUE OR TRUE", true),
        Case("true and (missing = \"\")", false, .missingAttribute),
        Case("tRuE aNd TrUe", true),
    ])
    func logic(one: Case) throws { try Self.check(one) }

    @Test(arguments: [
        Case("EXISTS id", true), Case("EXISTS source", true), Case("EXISTS type", true),
        Case("EXISTS specversion", true), Case("exists subject", true),
        Case("EXISTS missing", false), Case("EXISTS dataschema", false),
        Case("NOT EXISTS missing", true), Case("EXISTS mybool", true),
        Case("EXISTS id AND EXISTS hop", true), Case("EXISTS id LIKE 't%'", true),
        Case("EXISTS id = TRUE", true), Case("EXISTS ID", false),
    ])
    func existence(one: Case) throws { try Self.check(one) }

    @Test(arguments: [
        Case("123 IN (1, 2, 123)", true), Case("123 NOT IN (1, 2, 123)", false),
        Case("5 IN (1)", false), Case("5 not in (1)", true), Case("'a' IN ('b', 'a')", true),
        Case("'A' IN ('b', 'a')", false), Case("TRUE IN (FALSE)", false),
        Case("TRUE IN (TRUE, FALSE)", true), Case("source IN (mytext, 'abc')", false),
        Case("mytext IN (source, 'abc')", true), Case("1 IN ('1', '2')", true),
        Case("'1' IN (1, 2)", true), Case("'true' IN (TRUE, 'false')", true),
        Case("'TRUE' IN (TRUE, 'false')", false), Case("TRUE IN ('true', 'false')", true),
        Case("'true' IN ('TRUE', 'false')", false), Case("1 IN ('a')", false, .cast),
        Case("1 NOT IN ('a')", false, .cast), Case("1 IN ('1', 'a')", true),
        Case("1 IN (missing)", false, .missingAttribute),
        Case("missing IN ('a')", false, .missingAttribute), Case("3 IN (1 + 2)", true),
        Case("hop IN ('4', '5')", true), Case("hop IN (4, 5)", true),
        Case("1 + 2 IN (2)", 2), Case("NOT 1 IN (0)", true), Case("myint IN ('10')", true),
        Case("1 IN (2, (3 - 2))", true), Case("1 IN (1) AND 2 IN (2)", true),
    ])
    func sets(one: Case) throws { try Self.check(one) }

    @Test(arguments: [
        Case("LENGTH('abc')", 3), Case("LENGTH('')", 0), Case("LENGTH('grün')", 4),
        Case("LENGTH(wide)", 4), Case("LENGTH('🐦')", 1), Case("LENGTH(TRUE)", 4),
        Case("LENGTH(-10)", 3), Case("length('ab')", 2), Case("LeNgTh('ab')", 2),
        Case("CONCAT('a', 'b', 'c')", "abc"), Case("CONCAT()", ""), Case("CONCAT('a')", "a"),
        Case("CONCAT('a', 1, TRUE)", "a1true"), Case("CONCAT_WS(',', 'a', 'b')", "a,b"),
        Case("CONCAT_WS(',')", ""), Case("CONCAT_WS(',', 'a')", "a"),
        Case("concat_ws(1, 2, 3)", "213"), Case("CONCAT_WS()", false, .missingFunction),
        Case("LOWER('AbÇ')", "abç"), Case("UPPER('abç')", "ABÇ"), Case("UPPER(true)", "TRUE"),
        Case("TRIM('  a b\t ')", "a b"), Case("TRIM('')", ""), Case("TRIM('   ')", ""),
        Case("TRIM('\u{00A0}\u{2003}x\u{3000}')", "x"), Case("TRIM('\u{200B}x')", "\u{200B}x"),
        Case("LEFT('abc', 2)", "ab"), Case("LEFT('abc', 10)", "abc"), Case("LEFT('', 0)", ""),
        Case("LEFT('abc', 0)", ""), Case("LEFT('abc', -2)", "abc", .functionEvaluation),
        Case("LEFT('grün', 3)", "grü"), Case("LEFT('abc', '2')", "ab"),
        Case("LEFT('abc', 'x')", "", .cast), Case("LEFT(12345, 2)", "12"),
        Case("RIGHT('abc', 2)", "bc"), Case("RIGHT('abc', 10)", "abc"), Case("RIGHT('', 0)", ""),
        Case("RIGHT('abc', -2)", "abc", .functionEvaluation), Case("RIGHT('grün', 2)", "ün"),
        Case("SUBSTRING('abcdef', 1)", "abcdef"), Case("SUBSTRING('abcdef', 2)", "bcdef"),
        Case("SUBSTRING('abcdef', -3)", "def"), Case("SUBSTRING('abcdef', 6)", "f"),
        Case("SUBSTRING('abcdef', 0)", ""), Case("SUBSTRING('abcdef', 7)", "", .functionEvaluation),
        Case("SUBSTRING('abcdef', -6)", "abcdef"),
        Case("SUBSTRING('abcdef', -7)", "", .functionEvaluation),
        Case("SUBSTRING('abcdef', 2, 4)", "bcde"), Case("SUBSTRING('abcdef', -5, 3)", "bcd"),
        Case("SUBSTRING('abcdef', 4, 100)", "def"), Case("SUBSTRING('abcdef', 4, 0)", ""),
        Case("SUBSTRING('abcdef', 0, 1)", ""),
        Case("SUBSTRING('abcdef', 1, -1)", "", .functionEvaluation),
        Case("SUBSTRING('abcdef', 10, 10)", "", .functionEvaluation),
        Case("SUBSTRING('', 0)", ""), Case("SUBSTRING('', 1)", "", .functionEvaluation),
        Case("SUBSTRING('abcdef', -2147483648)", "", .functionEvaluation),
        Case("ABS(10)", 10), Case("ABS(-10)", 10), Case("ABS(0)", 0), Case("ABS('-7')", 7),
        Case("ABS(-2147483648)", .max, .math), Case("INT('1')", 1), Case("INT('-1')", -1),
        Case("INT(1)", 1), Case("INT(TRUE)", 1), Case("INT(FALSE)", 0),
        Case("INT('ABC')", 0, .cast), Case("INT('2147483648')", 0, .cast),
        Case("BOOL('TRUE')", true), Case("BOOL(\"false\")", false),
        Case("BOOL('ABC')", false, .cast),
        Case("BOOL(1)", true), Case("BOOL(0)", false), Case("BOOL(-50)", true),
        Case("BOOL('1')", false, .cast), Case("STRING(TRUE)", "true"), Case("STRING(1)", "1"),
        Case("STRING(-1)", "-1"), Case("STRING('abc')", "abc"), Case("bool(mybool)", true),
        Case("INT(missing)", 0, .missingAttribute), Case("LENGTH(missing)", 0, .missingAttribute),
        Case("CONCAT('a', missing)", "", .missingAttribute),
        Case("LENGTH(LEFT('abc', -1))", 0, .functionEvaluation),
        Case("LENGTH()", false, .missingFunction),
        Case("LENGTH('a', 'b')", false, .missingFunction),
        Case("UNKNOWN(1)", false, .missingFunction),
        Case("UNKNOWN(1) = 2", false, .missingFunction), Case("1 + UNKNOWN()", 0, .missingFunction),
        Case("int(hop) < int(ttl) and int(hop) < 1000", true),
        Case("LENGTH(CONCAT(hop, ttl)) = 3", true), Case("ABS(negative) + 1", 4),
    ])
    func functions(one: Case) throws { try Self.check(one) }
}
