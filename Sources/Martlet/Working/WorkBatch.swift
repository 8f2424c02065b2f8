internal import MartletDelivery
import Synchronization

/// Events that a runner has taken together, to handle one after the other. Those that it has not
/// begun can be taken from it, and what it has done can be told, while it is held up by one.
final class WorkBatch: Sendable {
    let events: HeldEvents
    /// The place of the next event that nobody has begun.
    private let next = Atomic<Int>(0)
    /// All before this place are handled.
    private let done = Atomic<Int>(0)
    /// All before this place have been told.
    private let told = Atomic<Int>(0)
    /// When the event at hand was begun, in microseconds; 0 between two.
    let begunAt = Atomic<UInt64>(0)
    private let atHand = Atomic<Int>(-1)

    init(_ events: HeldEvents) { self.events = events }

    /// The place of the next event, which is the caller's now; nil if none is left.
    func claim() -> Int? {
        let place = next.wrappingAdd(1, ordering: .acquiringAndReleasing).oldValue
        return place < events.count ? place : nil
    }

    /// Takes those that nobody has begun.
    func takeRest() -> HeldEvents {
        let place = next.exchange(events.count, ordering: .acquiringAndReleasing)
        return events[min(place, events.count)..<events.count]
    }

    /// A handler begins with the event at this place.
    func begin(_ place: Int, at now: MonotonicTime) {
        atHand.store(place, ordering: .relaxed)
        begunAt.store(max(now.microseconds, 1), ordering: .releasing)
    }

    /// It has ended.
    func end() { begunAt.store(0, ordering: .relaxed) }

    /// The event that its handler has.
    var current: HeldEvent? {
        let place = atHand.load(ordering: .relaxed)
        return place >= 0 ? events[place] : nil
    }

    /// The event at this place is handled, as are all before.
    func noteDone(_ place: Int) { done.store(place + 1, ordering: .releasing) }

    /// How many have ended.
    var endedCount: Int { done.load(ordering: .acquiring) }

    /// Those that are handled and have not been told; the caller tells them.
    func takeDone() -> HeldEvents {
        let end = done.load(ordering: .acquiring)
        var start = told.load(ordering: .relaxed)
        while start < end {
            let (isOurs, found) = told.compareExchange(
                expected: start, desired: end, ordering: .acquiringAndReleasing)
            if isOurs { return events[start..<end] }
            start = found
        }
        return HeldEvents()
    }

    /// The event at this place is told in another way; all before have been told.
    func skip(_ place: Int) {
        // In this order: nobody may take it for one that is handled.
        told.store(place + 1, ordering: .releasing)
        done.store(place + 1, ordering: .releasing)
    }
}
