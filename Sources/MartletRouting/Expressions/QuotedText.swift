/// Texts in quotes, single or double.
enum QuotedText {
    /// Reads the text that begins at this quote, and moves behind its end. A backslash keeps the
    /// quote of its own kind from ending the text; before all else it stands for itself.
    static func read(_ bytes: [UInt8], _ place: inout Int) throws(SyntaxFailure) -> String {
        let start = place
        let quote = bytes[start]
        var text: [UInt8] = []
        var next = start + 1
        while next < bytes.count, bytes[next] != quote {
            if bytes[next] == UInt8(ascii: "\\"), next + 1 < bytes.count {
                if bytes[next + 1] != quote { text.append(bytes[next]) }
                next += 1
            }
            text.append(bytes[next])
            next += 1
        }
        guard next < bytes.count else {
            throw SyntaxFailure(
                at: start, expected: "the \(Character(Unicode.Scalar(quote))) that ends this text",
                found: "none")
        }
        place = next + 1
        return String(decoding: text, as: UTF8.self)
    }
}
