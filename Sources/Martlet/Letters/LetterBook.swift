/// The dead letters of a node that are open: what its events of the stream `martlet` come to.
struct LetterBook: Sendable {
    private(set) var letters: [DeadLetter] = []
    private var places: [UInt64: Int] = [:]
    private var closed: Set<Int> = []

    /// The next event of the stream.
    mutating func take(_ event: RecordedEvent) {
        if event.topic == DeadLetter.topic, let letter = try? DeadLetter(event) {
            places[letter.number] = letters.count
            letters.append(letter)
        } else if event.topic == ClosedLetters.topic,
            let closing = try? JSONCodec().decode(ClosedLetters.self, from: event.payload)
        {
            for number in closing.letters {
                if let place = places[number] { closed.insert(place) }
            }
        }
    }

    /// Those that are open, and meant, the oldest first.
    func open(_ selection: LetterSelection) -> [DeadLetter] {
        var chosen: [DeadLetter] = []
        for (place, letter) in letters.enumerated() where !closed.contains(place) {
            guard chosen.count < selection.limit ?? .max else { break }
            if selection.wants(letter) { chosen.append(letter) }
        }
        return chosen
    }
}
