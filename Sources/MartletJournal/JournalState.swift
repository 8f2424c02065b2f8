import MartletCore

/// What a journal knows, under its lock.
struct JournalState {
    var node: NodeID
    var epoch: Epoch?
    var partitions: [StreamName: Int] = [:]
    /// By their numbers.
    var channels: [StoredChannel] = []
    var cursors: [String: [Position]] = [:]
    var producers: [String: StoredProducer] = [:]
    var groups: [String: StoredGroup] = [:]
    var ledgers: [LedgerName: StoredLedger] = [:]
    /// In their order. The last is written to, unless it is complete.
    var segments: [Segment] = []
    var nextGroup: UInt64 = 1
    var findings: [StorageFinding] = []
    /// The files of complete segments; nil before the first.
    var files: OpenFiles?
    /// A write has failed: what is on the disk is not known.
    var isDoubtful = false
    var isClosed = false
    /// The numbers of the channels.
    private(set) var numbers: [Channel: Int] = [:]

    init(node: NodeID) { self.node = node }

    /// The segment that is written to.
    var active: Segment? { segments.last.flatMap { $0.isComplete ? nil : $0 } }

    @discardableResult
    mutating func add(_ channel: Channel) -> Int {
        if let known = numbers[channel] { return known }
        channels.append(StoredChannel(channel))
        numbers[channel] = channels.count - 1
        return channels.count - 1
    }

    /// The first groups of a segment, which repeat what is needed of those before: several, since a
    /// directory is read as a whole.
    func snapshot(salt: UInt64) -> [Bytes] {
        let entries = snapshot
        var groups: [Bytes] = []
        for start in stride(from: 0, through: entries.count, by: JournalState.snapshotEntries) {
            let some = entries[start..<min(start + JournalState.snapshotEntries, entries.count)]
            guard !some.isEmpty || groups.isEmpty else { break }
            let head = LogGroup.head(
                Array(some), number: nextGroup + UInt64(groups.count), frameBytes: 0, salt: salt)
            let padding = LogGroup.aligned(head.count) - head.count
            groups.append(Bytes(head + [UInt8](repeating: 0, count: padding)))
        }
        return groups
    }

    /// Entries of a snapshot have a few kilobytes at most, but for cursors.
    private static let snapshotEntries = 512

    private var snapshot: [LogEntry] {
        var entries: [LogEntry] = []
        if let epoch { entries.append(.epoch(epoch)) }
        for (name, count) in partitions.sorted(by: { $0.key.precedes($1.key) }) {
            entries.append(.stream(name, partitions: count))
        }
        for (number, stored) in channels.enumerated() {
            let channel = stored.channel
            entries.append(.channel(number: number, channel.stream, lane: channel.lane))
            let state = StoredChannelState(
                first: stored.first, next: stored.next, latest: stored.latest,
                epochs: stored.epochs)
            entries.append(.state(channel: number, state))
        }
        for (name, positions) in cursors.sorted(by: { $0.key < $1.key }) {
            entries.append(.cursor(name, positions))
        }
        for (name, producer) in producers.sorted(by: { $0.key < $1.key }) {
            let entry = ProducerEntry(producer) { numbers[$0] }
            entries.append(.producer(name, entry))
        }
        for (name, group) in groups.sorted(by: { $0.key < $1.key }) {
            entries.append(.group(name, GroupEntry(group) { numbers[$0] }))
        }
        // Those of channels without a number have nothing to say.
        let named = ledgers.compactMap { name, ledger in
            numbers[name.channel].map { (group: name.group, channel: $0, ledger: ledger) }
        }
        for one in named.sorted(by: { ($0.group, $0.channel) < ($1.group, $1.channel) }) {
            entries.append(.ledger(group: one.group, channel: one.channel, one.ledger))
        }
        return entries
    }

