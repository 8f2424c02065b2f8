internal import MartletDelivery

/// Producers elsewhere that wait for what groups make of their events. Used under the core's lock.
struct RemoteWatches: Sendable {
    private var waiting: [WatchedEvent: [ProducerWatch]] = [:]
    private var count = 0
    /// The latest that were told, should they not have arrived.
    private var fates: [WatchedEvent: WorkFate] = [:]
    private var order = Queue<WatchedEvent>()

    /// What has become of an event, if that is remembered.
    func fate(of event: WatchedEvent) -> WorkFate? { fates[event] }

    /// Whether somebody waits for it already.
    func has(_ event: WatchedEvent) -> Bool { waiting[event] != nil }

    /// Somebody waits. False if there are too many: it asks again.
    mutating func add(_ watch: ProducerWatch, for event: WatchedEvent) -> Bool {
        guard count < Limits.awaitingMax else { return false }
        var known = waiting[event] ?? []
        count -= known.count
        // Who asks again does so in another session, perhaps.
        known.removeAll { $0.awaiting == watch.awaiting }
        known.append(watch)
        count += known.count
        waiting[event] = known
        return true
    }

    /// Who is to be told what has become of an event.
    mutating func take(_ event: WatchedEvent, _ fate: WorkFate) -> [ProducerWatch] {
        guard let known = waiting.removeValue(forKey: event) else { return [] }
        count -= known.count
        if fates.updateValue(fate, forKey: event) == nil { order.append(event) }
        if order.count > Limits.outcomesMax, let oldest = order.popFirst() { fates[oldest] = nil }
        return known
    }
}
