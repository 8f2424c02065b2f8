/// The tokens that patterns consist of, each with a number for as long as it is in use.
///
/// Tokens are the same when their bytes are: texts that only look the same are different tokens, as
/// they are to ZeroMQ. Finding one makes no text.
struct TokenTable: Sendable {
    private struct Token: Sendable {
        let bytes: [UInt8]
        let hash: UInt64
        var uses: Int32
        /// Another token of the same hash, which is a rare chance; -1 without one.
        var other: Int32
    }

    /// The first token of each hash.
    private var firsts: [UInt64: Int32] = [:]
    private var tokens: [Token] = []
    private var freeNumbers: [Int32] = []

    /// The number of a token; nil if no pattern has it.
    func number(of token: Span<UInt8>) -> Int32? { number(of: token, Hash.xxh3(token)) }

    func number(of token: Span<UInt8>, _ hash: UInt64) -> Int32? {
        var number = firsts[hash] ?? -1
        while number >= 0 {
            let known = tokens[Int(number)].bytes
            if TextBytes.isEqual(known.span, token) { return number }
            number = tokens[Int(number)].other
        }
        return nil
    }

    /// The number of a token that is used once more from now on.
    mutating func use(_ token: Span<UInt8>) -> Int32 { use(token, Hash.xxh3(token)) }

    mutating func use(_ token: Span<UInt8>, _ hash: UInt64) -> Int32 {
        if let number = number(of: token, hash) {
            tokens[Int(number)].uses += 1
            return number
        }
        var bytes: [UInt8] = []
        for place in token.indices { bytes.append(token[place]) }
        let added = Token(bytes: bytes, hash: hash, uses: 1, other: firsts[hash] ?? -1)
        let number = freeNumbers.popLast() ?? Int32(tokens.count)
        if Int(number) == tokens.count {
            tokens.append(added)
        } else {
            tokens[Int(number)] = added
        }
        firsts[hash] = number
        return number
    }

    /// A token is used once less.
    mutating func release(_ number: Int32) {
        tokens[Int(number)].uses -= 1
        let gone = tokens[Int(number)]
        guard gone.uses == 0 else { return }
        if firsts[gone.hash] == number {
            firsts[gone.hash] = gone.other >= 0 ? gone.other : nil
        } else if var before = firsts[gone.hash] {
            while tokens[Int(before)].other != number { before = tokens[Int(before)].other }
            tokens[Int(before)].other = gone.other
        }
        freeNumbers.append(number)
    }
}
