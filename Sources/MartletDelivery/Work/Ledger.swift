/// A group's ledger of a channel, at work: every event that there is ends in it once.
struct Ledger {
    /// As it is kept.
    private(set) var stored: StoredLedger
    /// Attempts that have failed, by their events.
    private var failing: [UInt64: Int]
    /// Keys of which everything is set aside.
    private var parked: Set<UInt64>
    /// Events of which somebody wants to know what becomes of them, in their order.
    private var watched: [UInt64] = []
    /// Those of them that are done with.
    private(set) var endings: [WorkEnding] = []

    init(_ stored: StoredLedger) {
        self.stored = stored
        failing = Dictionary(
            stored.failing.map { ($0.sequence, $0.attempts) }, uniquingKeysWith: { $1 })
        parked = Set(stored.parkedKeys)
    }

    /// All events before this one are settled.
    var next: UInt64 { stored.next }

    /// Events before this one may have been given to workers.
    var leasedThrough: UInt64 { stored.leasedThrough }

    var tally: StoredLedger.Tally { stored.tally }

    func isSettled(_ sequence: UInt64) -> Bool { stored.isSettled(sequence) }

    /// Of these events, those that are not settled.
    func unsettled(in range: Range<UInt64>) -> [Range<UInt64>] {
        let lower = max(range.lowerBound, stored.next)
        let open =
            lower < range.upperBound ? stored.settled.missing(in: lower..<range.upperBound) : []
        guard !stored.reopened.isEmpty else { return open }
        var all = SequenceSet()
        for range in open + stored.reopened.common(with: range) { all.insert(range) }
        return all.ranges
    }

    /// How many events before this one are not settled.
    func openCount(before end: UInt64) -> UInt64 {
        let count = end - min(end, stored.next)
        return count - min(count, stored.settled.count) + stored.reopened.count
    }

    /// The first event that is not settled.
    var firstOpen: UInt64 { stored.firstOpen }

    /// How many attempts at an event have failed.
    func failures(of sequence: UInt64) -> Int { failing[sequence] ?? 0 }

    /// Whether attempts at any event have failed.
    var hasFailures: Bool { !failing.isEmpty }

    /// The events of which attempts have failed, in their order.
    var failingEvents: [UInt64] { failing.keys.sorted() }

    // MARK: Watching

    /// Somebody wants to know what becomes of an event. False if it is settled already.
    mutating func watch(_ sequence: UInt64) -> Bool {
        guard !isSettled(sequence) else { return false }
        let place = watched.lastIndex { $0 <= sequence }.map { $0 + 1 } ?? 0
        watched.insert(sequence, at: place)
        return true
    }

    /// Nobody wants to know it any more. False if nobody did.
    mutating func unwatch(_ sequence: UInt64) -> Bool {
        guard let place = watched.firstIndex(of: sequence) else { return false }
        watched.remove(at: place)
        return true
    }

    /// Nobody is told of any event any more.
    mutating func takeWatched() -> [UInt64] {
        defer { watched = [] }
        return watched
    }

    /// Watched events that are done with.
    mutating func takeEndings() -> [WorkEnding] {
        guard !endings.isEmpty else { return [] }
        defer { endings = [] }
        return endings
    }

    private mutating func end(_ range: Range<UInt64>, as fate: WorkFate) {
        // They are in order, and most of what is settled is watched by nobody.
        guard let first = watched.first, first < range.upperBound,
            let last = watched.last, last >= range.lowerBound
        else { return }
        for sequence in watched where range.contains(sequence) {
            endings.append(WorkEnding(sequence: sequence, fate: fate))
        }
        watched.removeAll { range.contains($0) }
    }

    // MARK: Writing

    /// Events are done with, none of which was before.
    mutating func settle(
        _ range: Range<UInt64>, as fate: @autoclosure () -> WorkFate = .handled(value: nil)
    ) {
        if !watched.isEmpty { end(range, as: fate()) }
        if !stored.reopened.isEmpty { stored.reopened.remove(range) }
        if !failing.isEmpty {
            for sequence in failing.keys where range.contains(sequence) { failing[sequence] = nil }
        }
        if range.lowerBound <= stored.next {
            stored.next = max(stored.next, range.upperBound)
            while let end = stored.settled.takeFirst(from: stored.next) { stored.next = end }
        } else {
            stored.settled.insert(range)
        }
    }

    /// Events were handled.
    mutating func noteHandled(_ count: Int) { stored.tally.handled += UInt64(count) }

    /// Events were set aside.
    mutating func noteDead() { stored.tally.dead += 1 }

    /// Events go out that had been given to a worker before.
    mutating func noteRepeated(_ count: Int) { stored.tally.repeated += UInt64(count) }

    /// Events that are not settled will never come.
    mutating func lose(_ range: Range<UInt64>, _ reason: StoredLedger.Loss.Reason) {
        for lost in unsettled(in: range) {
            stored.tally.lost += UInt64(lost.count)
            stored.losses.append(.init(lost, reason))
            settle(lost, as: .lost(reason))
        }
        let excess = stored.losses.count - Limits.lossesMax
        if excess > 0 { stored.losses.removeFirst(excess) }
    }

    /// An attempt at an event has failed. Returns how many have.
    mutating func fail(_ sequence: UInt64) -> Int {
        failing[sequence, default: 0] += 1
        return failing[sequence] ?? 0
    }

    // MARK: What was set aside

    /// Events that were set aside, and are tried again.
    var reopened: SequenceSet { stored.reopened }

    /// An event that was set aside is tried again.
    mutating func reopen(_ sequence: UInt64) {
        stored.reopened.insert(sequence..<sequence + 1)
        stored.tally.reopened += 1
    }

    /// How many keys are parked.
    var parkedCount: Int { parked.count }

    /// Whether everything of a key is set aside.
    func isParked(_ key: UInt64) -> Bool { !parked.isEmpty && parked.contains(key) }

    /// Everything of a key is set aside from now on.
    mutating func park(_ key: UInt64) { parked.insert(key) }

    /// A key goes on.
    mutating func release(_ key: UInt64) { parked.remove(key) }

    // MARK: Leases

    /// Events before this one may be given to workers from now on.
    mutating func lease(through sequence: UInt64) {
        stored.leasedThrough = max(stored.leasedThrough, sequence)
    }

    /// Nothing is with any worker: what is not settled was never begun.
    mutating func noteNothingLeased() {
        stored.leasedThrough = stored.next
    }

    /// The ledger as it is to be kept.
    func snapshot() -> StoredLedger {
        var snapshot = stored
        snapshot.failing = failing.sorted { $0.key < $1.key }.map {
            .init($0.key, attempts: $0.value)
        }
        snapshot.parkedKeys = parked.sorted()
        return snapshot
    }
}
