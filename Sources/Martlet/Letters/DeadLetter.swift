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
    public enum Reason: String, Sendable, Hashable, Codable {
        /// Its handler said that it must not be tried again.
        case rejected
        /// All attempts have failed.
        case failed
        /// It was alone with workers that fell silent, again and again.
        case lapsed
        /// Everything of its key is set aside, since an event before it was.
        case parked

        init(_ reason: DeadEvent.Reason) {
            switch reason {
            case .rejected: self = .rejected
            case .failed: self = .failed
            case .lapsed: self = .lapsed
            case .parked: self = .parked
            }
        }
    }

    /// An attempt that failed.
    public struct Attempt: Sendable, Hashable, Codable {
        /// When that was heard.
        public let time: Timestamp
        /// The node of the worker.
        public let worker: String
        /// What it said.
        public let text: String
    }

    /// Its number: that of the event which tells of it.
    public let number: UInt64
    /// The node whose event it was.
    public let node: NodeID
    /// When it was set aside.
    public let time: Timestamp
    /// The group.
    public let group: String
    /// Why.
    public let reason: Reason
    /// What the last failure said.
    public let text: String
    /// How often it was tried.
    public let attempts: Int
    /// The attempts that are remembered, the first ones first.
    public let history: [Attempt]
    /// The topic of the event.
    public let eventTopic: String
    /// The channel of the event.
    public let channel: Channel
    /// Its number there.
    public let sequence: UInt64
    /// Its key.
    public let key: String?
    /// The event; nil if it was too large for a copy.
    public let event: RecordedEvent?

    /// What an event of this topic tells. It throws `invalidFrame` for another one.
    public init(_ letter: RecordedEvent) throws(MartletError) {
        func text(_ name: AttributeName) -> String? { letter.attribute(name)?.canonicalText }
        guard letter.topic == DeadLetter.topic, let group = text(Names.group),
            let reason = text(Names.reason).flatMap({ Reason(rawValue: $0) }),
            let topic = text(Names.topic), let stream = (try? Topic(topic))?.stream,
            let lane = text(Names.lane).flatMap({ Int($0) }),
            (0...Limits.partitionsMax).contains(lane),
            let sequence = text(Names.sequence).flatMap({ UInt64($0) })
        else {
            throw MartletError(
                .invalidFrame,
                "This is no dead letter. They are events of the topic `\(DeadLetter.topic)`.")
        }
        number = letter.sequence
        node = letter.frame.channel.node
        time = letter.time
        self.group = group
        self.reason = reason
        self.text = text(Names.text) ?? ""
        attempts = text(Names.attempts).flatMap { Int($0) } ?? 0
        history = (text(Names.history) ?? "").split(separator: Attempt.separator)
            .compactMap { Attempt($0) }
        eventTopic = topic
        channel = Channel(node: letter.frame.channel.node, stream: stream, lane: lane)
        self.sequence = sequence
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
        static let lane: AttributeName = "deadlane"
        static let sequence: AttributeName = "deadsequence"
    }
}

extension DeadLetter.Attempt {
    /// Stands between two of them.
    fileprivate static let separator: Character = "|"

    fileprivate init?(_ line: Substring) {
        let parts = line.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: true)
        guard parts.count >= 2, let time = Timestamp(String(parts[0])) else { return nil }
        self.init(
            time: time, worker: String(parts[1]), text: parts.count > 2 ? String(parts[2]) : "")
    }

    fileprivate init(_ attempt: DeadEvent.Attempt, now: (Timestamp, MonotonicTime)) {
        let age = Int64(clamping: now.1.microseconds &- attempt.at.microseconds)
        time = Timestamp(microseconds: now.0.microseconds - age) ?? now.0
        worker = "\(attempt.worker)"
        text = String(attempt.reason.prefix(300)).replacing("|", with: "/")
    }

    fileprivate var line: String { "\(time) \(worker) \(text)" }
}

extension DeadEvent {
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
        try set(Names.lane, "\(event.frame.channel.lane)")
        try set(Names.sequence, "\(event.sequence)")
        if let last = attempts.last { try set(Names.text, last.reason) }
        try attributes.set(Names.attempts, to: .integer(Int32(clamping: attemptCount)))
        let now = (NodeClock.timestamp, NodeClock.now)
        let lines = attempts.suffix(8).map { DeadLetter.Attempt($0, now: now).line }
        try set(Names.history, lines.joined(separator: "|"))
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
