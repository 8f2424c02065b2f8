internal import MartletDelivery

/// Says when events expire by their age, and stops when the clock cannot be trusted.
struct RetentionClock {
    /// The time of day less the time since the machine started, in microseconds, as it was first.
    private let offset: Int64
    /// Whether the clock has been set by so much that ages mean nothing.
    private(set) var isPaused = false

    private static let divergenceMax: Int64 = 60_000_000

    init() { offset = RetentionClock.offset }

    private static var offset: Int64 {
        NodeClock.timestamp.microseconds - Int64(clamping: NodeClock.now.microseconds)
    }

    /// The time before which events are too old; nil if nobody can tell.
    mutating func deadline(for age: Duration) -> Timestamp? {
        isPaused = abs(RetentionClock.offset - offset) > RetentionClock.divergenceMax
        guard !isPaused else { return nil }
        let (seconds, attoseconds) = age.components
        let microseconds = seconds.multipliedReportingOverflow(by: 1_000_000)
        guard !microseconds.overflow else { return nil }
        return Timestamp(
            microseconds: NodeClock.timestamp.microseconds - microseconds.partialValue
                - attoseconds / 1_000_000_000_000)
    }
}
