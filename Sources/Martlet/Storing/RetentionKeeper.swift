internal import MartletDelivery

/// Looks from time to time which events need not be kept any more.
struct RetentionKeeper {
    private let storage: any Storage
    private var clock = RetentionClock()
    private var nextLook = NodeClock.now
    /// The clock was set, so that ages mean nothing.
    private(set) var isPaused = false
    /// What goes although a cursor or a group is not past it.
    private(set) var overruns: [RetentionOverrun] = []
    /// The first event of each channel when it was looked at first: what went before that was not
    /// kept for a cursor that has no position yet.
    private var firstSeen: [Channel: UInt64] = [:]

    init(_ storage: any Storage) { self.storage = storage }

    /// From which events on these streams are to be kept; nil while it is not time to look. The
    /// room of what went before is given back.
    mutating func firstsIfDue(
        _ streams: some Sequence<StreamDefinition>
    ) -> [Channel: UInt64]? {
        guard NodeClock.now >= nextLook else { return nil }
        nextLook = NodeClock.now + Limits.retentionInterval
        isPaused = false
        overruns = []
        var all: [Channel: UInt64] = [:]
        for stream in streams { all.merge(firsts(of: stream), uniquingKeysWith: max) }
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
        if !stream.retention.handledBy.isEmpty {
            for stored in channels {
                let reached = reached(by: stream.retention.handledBy, in: stored.channel)
                let gone = max(stored.first, firsts[stored.channel] ?? 0)
                let first = firstSeen[stored.channel] ?? stored.first
                firstSeen[stored.channel] = first
                for (cursor, sequence) in reached {
                    let lacking = sequence.map { $0 + 1 } ?? first
                    guard lacking < gone else { continue }
                    overruns.append(
                        RetentionOverrun(
                            cursor: cursor, channel: stored.channel, sequences: lacking..<gone))
                }
                let done = reached.map { $0.sequence ?? 0 }.min() ?? 0
                // A cursor cannot be past what there is.
                firsts[stored.channel] = max(gone, min(done + 1, stored.next))
            }
        }
        for stored in channels where stored.first >= firsts[stored.channel] ?? 0 {
            firsts[stored.channel] = nil
        }
        return firsts
    }

    /// The last event of a channel that each cursor or group is past; nil for one that has not
    /// begun there.
    private func reached(
        by names: Set<String>, in channel: Channel
    ) -> [(cursor: String, sequence: UInt64?)] {
        let (cursors, groups, ledgers) = (storage.cursors, storage.groups, storage.ledgers)
        return names.sorted().flatMap { name -> [(cursor: String, sequence: UInt64?)] in
            var reached: [(cursor: String, sequence: UInt64?)] = []
            if groups[name] != nil {
                let ledger = ledgers[LedgerName(name, channel)]
                reached.append((name, ledger.map { $0.firstOpen - 1 }))
            }
            if let positions = cursors[name] {
                reached.append((name, positions.first { $0.channel == channel }?.sequence))
            }
            return reached.isEmpty ? [(name, nil)] : reached
        }
    }
}
