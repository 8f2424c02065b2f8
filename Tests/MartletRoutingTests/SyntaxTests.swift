import MartletRouting
import Testing

/// What is no expression, and what an expression can only fail at.
@Suite struct SyntaxTests {
    @Test(arguments: [
        ("", 0), ("   ", 3), ("ABC(", 4), ("(1", 2), ("1)", 1), ("1 +", 3), ("* 2", 0),
        ("1 2", 2), ("'abc", 0), ("\"abc", 0), ("'a''b'", 3), ("1 = ", 4), ("= 1", 0),
        ("a LIKE b", 7), ("a LIKE 5", 7), ("a LIKE CONCAT('x')", 7), ("a LIKE ('x')", 7),
        ("a IN 5", 5), ("a IN ()", 6), ("a IN (1,)", 8), ("a IN (1", 7), ("EXISTS", 6),
        ("EXISTS 'a'", 7), ("EXISTS (a)", 7), ("EXISTS NOT", 7), ("a NOT 5", 6), ("a NOT = 5", 6),
        ("AND TRUE", 0), ("TRUE AND", 8), ("TRUE AND OR FALSE", 9), ("NOT", 3), ("a ! b", 2),
        ("a == b", 3), ("a & b", 2), ("a; b", 1), ("a.b", 1), ("data.total", 4), ("1.5", 1),
        ("2147483648", 0), ("-2147483649", 0), ("99999999999999999999", 0), ("+ 5", 0),
        ("my_attr", 0), ("F1(2)", 0), ("_F(2)", 0), ("LENGTH('a'", 10),
        ("LENGTH('a',)", 11), ("LENGTH(,)", 7), ("grün", 2), ("a = 'x' extra", 8), ("--a b", 4),
        ("TRUE FALSE", 5), ("IN (1)", 0), ("LIKE 'a'", 0), ("1 < ", 4), ("1 <> <> 2", 5),
        ("5 -", 3),
    ])
    func isNoExpression(text: String, offset: Int) throws {
        let error = failure { _ = try Expression(text, isStrict: true) }
        #expect(error?.code == .invalidExpression)
        let syntax = try #require(error?.cause as? SyntaxFailure)
        #expect(syntax.byteOffset == offset, "\(error?.message ?? "")")
        #expect(!syntax.expected.isEmpty)
    }

