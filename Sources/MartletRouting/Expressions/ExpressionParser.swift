/// Makes nodes of an expression. The levels of the grammar, from the loosest to the tightest:
///
///   AND OR XOR,  = != <> < <= > >=,  + -,  * / %,  LIKE and IN,  NOT and -,  a value
///
/// Operators of one level apply from left to right, so that a level is one chain however long it
/// is, and only parentheses, sets and calls nest.
struct ExpressionParser {
    private var lexer: ExpressionLexer
    private var token: ExpressionLexer.Token
    private var depth = 0
    private let functions: FunctionSet
    private(set) var draft = ExpressionDraft()

    /// The program of an expression.
    static func parse(
        _ text: String, isStrict: Bool, functions: FunctionSet
    ) throws(SyntaxFailure) -> ExpressionProgram {
        guard text.utf8.count <= Limits.expressionBytesMax else {
            throw SyntaxFailure(
                at: Limits.expressionBytesMax,
                expected: "at most \(Limits.expressionBytesMax) bytes",
                found: "\(text.utf8.count)")
        }
        var parser = try ExpressionParser(text, isStrict: isStrict, functions)
        let root = try parser.chain(.logic)
        guard parser.token.kind == .end else {
            throw parser.unexpected("an operator, or the end")
        }
        return ExpressionProgram(parser.draft, root: root)
    }

    private init(_ text: String, isStrict: Bool, _ functions: FunctionSet) throws(SyntaxFailure) {
        lexer = ExpressionLexer(text, isStrict: isStrict)
        self.functions = functions
        token = try lexer.next(isOperandExpected: true)
    }

    private func unexpected(_ expected: String) -> SyntaxFailure {
        SyntaxFailure(at: token.place.lowerBound, expected: expected)
    }

    private mutating func advance(isOperandExpected: Bool) throws(SyntaxFailure) {
        token = try lexer.next(isOperandExpected: isOperandExpected)
    }

    // MARK: Chains

    private enum Level: Int {
        case logic, comparison, sum, product, value

        var tighter: Level { Level(rawValue: rawValue + 1) ?? .value }
    }

    private mutating func chain(_ level: Level) throws(SyntaxFailure) -> Int {
        guard level != .value else { return try postfixed() }
        let start = token.place.lowerBound
        let first = try chain(level.tighter)
        var links: [ExpressionLink] = []
        while let operation = binaryOperator(level) {
            try advance(isOperandExpected: true)
            links.append(ExpressionLink(operation, try chain(level.tighter)))
        }
        return close(first, links, from: start)
    }

    private func binaryOperator(_ level: Level) -> ExpressionLink.Operator? {
        switch (level, token.kind) {
        case (.logic, .word(let word)):
            switch word.uppercased() {
            case "AND": .and
            case "OR": .or
            case "XOR": .xor
            default: nil
            }
        case (.comparison, .sign(let sign)):
            switch sign {
            case "=": .equal
            case "!=", "<>": .unequal
            case "<": .less
            case "<=": .lessOrEqual
            case ">": .greater
            case ">=": .greaterOrEqual
            default: nil
            }
        case (.sum, .sign(let sign)): sign == "+" ? .add : sign == "-" ? .subtract : nil
        case (.product, .sign(let sign)):
            sign == "*" ? .multiply : sign == "/" ? .divide : sign == "%" ? .remainder : nil
        default: nil
        }
    }

    /// Where there are no operators, the value itself.
    private mutating func close(
        _ first: Int, _ links: [ExpressionLink], from start: Int
    ) -> Int {
        guard !links.isEmpty else { return first }
        let node = ExpressionNode(.chain, first, links: draft.append(links))
        return draft.append(node, start..<previousEnd)
    }

    /// Where the last token before this one ends.
    private var previousEnd: Int {
        var end = token.place.lowerBound
        while end > 0, ByteClass.isSpace(lexer.bytes[end - 1]) { end -= 1 }
        return end
    }

    /// A value, and `LIKE` and `IN` behind it.
    private mutating func postfixed() throws(SyntaxFailure) -> Int {
        let start = token.place.lowerBound
        let first = try prefixed()
        var links: [ExpressionLink] = []
        while true {
            let isNegated = token.isKeyword("NOT")
            if isNegated { try advance(isOperandExpected: false) }
            if token.isKeyword("LIKE") {
                try advance(isOperandExpected: true)
                links.append(ExpressionLink(isNegated ? .notLike : .like, try pattern()))
            } else if token.isKeyword("IN") {
                try advance(isOperandExpected: true)
                links.append(ExpressionLink(isNegated ? .notIn : .isIn, try set()))
            } else if isNegated {
                throw unexpected("LIKE or IN")
            } else {
                return close(first, links, from: start)
            }
        }
    }

    /// `NOT` and `-` before a value. The one next to the value applies first.
    private mutating func prefixed() throws(SyntaxFailure) -> Int {
        let start = token.place.lowerBound
        var links: [ExpressionLink] = []
        while true {
            if token.isKeyword("NOT") {
                links.append(ExpressionLink(.not))
            } else if token.isSign("-") {
                links.append(ExpressionLink(.negate))
            } else {
                return close(try value(), links.reversed(), from: start)
            }
            try advance(isOperandExpected: true)
        }
    }

    // MARK: Values

    private static let valueWords =
        "a value: a name, a text in quotes, a number, TRUE, FALSE, EXISTS, a function or `(`"

