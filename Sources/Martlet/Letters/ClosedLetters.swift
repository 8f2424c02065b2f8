internal import MartletDelivery

/// What was done about dead letters, as the node tells of it: an event of its own, in the commit
/// that does it.
struct ClosedLetters: Codable, Sendable {
    /// What can be done about one.
    enum Action: String, Codable, Sendable {
        /// Its event is tried again.
        case retried
        /// It is of no interest any more.
        case purged
        /// Another event was published in its place.
        case replaced
    }

    /// Where such events are addressed to.
    static let topic: Topic = "martlet.deadletters.closed"

    let action: Action
    /// The numbers of the letters.
    let letters: [UInt64]

    /// One event tells of so many.
    static let lettersMax = 1_000
}

/// What is told about events that were set aside.
enum LetterNews: Sendable {
    case dead(DeadEvent)
    case closed(ClosedLetters)

    /// How it is told.
    func parts() throws(MartletError) -> (Bytes, EventFields, PublishedKind) {
        switch self {
        case .dead(let event):
            let (payload, fields) = try event.letter()
            return (payload, fields, PublishedKind(definition: try Self.dead(), number: -1))
        case .closed(let closed):
            let fields = EventFields(time: nil, key: nil, id: nil, attributes: nil)
            return (
                try JSONCodec().encode(closed), fields,
                PublishedKind(definition: try Self.closed(), number: -1)
            )
        }
    }

    private static func dead() throws(MartletError) -> EventDefinition {
        try EventDefinition(
            topic: DeadLetter.topic, contentType: "application/vnd.martlet.frame")
    }

    private static func closed() throws(MartletError) -> EventDefinition {
        try EventDefinition(topic: ClosedLetters.topic, contentType: .json)
    }
}
