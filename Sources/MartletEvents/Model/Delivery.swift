/// All that is known about an event that was received: the event as it was recorded, and how it
/// came here.
///
/// Texts are made when they are asked for; looking at none of them costs nothing.
@frozen
public struct Delivery: Sendable {
    /// The event as it stands in its frame.
    public let event: RecordedEvent
    /// Which attempt at handling it this is, from 1.
    public let attempt: Int
    /// Whether the event may have been handled before, here or elsewhere.
    public let mayBeRepeat: Bool
    /// How many events of the channel were lost just before this one.
    public let missed: UInt64
    /// Of an event that a worker was given: rises each time that its key, or the event without one,
    /// is given to another worker or once more. A store that keeps the highest for each key can
    /// refuse what a worker writes that was thought to be dead. 0 for all others.
    public let fence: UInt64

    /// What is known about an event.
    @inlinable
    public init(
        _ event: RecordedEvent, attempt: Int = 1, mayBeRepeat: Bool = false, missed: UInt64 = 0,
        fence: UInt64 = 0
    ) {
        self.event = event
        self.attempt = attempt
        self.mayBeRepeat = mayBeRepeat
        self.missed = missed
        self.fence = fence
    }

    /// The id that is unique within the source.
    public var id: String { event.id }
    /// Who produced the event.
    public var source: String { event.source }
    /// What identifies the event for ever and everywhere.
    public var eventID: EventID { event.eventID }
    /// Where the event is addressed to.
    public var topic: Topic { event.topic }
    /// What the event must stay in order with.
    public var key: String? { event.key }
    /// When the event was published, or happened.
    public var time: Timestamp { event.time }
    /// Where the event stands.
    public var position: Position { event.position }
    /// The subject and the extensions.
    public var attributes: EventAttributes { event.attributes }
    /// The trace that the event belongs to.
    public var traceParent: String? { event.attributes.traceParent }
}

extension Delivery: CustomStringConvertible {
    /// The event, and what is unusual about how it came.
    public var description: String {
        var text = event.description
        if attempt > 1 { text += ", attempt \(attempt)" }
        if mayBeRepeat { text += ", may be a repeat" }
        if missed > 0 { text += ", \(missed) missed before it" }
        return text
    }
}
