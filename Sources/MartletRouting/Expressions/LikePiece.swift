/// What stands between two `%` of a pattern: bytes, and perhaps `_` for any one character.
///
/// Bytes alone are searched for in one pass, by the method of Knuth, Morris and Pratt; a piece with
/// `_` is tried at every place, and therefore short.
struct LikePiece: Sendable {
    enum Step: Sendable {
        case byte(UInt8)
        case anyCharacter
    }

    private let steps: [Step]
    /// The bytes, where there are no others.
    private let bytes: [UInt8]?
    /// For each length, how long a beginning of the piece such a beginning ends with at most.
    private let fallbacks: [Int]

    init(_ steps: [Step]) {
        self.steps = steps
        var bytes: [UInt8]? = []
        for step in steps {
            if case .byte(let byte) = step { bytes?.append(byte) } else { bytes = nil }
        }
        self.bytes = bytes
        fallbacks = LikePiece.fallbacks(of: bytes ?? [])
    }

    private static func fallbacks(of bytes: [UInt8]) -> [Int] {
        var fallbacks = [0, 0]
        var matched = 0
        for byte in bytes.dropFirst() {
            while matched > 0, bytes[matched] != byte { matched = fallbacks[matched] }
            if bytes[matched] == byte { matched += 1 }
            fallbacks.append(matched)
        }
        return fallbacks
    }

    /// Whether it may be searched for: it has bytes alone, or few characters.
    var isSearchable: Bool { bytes != nil || characterCount <= Limits.likePieceMax }

    /// How often a search may look at each byte.
    var cost: Int { bytes != nil ? 1 : max(1, steps.count) }

    private var characterCount: Int {
        steps.count { step in
            if case .byte(let byte) = step { byte & 0xC0 != 0x80 } else { true }
        }
    }

    /// Whether all of the text is as the piece says.
    func isAll(of text: Span<UInt8>) -> Bool {
        if let bytes { return TextBytes.isEqual(text, bytes.span) }
        return end(in: text, from: 0) == text.count
    }

    /// Where the piece ends that begins here; nil if it does not fit.
    func end(in text: Span<UInt8>, from start: Int) -> Int? {
        var place = start
        for step in steps {
            guard place < text.count else { return nil }
            switch step {
            case .byte(let byte):
                guard text[place] == byte else { return nil }
                place += 1
            case .anyCharacter: place = LikePiece.nextCharacter(in: text, place)
            }
        }
        return place
    }

    /// Where the first piece ends that begins here or later.
    func search(in text: Span<UInt8>, from start: Int) -> Int? {
        if let bytes { return search(bytes, in: text, from: start) }
        var place = start
        while true {
            if let end = end(in: text, from: place) { return end }
            guard place < text.count else { return nil }
            place = LikePiece.nextCharacter(in: text, place)
        }
    }

    private func search(_ bytes: [UInt8], in text: Span<UInt8>, from start: Int) -> Int? {
        guard !bytes.isEmpty else { return start }
        var matched = 0
        for place in start..<text.count {
            while matched > 0, bytes[matched] != text[place] { matched = fallbacks[matched] }
            if bytes[matched] == text[place] { matched += 1 }
            if matched == bytes.count { return place + 1 }
        }
        return nil
    }

    /// Whether the piece fits the last characters, none of them before this place.
    func isEnd(of text: Span<UInt8>, from least: Int) -> Bool {
        var place = text.count
        for step in steps.reversed() {
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
