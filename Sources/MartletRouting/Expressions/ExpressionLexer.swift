/// Cuts an expression into its words and signs.
struct ExpressionLexer {
    enum Kind: Equatable {
        case word(String)
        case integer(Int32)
        case number(ExpressionNumber)
        case string(String)
        case sign(String)
        case end
    }

    struct Token {
        let kind: Kind
        let place: Range<Int>

        /// Whether it is this keyword, in capitals here.
        func isKeyword(_ keyword: String) -> Bool {
            if case .word(let word) = kind { word.uppercased() == keyword } else { false }
        }

        func isSign(_ sign: String) -> Bool { kind == .sign(sign) }
    }

    let bytes: [UInt8]
    let isStrict: Bool
    private(set) var place = 0

    init(_ text: String, isStrict: Bool) {
        bytes = Array(text.utf8)
        self.isStrict = isStrict
    }

    /// Words that cannot name an attribute.
    static let keywords: Set<String> = [
        "AND", "OR", "XOR", "NOT", "LIKE", "EXISTS", "IN", "TRUE", "FALSE",
    ]

    private static let pairs = ["!=", "<>", "<=", ">="]
    private static let singles = Set("()=<>+-*/%,".utf8)

    /// The next token. A sign before digits belongs to them where a value may begin.
    mutating func next(isOperandExpected: Bool) throws(SyntaxFailure) -> Token {
        while place < bytes.count, ByteClass.isSpace(bytes[place]) { place += 1 }
        let start = place
        guard start < bytes.count else { return Token(kind: .end, place: start..<start) }
        let byte = bytes[start]
        if ByteClass.isQuote(byte) {
            let text = try QuotedText.read(bytes, &place)
            return Token(kind: .string(text), place: start..<place)
        }
        if ByteClass.isWord(byte) { return try word(start) }
        let isSigned = byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
        if isSigned, isOperandExpected, start + 1 < bytes.count,
            ByteClass.isDigit(bytes[start + 1])
        {
            place += 1
            return try word(start)
        }
        let pair = String(decoding: bytes[start..<min(start + 2, bytes.count)], as: UTF8.self)
        if Self.pairs.contains(pair) {
            place += 2
            return Token(kind: .sign(pair), place: start..<place)
        }
        guard Self.singles.contains(byte) else {
            throw SyntaxFailure(
                at: start, expected: "a value, a name, an operator or a parenthesis")
        }
        place += 1
        return Token(
            kind: .sign(String(decoding: bytes[start..<place], as: UTF8.self)),
            place: start..<place)
    }

    /// A name, a keyword or a number, which may begin with a sign.
    private mutating func word(_ start: Int) throws(SyntaxFailure) -> Token {
        while place < bytes.count, ByteClass.isWord(bytes[place]) { place += 1 }
        let text = String(decoding: bytes[start..<place], as: UTF8.self)
        let digits = text.utf8.drop { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") }
        guard digits.allSatisfy(ByteClass.isDigit) else {
            guard digits.count == text.utf8.count else {
                throw SyntaxFailure(at: start, expected: "a number of digits alone")
            }
            return Token(kind: .word(text), place: start..<place)
        }
        if !isStrict, let number = try fraction(start) {
            return Token(kind: .number(number), place: start..<place)
        }
        if let value = Int32(text) { return Token(kind: .integer(value), place: start..<place) }
        if !isStrict, let value = Int64(text) {
            return Token(kind: .number(.whole(value)), place: start..<place)
        }
        throw SyntaxFailure(
            at: start,
            expected: isStrict
                ? "a whole number of 32 bits, -2147483648 to 2147483647"
                : "a whole number of 64 bits")
    }

    /// The number, if a dot and digits follow the digits.
    private mutating func fraction(_ start: Int) throws(SyntaxFailure) -> ExpressionNumber? {
        guard place + 1 < bytes.count, bytes[place] == UInt8(ascii: "."),
            ByteClass.isDigit(bytes[place + 1])
        else { return nil }
        place += 1
        while place < bytes.count, ByteClass.isDigit(bytes[place]) { place += 1 }
        let text = String(decoding: bytes[start..<place], as: UTF8.self)
        guard place - start <= 64, let number = Double(text) else {
            throw SyntaxFailure(at: start, expected: "a number of at most 64 digits")
        }
        return ExpressionNumber(number)
    }

    /// The steps of a payload path, which follow `data` without a space.
    mutating func payloadSteps() throws(SyntaxFailure) -> [PayloadStep] {
        try PayloadPath.steps(in: bytes, &place)
    }

    /// The text in this range.
    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
}