    /// Takes note of a group that is on the disk, and returns how many entries do not fit what came
    /// before, which happens only where something was damaged.
    mutating func apply(
        _ entries: [LogEntry], framesAt framesOffset: Int, in segment: Segment
    ) -> Int {
        var offset = framesOffset
        var unfit = 0
        for entry in entries {
            switch entry {
            case .epoch(let epoch):
                self.epoch = epoch
                for number in channels.indices { channels[number].raise(epoch) }
            case .stream(let name, let count): partitions[name] = count
            case .channel(let number, let stream, let lane):
                let channel = Channel(node: node, stream: stream, lane: lane)
                if add(channel) != number { unfit += 1 }
            case .state(let number, let state):
                guard channels.indices.contains(number) else {
                    unfit += 1
                    continue
                }
                channels[number] = StoredChannel(
                    channels[number].channel, epochs: state.epochs, first: state.first,
                    next: state.next, latest: state.latest)
            case .frame(let frame):
                defer { offset += frame.byteCount }
                guard channels.indices.contains(frame.channel),
                    frame.sequences.lowerBound >= channels[frame.channel].next
                else {
                    unfit += 1
                    continue
                }
                // The group that raised it may be damaged.
                epoch = max(epoch ?? frame.epoch, frame.epoch)
                let stored = StoredFrame(
                    channel: channels[frame.channel].channel, epoch: frame.epoch,
                    sequences: frame.sequences, latest: frame.latest, bytes: Bytes())
                channels[frame.channel].append(stored)
                segment.add(frame, at: offset)
            case .first(let number, let first):
                guard channels.indices.contains(number) else {
                    unfit += 1
                    continue
                }
                channels[number].first = min(
                    max(channels[number].first, first), channels[number].next)
            case .cursor(let name, let positions):
                cursors[name] = positions.isEmpty ? nil : positions
            case .producer(let name, let entry):
                producers[name] = entry.flatMap { entry in
                    entry.producer { channels.indices.contains($0) ? channels[$0].channel : nil }
                }
            case .group(let name, let entry):
                groups[name] = entry.map { entry in
                    entry.group { channels.indices.contains($0) ? channels[$0].channel : nil }
                }
                if entry == nil { ledgers = ledgers.filter { $0.key.group != name } }
            case .ledger(let group, let number, let ledger):
                guard channels.indices.contains(number) else {
                    unfit += 1
                    continue
                }
                ledgers[LedgerName(group, channels[number].channel)] = ledger
            }
        }
        return unfit
    }

    mutating func apply(_ group: PreparedGroup, in segment: Segment) {
        let unfit = apply(group.entries, framesAt: group.framesOffset, in: segment)
        precondition(unfit == 0, "what was committed follows what was there")
        segment.end = group.offset + group.byteCount
        nextGroup = group.number + 1
    }

    /// From which events on channels of a stream would be kept in so many bytes, by whole segments.
    func firsts(of stream: StreamName, keeping byteCount: UInt64) -> [Channel: UInt64] {
        var left = byteCount
        var firsts: [Channel: UInt64] = [:]
        var isOver = false
        for segment in segments.reversed() {
            let own = segment.spans.filter { channels[$0.key].channel.stream == stream }
            let size = own.values.reduce(0) { $0 + $1.byteCount }
            // What is written to is always kept.
            isOver = isOver || size > left && segment.isComplete
            guard isOver else {
                left -= min(left, size)
                continue
            }
            for (number, span) in own where span.sequences.upperBound > channels[number].first {
                let channel = channels[number].channel
                firsts[channel] = max(firsts[channel] ?? 0, span.sequences.upperBound)
            }
        }
        return firsts
    }

    /// The oldest segments, of which no frame is kept, out of the list.
    mutating func takeUnneeded() -> [Segment] {
        let count = segments.prefix { segment in
            segment.isComplete
                && segment.spans.allSatisfy {
                    $0.value.sequences.upperBound <= channels[$0.key].first
                }
        }.count
        let gone = Array(segments.prefix(min(count, segments.count - 1)))
        segments.removeFirst(gone.count)
        return gone
    }
}
