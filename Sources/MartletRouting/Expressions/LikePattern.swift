/// A pattern of `LIKE`: `%` stands for any characters, `_` for one, a backslash before either for
/// the sign itself; all else stands for itself, by its bytes.
///
/// Between two `%` lies a piece, and the first place where a piece fits is as good as any later
/// one. So matching goes through the text piece by piece and never back.
struct LikePattern: Sendable {
    private let first: LikePiece
    private let middle: [LikePiece]
    /// The piece behind the last `%`; nil where there is no `%`.
    private let last: LikePiece?

    /// Nil if a piece with `_` between two `%` is too long.
    init?(_ text: String) {
        var pieces: [[LikePiece.Step]] = [[]]
        func append(_ step: LikePiece.Step) { pieces[pieces.count - 1].append(step) }
        var isEscaped = false
        for byte in text.utf8 {
            let isWildcard = byte == UInt8(ascii: "%") || byte == UInt8(ascii: "_")
            if isEscaped {
                if !isWildcard { append(.byte(UInt8(ascii: "\\"))) }
                isEscaped = false
                if isWildcard {
                    append(.byte(byte))
                    continue
                }
            }
            switch byte {
            case UInt8(ascii: "\\"): isEscaped = true
            case UInt8(ascii: "%"): pieces.append([])
            case UInt8(ascii: "_"): append(.anyCharacter)
            default: append(.byte(byte))
            }
        }
        if isEscaped { append(.byte(UInt8(ascii: "\\"))) }
        first = LikePiece(pieces[0])
        last = pieces.count > 1 ? LikePiece(pieces[pieces.count - 1]) : nil
        middle = pieces.dropFirst().dropLast().filter { !$0.isEmpty }.map(LikePiece.init)
        cost = middle.map(\.cost).max() ?? 1
        guard middle.allSatisfy(\.isSearchable) else { return nil }
    }

    /// How often a match may look at each byte of a text, at most.
    let cost: Int

    /// Whether all of the text is as the pattern says.
    func matches(_ text: Span<UInt8>) -> Bool {
        guard let last else { return first.isAll(of: text) }
        guard var place = first.end(in: text, from: 0) else { return false }
        for piece in middle {
            guard let end = piece.search(in: text, from: place) else { return false }
            place = end
        }
        return last.isEnd(of: text, from: place)
    }
}
