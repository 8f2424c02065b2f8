/// Notices when most of what a group tries fails: then it is not the events. Until one of them
/// succeeds, the group tries one from time to time, and no failure is charged.
struct Breaker: Sendable {
    private struct Entry: Sendable {
        let channel: Channel
        let sequence: UInt64
        var failed: Bool
    }

    /// The latest events that ended an attempt, each once.
    private var entries: [Entry] = []
    private var failures = 0
    private(set) var isOpen = false
    /// When the next event may be tried.
    private var nextProbe = MonotonicTime(microseconds: 0)

    /// So many events were handled.
    mutating func noteHandled(_ count: Int) {
        guard count > 0 else { return }
        if isOpen { entries = [] }
        isOpen = false
        guard failures > 0 else { return }
        entries.removeFirst(min(count, entries.count))
        failures = entries.count { $0.failed }
    }

    /// An attempt at an event has failed. False if that is not to be charged.
    mutating func noteFailed(_ sequence: UInt64, of channel: Channel) -> Bool {
        note(Entry(channel: channel, sequence: sequence, failed: true))
        let wasOpen = isOpen
        isOpen = isOpen || failures * 2 > Limits.breakerEvents
        return !wasOpen
    }

    private mutating func note(_ entry: Entry) {
        let known = entries.firstIndex {
            $0.sequence == entry.sequence && $0.channel == entry.channel
        }
        if let known {
            entries.remove(at: known)
        } else if entries.count == Limits.breakerEvents {
            entries.removeFirst()
        }
        entries.append(entry)
        failures = entries.count { $0.failed }
    }

    /// Whether an event may be tried while most of them fail.
    func mayProbe(at now: MonotonicTime) -> Bool { now >= nextProbe }

    /// One is tried.
    mutating func noteProbe(at now: MonotonicTime) { nextProbe = now + Limits.probeInterval }
}
