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
    private var numbers: [Channel: Int] = [:]

    init(node: NodeID) { self.node = node }

    /// The segment that is written to.
    var active: Segment? { segments.last.flatMap { $0.isComplete ? nil : $0 } }

    func number(of channel: Channel) -> Int? { numbers[channel] }

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

/// A group that is ready to be written.
struct PreparedGroup {
    let entries: [LogEntry]
    let number: UInt64
    let offset: Int
    let framesOffset: Int
    let byteCount: Int
    let pieces: [Bytes]

    init(
        _ changes: StorageChanges, _ state: JournalState, in segment: Segment
    ) throws(MartletError) {
        let (salt, offset) = (segment.head.salt, segment.end)
        var numbers = NewChannels(state)
        var entries: [LogEntry] = []
        if let epoch = changes.epoch { entries.append(.epoch(epoch)) }
        for (name, count) in changes.streams.sorted(by: { $0.key.precedes($1.key) }) {
            entries.append(.stream(name, partitions: count))
        }
        for frame in changes.frames {
            let channel = numbers.number(of: frame.channel, &entries)
            guard frame.sequences.lowerBound == numbers.next(channel) else {
                throw MartletError(
                    .invalidArgument,
                    "A frame of \(frame.channel) begins with event \(frame.sequences.lowerBound), "
                        + "and \(numbers.next(channel)) comes next.")
            }
            numbers.advance(channel, to: frame.sequences.upperBound)
            entries.append(
                .frame(
                    FrameEntry(
                        channel: channel, epoch: frame.epoch, sequences: frame.sequences,
                        byteCount: frame.bytes.count, latest: frame.latest)))
        }
        for (channel, first) in changes.firsts {
            entries.append(.first(channel: numbers.number(of: channel, &entries), first))
        }
        for (name, positions) in changes.cursors.sorted(by: { $0.key < $1.key }) {
            guard !name.isEmpty, name.utf8.count <= Limits.cursorNameBytesMax else {
                throw MartletError(
                    .invalidArgument,
                    "The name of a cursor has 1 to \(Limits.cursorNameBytesMax) bytes.")
            }
            entries.append(.cursor(name, positions))
        }
        for (name, producer) in changes.producers.sorted(by: { $0.key < $1.key }) {
            try entries.append(.producer(name, PreparedGroup.entry(producer, name, numbers)))
        }
        PreparedGroup.addWork(changes, &numbers, &entries)
        let frameBytes = changes.frames.reduce(0) { $0 + $1.bytes.count }
        let head = LogGroup.head(
            entries, number: state.nextGroup, frameBytes: frameBytes, salt: salt)
        // What could not be read would make the group damaged.
        guard head.count <= LogGroup.directoryBytesMax,
            LogGroup(checked: Bytes(head), number: state.nextGroup, salt: salt)?.entries == entries
        else {
            throw MartletError(
                .invalidArgument,
                "This cannot be stored: a number is out of its range, or it is too much at once.")
        }
        self.entries = entries
        number = state.nextGroup
        self.offset = offset
        framesOffset = offset + head.count
        byteCount = LogGroup.aligned(head.count + frameBytes)
        let padding = byteCount - head.count - frameBytes
        pieces =
            [Bytes(head)] + changes.frames.map(\.bytes)
            + (padding == 0 ? [] : [Bytes([UInt8](repeating: 0, count: padding))])
    }
}

extension PreparedGroup {
    /// Groups, and their ledgers.
    private static func addWork(
        _ changes: StorageChanges, _ numbers: inout NewChannels, _ entries: inout [LogEntry]
    ) {
        for (name, group) in changes.groups.sorted(by: { $0.key < $1.key }) {
            for channel in group?.starts.keys.sorted(by: { $0.description < $1.description }) ?? []
            {
                _ = numbers.number(of: channel, &entries)
            }
            entries.append(.group(name, group.map { GroupEntry($0) { numbers[$0] } }))
        }
        let names = changes.ledgers.keys.sorted {
            ($0.group, $0.channel.description) < ($1.group, $1.channel.description)
        }
        for name in names {
            guard let ledger = changes.ledgers[name] else { continue }
            let number = numbers.number(of: name.channel, &entries)
            entries.append(.ledger(group: name.group, channel: number, ledger))
        }
    }

    private static func entry(
        _ producer: StoredProducer?, _ name: String, _ numbers: NewChannels
    ) throws(MartletError) -> ProducerEntry? {
        guard !name.isEmpty, name.utf8.count <= Limits.producerNameBytesMax else {
            throw MartletError(
                .invalidArgument,
                "The name of a producer has 1 to \(Limits.producerNameBytesMax) bytes.")
        }
        return producer.map { ProducerEntry($0) { numbers[$0] } }
    }
}

/// The channels as they will be, while a group is put together.
private struct NewChannels {
    private let state: JournalState
    private var new: [Channel: Int] = [:]
    private var nexts: [Int: UInt64] = [:]

    init(_ state: JournalState) { self.state = state }

    mutating func number(of channel: Channel, _ entries: inout [LogEntry]) -> Int {
        if let known = self[channel] { return known }
        let number = state.channels.count + new.count
        new[channel] = number
        entries.append(.channel(number: number, channel.stream, lane: channel.lane))
        return number
    }

    subscript(channel: Channel) -> Int? { state.number(of: channel) ?? new[channel] }

    func next(_ channel: Int) -> UInt64 {
        nexts[channel]
            ?? (channel < state.channels.count ? state.channels[channel].next : 1)
    }

    mutating func advance(_ channel: Int, to next: UInt64) { nexts[channel] = next }
}
