import MartletRouting
import Testing

/// `LIKE`, in a table and against a matcher that tries everything.
@Suite struct LikeTests {
    @Test(arguments: [
        Case("'abc' LIKE 'abc'", true), Case("'abc' NOT LIKE 'abc'", false),
        Case("'abc' LIKE 'ABC'", false), Case("'' LIKE ''", true), Case("'' LIKE '%'", true),
        Case("'' LIKE '_'", false), Case("'a' LIKE '_'", true), Case("'ü' LIKE '_'", true),
        Case("'🐦' LIKE '_'", true), Case("'🐦' LIKE '__'", false), Case("'abc' LIKE 'a%b%c'", true),
        Case("'azzbzzc' LIKE 'a%b%c'", true), Case("'ac' LIKE 'abc'", false),
        Case("'.ab.cde.' LIKE '.%.%.'", true), Case("'ab.cde' LIKE '.%.%.'", false),
        Case("'azbzc' LIKE 'a_b_c'", true), Case("'abc' LIKE 'a_b_c'", false),
        Case("'a_b' LIKE 'a\\_b'", true), Case("'azb' LIKE 'a\\_b'", false),
        Case("'a%b' LIKE 'a\\%b'", true), Case("'azb' LIKE 'a\\%b'", false),
        Case("'ab\\c' LIKE 'ab\\c'", true),
        Case("percent LIKE '%\\%'", true), Case("percent LIKE '5_\\%'", true),
        Case("234 LIKE '23_'", true), Case("2344 LIKE '23_'", false), Case("-5 LIKE '-%'", true),
        Case("TRUE LIKE 'tr%'", true), Case("FALSE LIKE 'tr%'", false),
        Case("myint LIKE '1_'", true),
        Case("missing LIKE '%'", false, .missingAttribute),
        Case("missing NOT LIKE '%'", false, .missingAttribute),
        Case("wide LIKE 'gr_n'", true), Case("source LIKE 'https://%'", true),
        Case("type like '%.placed' and id like 'A%'", true), Case("'abab' LIKE '%ab'", true),
        Case("'ababa' LIKE '%aba'", true), Case("'aaa' LIKE 'a%a%a%a'", false),
        Case("'abc' LIKE 'abc%'", true), Case("'abc' LIKE '%%%'", true),
        Case("'ab' LIKE 'ab_'", false),
        Case("'xay' LIKE '%a%'", true), Case("NOT 'a' LIKE 'b'", false, .cast),
        Case("'a' LIKE 'a' LIKE 'true'", true), Case("'true' = 'a' LIKE 'a'", true),
    ])
    func cases(one: Case) throws { try ExpressionTests.check(one) }

    /// All texts and patterns over few characters, against the definition.
    @Test func agreesWithTheDefinition() throws {
        var generator = SeededGenerator(seed: 4)
        let letters = Array("ab%_\\ü")
        for _ in 0..<20_000 {
            let pick = { (count: Int, from: [Character]) in
                String(
                    (0..<count).map { _ in from[Int.random(in: 0..<from.count, using: &generator)] }
                )
            }
            let text = pick(Int.random(in: 0...6, using: &generator), letters)
            let pattern = pick(Int.random(in: 0...6, using: &generator), letters)
            guard !pattern.hasSuffix("\\") else { continue }
            let expression = try Expression("subject LIKE '\(pattern)'")
            let event = try CloudEvent.sample(subject: text.isEmpty ? nil : text)
            guard !text.isEmpty else { continue }
            #expect(
                expression.matches(event)
                    == Self.matches(Array(text.unicodeScalars)[...], Self.steps(pattern)[...]),
                "\(text) LIKE \(pattern)")
        }
    }

    enum Step: Equatable {
        case scalar(Unicode.Scalar)
        case any, rest
    }

    static func steps(_ pattern: String) -> [Step] {
        var steps: [Step] = []
        var scalars = Array(pattern.unicodeScalars)[...]
        while let first = scalars.popFirst() {
            if first == "\\", let next = scalars.first, next == "%" || next == "_" {
                steps.append(.scalar(next))
                scalars = scalars.dropFirst()
            } else {
                steps.append(first == "%" ? .rest : first == "_" ? .any : .scalar(first))
            }
        }
        return steps
    }

    static func matches(_ text: ArraySlice<Unicode.Scalar>, _ steps: ArraySlice<Step>) -> Bool {
        guard let step = steps.first else { return text.isEmpty }
        switch step {
        case .rest:
            return (0...text.count).contains { matches(text.dropFirst($0), steps.dropFirst()) }
        case .any: return !text.isEmpty && matches(text.dropFirst(), steps.dropFirst())
        case .scalar(let scalar):
            return text.first == scalar && matches(text.dropFirst(), steps.dropFirst())
        }
    }
}
