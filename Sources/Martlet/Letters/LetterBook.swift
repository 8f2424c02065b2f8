/// The dead letters of a node that are open: what its events of the stream `martlet` come to.
struct LetterBook: Sendable {
    private var known: [UInt64: DeadLetter] = [:]
    private var order: [UInt64] = []
    /// Letters whose events were tried again, if they are wanted.
    private(set) var retried: [DeadLetter] = []
    private let keepsRetried: Bool

    init(keepingRetried keepsRetried: Bool = false) { self.keepsRetried = keepsRetried }

    /// The next event of the stream.
    mutating func take(_ event: RecordedEvent) {
        if event.topic == DeadLetter.topic, let letter = try? DeadLetter(event) {
            known[letter.number] = letter
            order.append(letter.number)
        } else if event.topic == ClosedLetters.topic,
            let closing = try? JSONCodec().decode(ClosedLetters.self, from: event.payload)
        {
            for number in closing.letters {
                let letter = known.removeValue(forKey: number)
                if keepsRetried, closing.action == .retried, let letter { retried.append(letter) }
            }
        }
    }

    /// Those that are open, and meant, the oldest first.
    func open(_ selection: LetterSelection) -> [DeadLetter] {
        var chosen: [DeadLetter] = []
        for number in order {
            guard chosen.count < selection.limit ?? .max else { break }
            if let letter = known[number], selection.wants(letter) { chosen.append(letter) }
        }
        return chosen
    }
}
