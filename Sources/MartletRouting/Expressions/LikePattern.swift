/// A pattern of `LIKE`: `%` stands for any characters, `_` for one, a backslash before either for
/// the sign itself; all else stands for itself, by its bytes.
///
/// Between two `%` lies a piece, and the first place where a piece fits is as good as any later
/// one. So matching goes through the text once for each piece and never back.
struct LikePattern: Sendable {
    /// One character of a piece.
    private enum Step {
        case byte(UInt8)
        case anyCharacter
    }

    private let pieces: [[Step]]
    /// The piece before the first `%` where it consists of bytes alone, which is the common case.
    private let literalPrefix: [UInt8]?
    private let literalSuffix: [UInt8]?

    init(_ text: String) {
        var pieces: [[Step]] = [[]]
        var isEscaped = false
        for byte in text.utf8 {
            let isWildcard = byte == UInt8(ascii: "%") || byte == UInt8(ascii: "_")
            if isEscaped {
                if !isWildcard { pieces[pieces.count - 1].append(.byte(UInt8(ascii: "\\"))) }
                isEscaped = false
                if isWildcard {
                    pieces[pieces.count - 1].append(.byte(byte))
                    continue
                }
            }
            switch byte {
            case UInt8(ascii: "\\"): isEscaped = true
            case UInt8(ascii: "%"): pieces.append([])
            case UInt8(ascii: "_"): pieces[pieces.count - 1].append(.anyCharacter)
            default: pieces[pieces.count - 1].append(.byte(byte))
            }
        }
        if isEscaped { pieces[pieces.count - 1].append(.byte(UInt8(ascii: "\\"))) }
        self.pieces = pieces
        literalPrefix = Self.bytes(of: pieces[0])
        literalSuffix = Self.bytes(of: pieces[pieces.count - 1])
    }

    private static func bytes(of piece: [Step]) -> [UInt8]? {
        var bytes: [UInt8] = []
        for step in piece {
            guard case .byte(let byte) = step else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    /// Whether all of the text is as the pattern says.
    func matches(_ text: Span<UInt8>) -> Bool {
        guard pieces.count > 1 else {
            if let literalPrefix { return TextBytes.isEqual(text, literalPrefix.span) }
            return end(of: pieces[0], in: text, from: 0) == text.count
        }
        if let literalPrefix, !TextBytes.begins(text, with: literalPrefix.span) { return false }
        if let literalSuffix, !TextBytes.ends(text, with: literalSuffix.span) { return false }
        guard var place = end(of: pieces[0], in: text, from: 0) else { return false }
        for piece in pieces[1..<(pieces.count - 1)] {
            guard let end = search(piece, in: text, from: place) else { return false }
            place = end
        }
        return endsText(pieces[pieces.count - 1], in: text, from: place)
    }

    /// Where the piece ends that begins here; nil if it does not fit.
    private func end(of piece: [Step], in text: Span<UInt8>, from start: Int) -> Int? {
        var place = start
        for step in piece {
            guard place < text.count else { return nil }
            switch step {
            case .byte(let byte):
                guard text[place] == byte else { return nil }
                place += 1
            case .anyCharacter: place = Self.nextCharacter(in: text, place)
            }
        }
        return place
    }

    private func search(_ piece: [Step], in text: Span<UInt8>, from start: Int) -> Int? {
        var place = start
        while true {
            if let end = end(of: piece, in: text, from: place) { return end }
            guard place < text.count else { return nil }
            place = Self.nextCharacter(in: text, place)
        }
    }

    /// Whether the piece fits the last characters, none of them before this place.
    private func endsText(_ piece: [Step], in text: Span<UInt8>, from least: Int) -> Bool {
        var place = text.count
        for step in piece.reversed() {
            guard place > least else { return false }
            switch step {
            case .byte(let byte):
                guard text[place - 1] == byte else { return false }
                place -= 1
            case .anyCharacter:
                repeat { place -= 1 } while place > least && text[place] & 0xC0 == 0x80
            }
        }
        return true
    }

    private static func nextCharacter(in text: Span<UInt8>, _ place: Int) -> Int {
        var next = place + 1
        while next < text.count, text[next] & 0xC0 == 0x80 { next += 1 }
        return next
    }
}
