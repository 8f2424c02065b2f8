/// The tokens that patterns consist of, each with a number for as long as it is in use.
struct TokenTable: Sendable {
    /// Texts that only look the same are different tokens, as they are to ZeroMQ.
    private struct Token: Sendable, Hashable {
        let text: String

        static func == (left: Token, right: Token) -> Bool {
            left.text.utf8.elementsEqual(right.text.utf8)
        }
    }

    private var numbers: [Token: Int32] = [:]
    private var tokens: [Token] = []
    private var uses: [Int32] = []
    private var freeNumbers: [Int32] = []

    /// The number of a token; nil if no pattern has it.
    func number(of token: Substring.UTF8View) -> Int32? {
        numbers[Token(text: String(Substring(token)))]
    }

    /// The number of a token that is used once more from now on.
    mutating func use(_ token: Substring.UTF8View) -> Int32 {
        let token = Token(text: String(Substring(token)))
        if let number = numbers[token] {
            uses[Int(number)] += 1
            return number
        }
        let number: Int32
        if let free = freeNumbers.popLast() {
            number = free
            tokens[Int(number)] = token
            uses[Int(number)] = 1
        } else {
            number = Int32(tokens.count)
            tokens.append(token)
            uses.append(1)
        }
        numbers[token] = number
        return number
    }

    /// A token is used once less.
    mutating func release(_ number: Int32) {
        uses[Int(number)] -= 1
        guard uses[Int(number)] == 0 else { return }
        numbers[tokens[Int(number)]] = nil
        freeNumbers.append(number)
    }
}
