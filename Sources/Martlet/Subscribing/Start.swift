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
    /// With the first events of this time or later, as far as they are kept.
    case time(Timestamp)
}
