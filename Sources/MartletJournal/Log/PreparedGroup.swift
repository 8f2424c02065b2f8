import MartletCore

/// A group that is ready to be written.
struct PreparedGroup {
    let entries: [LogEntry]
    let number: UInt64
    let offset: Int
    let framesOffset: Int
    let byteCount: Int
    let pieces: [Bytes]

    private static let zeros = Bytes([UInt8](repeating: 0, count: LogGroup.alignment))

    init(
        _ changes: StorageChanges, _ state: JournalState, in segment: Segment
    ) throws(MartletError) {
        let (salt, offset) = (segment.head.salt, segment.end)
        var numbers = NewChannels(state.channels, state.numbers)
        var entries: [LogEntry] = []
        if let epoch = changes.epoch { entries.append(.epoch(epoch)) }
        for (name, count) in changes.streams.inOrder(by: { $0.precedes($1) }) {
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
        for (name, positions) in changes.cursors.inOrder(by: <) {
            guard !name.isEmpty, name.utf8.count <= Limits.cursorNameBytesMax else {
                throw MartletError(
                    .invalidArgument,
                    "The name of a cursor has 1 to \(Limits.cursorNameBytesMax) bytes.")
            }
            entries.append(.cursor(name, positions))
        }
        for (name, producer) in changes.producers.inOrder(by: <) {
            try entries.append(.producer(name, PreparedGroup.entry(producer, name, numbers)))
        }
        PreparedGroup.addWork(changes, &numbers, &entries)
        let frameBytes = changes.frames.reduce(0) { $0 + $1.bytes.count }
        let head = Bytes(
            LogGroup.head(entries, number: state.nextGroup, frameBytes: frameBytes, salt: salt))
        // What could not be read would make the group damaged.
        guard head.count <= LogGroup.directoryBytesMax, frameBytes <= Int(Int32.max),
            state.nextGroup <= Limits.sequenceMax,
            entries.allSatisfy(\.isSurelyReadable)
                || LogGroup(checked: head, number: state.nextGroup, salt: salt)?.entries == entries
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
        var pieces: [Bytes] = []
        pieces.reserveCapacity(changes.frames.count + 2)
        pieces.append(head)
        for frame in changes.frames { pieces.append(frame.bytes) }
        if padding > 0 { pieces.append(PreparedGroup.zeros[0..<padding]) }
        self.pieces = pieces
    }
}

extension PreparedGroup {
    /// Groups, and their ledgers.
    private static func addWork(
        _ changes: StorageChanges, _ numbers: inout NewChannels, _ entries: inout [LogEntry]
    ) {
        for (name, group) in changes.groups.inOrder(by: <) {
            for channel in group?.starts.keys.sorted(by: { $0.description < $1.description }) ?? []
            {
                _ = numbers.number(of: channel, &entries)
            }
            entries.append(.group(name, group.map { GroupEntry($0) { numbers[$0] } }))
        }
        let ledgers = changes.ledgers.inOrder {
            ($0.group, $0.channel.description) < ($1.group, $1.channel.description)
        }
        for (name, ledger) in ledgers {
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

extension Dictionary {
    /// What it holds, in the order of the keys. Most commits hold one of a kind, or none.
    fileprivate func inOrder(by precedes: (Key, Key) -> Bool) -> [(key: Key, value: Value)] {
        switch count {
        case 0: []
        case 1: Array(self)
        default: sorted { precedes($0.key, $1.key) }
        }
    }
}

/// The channels as they will be, while a group is put together.
private struct NewChannels {
    private let channels: [StoredChannel]
    private let numbers: [Channel: Int]
    private var new: [Channel: Int] = [:]
    private var nexts: [Int: UInt64] = [:]

    init(_ channels: [StoredChannel], _ numbers: [Channel: Int]) {
        self.channels = channels
        self.numbers = numbers
    }

    mutating func number(of channel: Channel, _ entries: inout [LogEntry]) -> Int {
        if let known = self[channel] { return known }
        let number = channels.count + new.count
        new[channel] = number
        entries.append(.channel(number: number, channel.stream, lane: channel.lane))
        return number
    }

    subscript(channel: Channel) -> Int? { numbers[channel] ?? new[channel] }

    func next(_ channel: Int) -> UInt64 {
        nexts[channel]
            ?? (channel < channels.count ? channels[channel].next : 1)
    }

    mutating func advance(_ channel: Int, to next: UInt64) { nexts[channel] = next }
}
