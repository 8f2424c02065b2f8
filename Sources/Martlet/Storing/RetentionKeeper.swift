internal import MartletDelivery

/// Looks from time to time which events need not be kept any more.
struct RetentionKeeper {
    private let storage: any Storage
    private var clock = RetentionClock()
    private var nextLook = NodeClock.now
    /// The clock was set, so that ages mean nothing.
    private(set) var isPaused = false

    init(_ storage: any Storage) { self.storage = storage }

    /// From which events on these streams are to be kept; nil while it is not time to look. The room
    /// of what went before is given back.
    mutating func firstsIfDue(_ buffers: [StreamBuffer]) -> [Channel: UInt64]? {
        guard NodeClock.now >= nextLook else { return nil }
        nextLook = NodeClock.now + Limits.retentionInterval
        isPaused = false
        var all: [Channel: UInt64] = [:]
        for buffer in buffers {
            all.merge(firsts(of: buffer.definition), uniquingKeysWith: max)
        }
        // What cannot be removed now is tried again.
        try? storage.shrink()
        return all
    }

    private mutating func firsts(of stream: StreamDefinition) -> [Channel: UInt64] {
        var firsts: [Channel: UInt64] = [:]
        let channels = storage.channels.filter { $0.channel.stream == stream.name }
        if let byteCount = stream.retention.byteCount {
            firsts = (try? storage.firsts(of: stream.name, keeping: byteCount)) ?? [:]
        }
        if let age = stream.retention.age {
            let deadline = clock.deadline(for: age)
            isPaused = isPaused || clock.isPaused
            for stored in channels {
                guard let deadline,
                    let first = try? storage.sequence(at: deadline, of: stored.channel)
                else { continue }
                firsts[stored.channel] = max(firsts[stored.channel] ?? 0, first)
            }
        }
        for stored in channels where stored.first >= firsts[stored.channel] ?? 0 {
            firsts[stored.channel] = nil
        }
        return firsts
    }
}
