/// What a byte of an expression is.
enum ByteClass {
    static func isLetter(_ byte: UInt8) -> Bool {
        let lower = byte | 0x20
        return lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "z")
    }

    static func isDigit(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    }

    static func isQuote(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"")
    }

    static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }

    /// What may stand in a word: a keyword, an attribute's name, a function's.
    static func isWord(_ byte: UInt8) -> Bool {
        isLetter(byte) || isDigit(byte) || byte == UInt8(ascii: "_")
    }
}

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
