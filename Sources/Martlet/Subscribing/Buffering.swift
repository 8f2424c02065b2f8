/// What a subscription does when its consumer is slower than what comes.
public enum Buffering: Sendable, Hashable {
    /// What finds no room is asked for again when there is some. Nothing is lost for as long as the
    /// publisher keeps it; what it keeps no more is reported. The default.
    case replay
    /// The oldest frames make room for newer ones, and are reported.
    case dropOldest
    /// Only the newest frame of each channel waits; those before it are dropped and reported.
    case keepLatest
    /// The subscription fails with `full`.
    case fail
}