    private mutating func value() throws(SyntaxFailure) -> Int {
        let place = token.place
        switch token.kind {
        case .integer(let value): return try literal(.integer(value))
        case .number(let value): return try literal(.number(value))
        case .string(let text): return try literal(.string(text))
        case .sign("("):
            return try nested { (parser) throws(SyntaxFailure) in
                try parser.advance(isOperandExpected: true)
                let inner = try parser.chain(.logic)
                try parser.close(")", "an operator, or `)`")
                return inner
            }
        case .word(let word):
            switch word.uppercased() {
            case "TRUE": return try literal(.boolean(true))
            case "FALSE": return try literal(.boolean(false))
            case "EXISTS": return try exists()
            case let upper where ExpressionLexer.keywords.contains(upper):
                throw unexpected(Self.valueWords)
            default: return try named(word, place, .field, .payload)
            }
        case .sign, .end: throw unexpected(Self.valueWords)
        }
    }

    private mutating func literal(_ value: ExpressionValue) throws(SyntaxFailure) -> Int {
        let node = draft.literal(value, token.place)
        try advance(isOperandExpected: false)
        return node
    }

    private mutating func exists() throws(SyntaxFailure) -> Int {
        let start = token.place.lowerBound
        try advance(isOperandExpected: true)
        guard case .word(let word) = token.kind,
            !ExpressionLexer.keywords.contains(word.uppercased())
        else { throw unexpected("the name of an attribute") }
        let node = try named(
            word, start..<token.place.upperBound, .exists, .existsPayload, isCallable: false)
        return node
    }

    /// What begins with a name: an attribute, a payload path, or a call.
    private mutating func named(
        _ word: String, _ place: Range<Int>, _ field: ExpressionNode.Kind,
        _ payload: ExpressionNode.Kind, isCallable: Bool = true
    ) throws(SyntaxFailure) -> Int {
        let start = token.place.lowerBound
        if !lexer.isStrict, word == "data" {
            let steps = try lexer.payloadSteps()
            let path = PayloadPath(text: lexer.text(start..<lexer.place), steps: steps)
            let node = draft.path(payload, path, place.lowerBound..<lexer.place)
            try advance(isOperandExpected: false)
            return node
        }
        try advance(isOperandExpected: false)
        if isCallable, token.isSign("(") { return try call(word, start) }
        guard !word.contains("_") else {
            throw SyntaxFailure(
                at: start,
                expected: "the name of an attribute, which has letters and digits alone",
                found: "`\(word.prefix(40))`")
        }
        return draft.field(field, EventField(unchecked: word), place)
    }

    private mutating func call(_ name: String, _ start: Int) throws(SyntaxFailure) -> Int {
        guard !name.utf8.contains(where: ByteClass.isDigit), name.utf8.first != UInt8(ascii: "_")
        else {
            throw SyntaxFailure(
                at: start, expected: "the name of a function, which has letters and `_` alone",
                found: "`\(name.prefix(40))`")
        }
        let arguments = try nested { (parser) throws(SyntaxFailure) in
            try parser.advance(isOperandExpected: true)
            if parser.token.isSign(")") {
                try parser.advance(isOperandExpected: false)
                return [ExpressionLink]()
            }
            return try parser.list()
        }
        let function = functions.function(named: name, arguments.count)
        draft.calls.append(ExpressionCall(name: name, function: function))
        let node = ExpressionNode(
            .call, draft.calls.count - 1, links: draft.append(arguments))
        return draft.append(node, start..<previousEnd)
    }

    private mutating func pattern() throws(SyntaxFailure) -> Int {
        guard case .string(let text) = token.kind else {
            throw unexpected("the pattern, a text in quotes")
        }
        guard text.utf8.count <= Limits.likePatternBytesMax else {
            throw unexpected("a pattern of at most \(Limits.likePatternBytesMax) bytes")
        }
        guard let pattern = LikePattern(text) else {
            throw unexpected(
                "a pattern with at most \(Limits.likePieceMax) characters between two `%`, if `_` "
                    + "is one of them")
        }
        draft.patterns.append(pattern)
        try advance(isOperandExpected: false)
        return draft.patterns.count - 1
    }

    private mutating func set() throws(SyntaxFailure) -> Int {
        guard token.isSign("(") else { throw unexpected("`(` and the values of the set") }
        let values = try nested { (parser) throws(SyntaxFailure) in
            try parser.advance(isOperandExpected: true)
            return try parser.list()
        }
        draft.sets.append(draft.append(values))
        return draft.sets.count - 1
    }

    /// Values with commas between them, and the parenthesis behind.
    private mutating func list() throws(SyntaxFailure) -> [ExpressionLink] {
        var values = [ExpressionLink(.argument, try chain(.logic))]
        while token.isSign(",") {
            try advance(isOperandExpected: true)
            values.append(ExpressionLink(.argument, try chain(.logic)))
        }
        try close(")", "an operator, `,` or `)`")
        return values
    }

    private mutating func close(_ sign: String, _ expected: String) throws(SyntaxFailure) {
        guard token.isSign(sign) else { throw unexpected(expected) }
        try advance(isOperandExpected: false)
    }

    private mutating func nested<Result>(
        _ body: (inout ExpressionParser) throws(SyntaxFailure) -> Result
    ) throws(SyntaxFailure) -> Result {
        guard depth < Limits.nestingMax else {
            throw unexpected("at most \(Limits.nestingMax) parentheses within each other")
        }
        depth += 1
        defer { depth -= 1 }
        return try body(&self)
    }
}