    @Test func errorsShowThePlaceWithACaret() throws {
        let error = failure { _ = try Expression("type = 'ü' AND region ==\n 'eu'") }
        #expect(
            error?.message == """
                The expression cannot be read: expected a value: a name, a text in quotes, a \
                number, TRUE, FALSE, EXISTS, a function or `(`, found `=`.
                  type = 'ü' AND region ==
                                         ^
                """)
    }

    @Test func longLinesAreCutAroundThePlace() throws {
        let text =
            String(repeating: "id = 'x' OR ", count: 100) + "!"
            + String(repeating: " OR TRUE", count: 100)
        let lines = try #require(failure { _ = try Expression(text) }).message.split(
            separator: "\n")
        let caret = try #require(lines.last?.firstIndex(of: "^"))
        let distance = lines[2].distance(from: lines[2].startIndex, to: caret)
        #expect(lines[1].count < 110)
        #expect(lines[1][lines[1].index(lines[1].startIndex, offsetBy: distance)] == "!")
    }

    @Test func sizeAndNestingAreBounded() throws {
        let deep = [
            String(repeating: "(", count: 10_000) + "1" + String(repeating: ")", count: 10_000),
            String(repeating: "ABS(", count: 3_000) + "1" + String(repeating: ")", count: 3_000),
            String(repeating: "1 IN (", count: 2_000) + "1" + String(repeating: ")", count: 2_000),
            String(repeating: "a", count: 1 << 20),
            "'" + String(repeating: "x", count: 1 << 20) + "'",
            String(repeating: "(", count: 33) + "1" + String(repeating: ")", count: 33),
            "id LIKE '" + String(repeating: "x", count: Limits.likePatternBytesMax + 1) + "'",
            "id LIKE '%" + String(repeating: "_", count: Limits.likePieceMax + 1) + "%'",
            "id LIKE '%" + String(repeating: "é", count: Limits.likePieceMax) + "_%'",
        ]
        for text in deep {
            #expect(failure { _ = try Expression(text) }?.code == .invalidExpression)
        }
        _ = try Expression(
            "id LIKE '%" + String(repeating: "é", count: Limits.likePieceMax - 1) + "_%'")
        let fitting = [
            String(repeating: "1 + 1 * (", count: 32) + "1" + String(repeating: ")", count: 32),
            String(repeating: "1 IN (1 + (", count: 16) + "1" + String(repeating: "))", count: 16),
            String(repeating: "(", count: 32) + "1" + String(repeating: ")", count: 32),
            String(repeating: "NOT ", count: 4_000) + "TRUE",
            String(repeating: "-", count: 16_000) + "1",
            String(repeating: "TRUE AND ", count: 1_800) + "TRUE",
            String(repeating: "1 + ", count: 4_000) + "1",
            "'a'" + String(repeating: " LIKE 'a'", count: 1_800),
            "1 IN (" + String(repeating: "1, ", count: 5_000) + "2)",
        ]
        let event = try CloudEvent.sample()
        for text in fitting { _ = try Expression(text).evaluate(event) }
        #expect(try Expression(fitting[6]).evaluate(event).value == .integer(4_001))
    }

    /// What succeeds for some event is no defect.
    @Test(arguments: [
        "data.x > - 1.5", "-(1.5) < data.x", "1.5 = 2", "1.5 = LENGTH(id)", "1 IN (1.5, 1)",
        "data.x > '1.5'", "1.5 < '2.5'", "hop = 'x'", "TRUE LIKE 'x'", "1 = TRUE",
        "data.a + 1.5 > 2",
        "'5' + 3 = 8",
        "NOT 10", "LENGTH(5) = 1", "CONCAT(1, 2) = 'x'",
    ])
    func areNoDefects(text: String) throws {
        #expect(try Expression(text).defects == [])
    }

    @Test func aMissingEndIsShownBehindTheLastWord() throws {
        let message = try #require(failure { _ = try Expression("(1 \n + \n") }).message
        #expect(message.hasSuffix("   + \n    ^") || message.hasSuffix("   +\n    ^"), "\(message)")
    }

    @Test func bytesThatAreNotUTF8AreRefused() {
        let error = failure { _ = try Expression(utf8: Bytes([0x27, 0xFF, 0x27])) }
        #expect(error?.code == .invalidExpression)
    }

    @Test(arguments: [
        ("LENGHT(id) = 1", EvaluationError.Kind.missingFunction, 0),
        ("TRUE AND LENGTH(id, id) = 1", .missingFunction, 9), ("'abc' + 1 = 2", .cast, 0),
        ("1 < 'abc'", .cast, 4), ("NOT 'x'", .cast, 4), ("-'x' = 1", .cast, 1),
        ("id = 'a' AND 'x'", .cast, 13),
        ("'x' = 5", .cast, 0), ("5 IN (1, 'b')", .cast, 9), ("hop / 0 = 1", .math, 6),
        ("LENGTH(id) > '1.5'", .cast, 13),
        ("1 < '2147483648'", .cast, 4), ("-'99999999999' = 1", .cast, 1),
        ("hop % 0 = 1", .math, 6), ("Type = 'x'", .missingAttribute, 0),
        ("EXISTS Type", .missingAttribute, 0), ("ABS('x') = 1", .cast, 4),
        ("data = 1", .missingAttribute, 0), ("TRUE OR (LENGTH('a', 'b') = 1)", .missingFunction, 9),
    ])
    func canOnlyFail(text: String, kind: EvaluationError.Kind, offset: Int) throws {
        let expression = try Expression(text, isStrict: true)
        #expect(expression.defects.map(\.kind) == [kind])
        #expect(expression.defects.first?.byteOffset == offset)
        let error = failure { _ = try Filter.sql(expression) }
        #expect(error?.code == .invalidExpression)
        #expect(error?.message.contains("^") == true)
    }

    @Test(arguments: [
        ("1 + 1", ExpressionType.integer), ("LENGTH(id)", .integer), ("'a'", .string),
        ("id", .string),
        ("-hop", .integer), ("UPPER(hop)", .string),
    ])
    func aFilterMustBeTrueOrFalse(text: String, type: ExpressionType) throws {
        let expression = try Expression(text)
        #expect(expression.type == type)
        #expect(expression.defects.isEmpty)
        #expect(failure { _ = try Filter.sql(expression) }?.code == .invalidExpression)
    }

    @Test(arguments: [
        "hop", "hop = 1", "NOT hop", "EXISTS hop", "id LIKE 'a'", "1 IN (hop)", "BOOL(1)",
    ])
    func mayBeAFilter(text: String) throws {
        #expect(try Expression(text).defects.isEmpty)
        _ = try Filter.sql(text)
    }

    @Test func anAttributeThatIsNotTrueDoesNotPass() throws {
        let filter = try Filter.sql("flag")
        #expect(filter.matches(try .sample(["flag": true])))
        #expect(!filter.matches(try .sample(["flag": "true"])))
        #expect(!filter.matches(try .sample(["flag": 1])))
        #expect(!filter.matches(try .sample()))
    }
}
