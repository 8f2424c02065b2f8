internal import MartletDelivery

/// An event that a group of workers has given up, as its publisher tells of it.
///
/// Each is an event of the topic `martlet.deadletters`, of the node whose event it was: in its
/// journal, if it has one, so that a subscription is an alert. What is known stands in attributes
/// that begin with `dead`, and the event itself, in a frame of its own, is the payload.
public struct DeadLetter: Sendable {
    /// Where such events are addressed to.
    public static let topic: Topic = "martlet.deadletters"

    /// Why an event was given up.
    public enum Reason: String, Sendable, Hashable {
        /// Its handler said that it must not be tried again.
        case rejected
        /// All attempts have failed.
        case failed
        /// It was alone with workers that fell silent, again and again.
        case lapsed

        init(_ reason: DeadEvent.Reason) {
            switch reason {
            case .rejected: self = .rejected
            case .failed: self = .failed
            case .lapsed: self = .lapsed
            }
        }
    }

    /// The group.
    public let group: String
    /// Why.
    public let reason: Reason
    /// What the last failure said.
    public let text: String
    /// How often it was tried.
    public let attempts: Int
    /// What the attempts said that are remembered, and which nodes made them: one on each line.
    public let history: String
    /// The topic of the event.
    public let eventTopic: String
    /// Its key.
    public let key: String?
    /// The event; nil if it was too large for a copy.
    public let event: RecordedEvent?

    /// What an event of this topic tells. It throws `invalidFrame` for another one.
    public init(_ letter: RecordedEvent) throws(MartletError) {
        func text(_ name: AttributeName) -> String? { letter.attribute(name)?.canonicalText }
        guard letter.topic == DeadLetter.topic, let group = text(Names.group),
            let reason = text(Names.reason).flatMap({ Reason(rawValue: $0) }),
            let topic = text(Names.topic)
        else {
            throw MartletError(
                .invalidFrame,
                "This is no dead letter. They are events of the topic `\(DeadLetter.topic)`.")
        }
        self.group = group
        self.reason = reason
        self.text = text(Names.text) ?? ""
        attempts = text(Names.attempts).flatMap { Int($0) } ?? 0
        history = text(Names.history) ?? ""
        eventTopic = topic
        key = text(Names.key)
        let payload = letter.payload
        event = payload.isEmpty ? nil : try Frame(payload).first
    }

    enum Names {
        static let group: AttributeName = "deadgroup"
        static let reason: AttributeName = "deadreason"
        static let text: AttributeName = "deadtext"
        static let attempts: AttributeName = "deadattempts"
        static let history: AttributeName = "deadhistory"
        static let topic: AttributeName = "deadtopic"
        static let key: AttributeName = "deadkey"
    }
}

extension DeadEvent {
    /// What the event is called that tells of it.
    static func definition() throws(MartletError) -> EventDefinition {
        try EventDefinition(
            topic: DeadLetter.topic, contentType: "application/vnd.martlet.frame")
    }

    /// How it is told.
    func letter() throws(MartletError) -> (payload: Bytes, EventFields) {
        typealias Names = DeadLetter.Names
        var attributes = EventAttributes()
        func set(_ name: AttributeName, _ text: String) throws(MartletError) {
            try attributes.set(name, to: .string(DeadEvent.plain(text)))
        }
        try set(Names.group, group)
        try set(Names.reason, reason.rawValue)
        try set(Names.topic, event.topic.text)
        if let key = event.key { try set(Names.key, key) }
        if let last = attempts.last { try set(Names.text, last.reason) }
        try attributes.set(Names.attempts, to: .integer(Int32(clamping: attemptCount)))
        let lines = attempts.suffix(8).map { "\($0.worker): \($0.reason.prefix(300))" }
        try set(Names.history, lines.joined(separator: " | "))
        let frame = event.detached().frame.bytes
        let isSmall = frame.count < Limits.eventBytesMax - 32 * 1_024
        return (
            isSmall ? frame : Bytes(),
            EventFields(time: nil, key: nil, id: nil, attributes: attributes)
        )
    }

    /// A text as an attribute may have it.
    private static func plain(_ text: String) -> String {
        var plain = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0...0x1F, 0x7F...0x9F, 0xFDD0...0xFDEF: plain.append(" ")
            default: plain.append(scalar.value & 0xFFFE == 0xFFFE ? " " : scalar)
            }
        }
        while String(plain).utf8.count > Limits.attributeBytesMax { plain.removeLast(16) }
        return String(plain)
    }
}
