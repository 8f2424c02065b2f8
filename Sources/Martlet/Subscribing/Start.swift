/// Where a subscription begins.
public enum Start: Sendable, Hashable {
    /// With the events that come from now on. Of a publisher that is found only later, with those
    /// that it dates behind the moment from which the subscription is in force.
    case now
    /// With the first events that are kept.
    case beginning
    /// Behind these events: one for each channel that you have got so far in. Channels that none of
    /// them is of begin with the first events that are kept.
    case after([Position])
    /// Behind what the subscription that went by this cursor has handled, which the node's journal
    /// remembers; at the first events that are kept if there was none. The cursor moves on with
    /// each event that is handled, and is stored every second or 1,000 events and at the end: after
    /// a crash, what follows the last stored position comes again.
    case cursor(String)
    /// With the first events of this time or later, as far as they are kept.
    case time(Timestamp)
}
