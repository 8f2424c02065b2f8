/// A dead letter as a node tells of it to others.
public struct LetterReport: Sendable, Codable {
    /// Its number.
    public let number: UInt64
    /// When it was set aside.
    public let time: Timestamp
    /// The group.
    public let group: String
    /// Why.
    public let reason: DeadLetter.Reason
    /// What the last failure said.
    public let text: String
    /// How often it was tried.
    public let attempts: Int
    /// The attempts that are remembered.
    public let history: [DeadLetter.Attempt]
    /// The topic of its event.
    public let topic: String
    /// The key.
    public let key: String?
    /// Where the event stands.
    public let channel: Channel
    /// Its number there.
    public let sequence: UInt64
    /// The event in the JSON format of CloudEvents, if it was asked for and is there.
    public let event: String?

    /// A larger event is not sent along.
    private static let eventBytesMax = 900_000

    init(_ letter: DeadLetter, withEvent: Bool) {
        number = letter.number
        time = letter.time
        group = letter.group
        reason = letter.reason
        text = letter.text
        attempts = letter.attempts
        history = letter.history
        topic = letter.eventTopic
        key = letter.key
        channel = letter.channel
        sequence = letter.sequence
        event = withEvent ? letter.event.flatMap(LetterReport.text) : nil
    }

    private static func text(of event: RecordedEvent) -> String? {
        guard let bytes = try? CloudEventsJSON.encode(event.cloudEvent()),
            bytes.count <= eventBytesMax
        else { return nil }
        return String(decoding: bytes.array(), as: UTF8.self)
    }
}
