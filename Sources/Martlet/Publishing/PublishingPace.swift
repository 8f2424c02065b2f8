internal import MartletDelivery
import Synchronization

/// When frames that are not full may leave: not at once under load, so that they grow, and cost
/// less.
final class PublishingPace: Sendable {
    /// Frames that are not full leave this far apart, in microseconds.
    static let interval: UInt64 = 40
    /// After a silence so many leave as soon as they can: events that come unevenly are not loads.
    static let burst: UInt64 = 4

    /// In microseconds of the node's clock.
    private let openDueAt = Atomic<UInt64>(0)

    /// When frames that are not full may leave again.
    var openDue: MonotonicTime {
        MonotonicTime(microseconds: openDueAt.load(ordering: .relaxed))
    }

    /// Some have left. One thread at a time calls it.
    func postpone(after now: MonotonicTime) {
        let due = PublishingPace.due(
            after: now.microseconds, whenDueAt: openDueAt.load(ordering: .relaxed))
        openDueAt.store(due, ordering: .relaxed)
    }

    /// When frames that are not full may leave again if some leave now, in microseconds.
    static func due(after now: UInt64, whenDueAt due: UInt64) -> UInt64 {
        let saved = interval * (burst - 1)
        return min(max(due + saved, now) - saved, now) + interval
    }
}
