/// The casts of CESQL, and those of the numbers of payloads.
enum Casting {
    /// An optional sign and decimal digits that make 32 bits.
    static func integer(_ text: Span<UInt8>) -> Int32? {
        guard text.count > 0 else { return nil }
        let isNegative = text[0] == UInt8(ascii: "-")
        var place = isNegative || text[0] == UInt8(ascii: "+") ? 1 : 0
        guard place < text.count else { return nil }
        var value: Int64 = 0
        while place < text.count {
            let digit = text[place] &- UInt8(ascii: "0")
            guard digit < 10 else { return nil }
            value = value * 10 + Int64(digit)
            guard value <= 1 << 31 else { return nil }
            place += 1
        }
        return Int32(exactly: isNegative ? -value : value)
    }

    private static let trueWord = Array("true".utf8)
    private static let falseWord = Array("false".utf8)

    /// `true` or `false` in any case.
    static func boolean(_ text: Span<UInt8>) -> Bool? {
        if isWord(text, trueWord) { return true }
        if isWord(text, falseWord) { return false }
        return nil
    }

    private static func isWord(_ text: Span<UInt8>, _ word: [UInt8]) -> Bool {
        guard text.count == word.count else { return false }
        for place in 0..<text.count where text[place] | 0x20 != word[place] { return false }
        return true
    }

    /// A decimal number; one of digits alone is exact to 64 bits.
    static func number(_ text: String) -> ExpressionNumber? {
        guard text.utf8.count <= 64, let first = text.utf8.first,
            ByteClass.isDigit(first) || first == UInt8(ascii: "-") || first == UInt8(ascii: "+"),
            text.utf8.allSatisfy({ ByteClass.isDigit($0) || "+-.eE".utf8.contains($0) })
        else { return nil }
        if let whole = Int64(text) { return .whole(whole) }
        return Double(text).flatMap { $0.isFinite ? ExpressionNumber($0) : nil }
    }
}

extension ExpressionValue {
    /// The value as one of another type; nil if it cannot be one.
    func cast(to type: ExpressionType) -> ExpressionValue? {
        switch (type, self) {
        case (.boolean, .boolean), (.integer, .integer), (.string, .string), (.number, .number):
            self
        case (.string, _): .string(description)
        case (.boolean, .integer(let value)): .boolean(value != 0)
        case (.boolean, .number(let value)): .boolean(!value.isZero)
        case (.boolean, .string(let text)):
            Casting.boolean(text.utf8Span.span).map { .boolean($0) }
        case (.integer, .boolean(let value)): .integer(value ? 1 : 0)
        case (.integer, .number(let value)): value.small.map { .integer($0) }
        case (.integer, .string(let text)):
            Casting.integer(text.utf8Span.span).map { .integer($0) }
        case (.number, .boolean(let value)): .number(.whole(value ? 1 : 0))
        case (.number, .integer(let value)): .number(.whole(Int64(value)))
        case (.number, .string(let text)): Casting.number(text).map { .number($0) }
        }
    }

    /// How much memory the value takes beyond its own few bytes.
    var textByteCount: Int {
        if case .string(let text) = self { text.utf8.count } else { 0 }
    }
}
