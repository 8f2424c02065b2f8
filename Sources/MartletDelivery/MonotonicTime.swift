/// A moment of a clock that never goes back and does not stop while the machine sleeps. Only the
/// time between two moments of one machine means something.
package struct MonotonicTime: Sendable, Hashable, Comparable {
    /// Microseconds since whatever the clock counts from.
    package let microseconds: UInt64

    /// A moment.
    @inlinable
    package init(microseconds: UInt64) { self.microseconds = microseconds }

    /// Whether the left one comes first.
    @inlinable
    package static func < (left: MonotonicTime, right: MonotonicTime) -> Bool {
        left.microseconds < right.microseconds
    }

    /// Whether the left one does not come first.
    @inlinable
    package static func >= (left: MonotonicTime, right: MonotonicTime) -> Bool {
        left.microseconds >= right.microseconds
    }

    /// The moment after this time; the last there is where that lies beyond.
    package static func + (time: MonotonicTime, duration: Duration) -> MonotonicTime {
        let (seconds, attoseconds) = duration.components
        guard duration > .zero else { return time }
        // Beyond this, nobody waits any more: 292,000 years.
        guard seconds < Int64.max / 1_000_000 else { return MonotonicTime(microseconds: .max) }
        let added = UInt64(seconds) * 1_000_000 + UInt64(attoseconds / 1_000_000_000_000)
        let (sum, isBeyond) = time.microseconds.addingReportingOverflow(added)
        return MonotonicTime(microseconds: isBeyond ? .max : sum)
    }

    /// How long it takes until the other moment; nothing if that has passed.
    package func duration(to other: MonotonicTime) -> Duration {
        guard other > self else { return .zero }
        return .microseconds(Int64(clamping: other.microseconds - microseconds))
    }
}
