/// What a text should have at some place and does not.
public struct SyntaxFailure: Error, Sendable, Hashable {
    /// Where, in bytes of UTF-8 from the start of the text.
    public let byteOffset: Int
    /// What was expected there.
    public let expected: String
    /// What stands there instead, where that is not plain to see.
    public let found: String?

    init(at byteOffset: Int, expected: String, found: String? = nil) {
        self.byteOffset = byteOffset
        self.expected = expected
        self.found = found
    }

    /// The error that shows the place in its line, with a caret below it.
    func error(in text: String, what: String) -> MartletError {
        let stands = found ?? SyntaxFailure.words(for: text, at: byteOffset)
        return MartletError(
            .invalidExpression,
            "The \(what) cannot be read: expected \(expected), found \(stands).\n"
                + SyntaxFailure.excerpt(of: text, at: byteOffset), cause: self)
    }

    private static func words(for text: String, at byteOffset: Int) -> String {
        let utf8 = text.utf8
        let start = utf8.index(
            utf8.startIndex, offsetBy: min(byteOffset, utf8.count))
        let rest = text[start...]
        guard let first = rest.first else { return "the end" }
        let word = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        return "`\(word.isEmpty ? String(first) : String(word.prefix(40)))`"
    }

    /// The characters around a place, at most this many on each side.
    private static let contextMax = 48

    /// The line that holds the place, shortened where it is long, and a caret below the place.
    static func excerpt(of text: String, at byteOffset: Int) -> String {
        let utf8 = text.utf8
        // What is missing at the end is missing behind the last word, not below it.
        let written = utf8.count - utf8.reversed().prefix(while: ByteClass.isSpace).count
        let byteOffset = byteOffset >= utf8.count ? written : byteOffset
        let place = utf8.index(utf8.startIndex, offsetBy: min(byteOffset, utf8.count))
        let isBreak = { (character: Character) in character.isNewline }
        let before = text[..<place].reversed().prefix { !isBreak($0) }
        let after = text[place...].prefix { !isBreak($0) }
        let left = String(before.prefix(contextMax).reversed())
        let lead = before.count > contextMax ? "…" : ""
        let tail = after.count > contextMax ? "…" : ""
        let line = lead + left + after.prefix(contextMax) + tail
        let margin = (lead + left).map { $0 == "\t" ? "\t" : " " }.joined()
        return "  \(line)\n  \(margin)^"
    }
}
