import MartletCore

extension LogEntry {
    private enum Kind: UInt8 {
        case stream = 1
        case channel, state, epoch, frame, first, cursor, producer, group, ledger
    }

    func write(into writer: inout FieldWriter) {
        switch self {
        case .stream(let name, let partitions):
            writer.byte(Kind.stream.rawValue)
            writer.text(name.text)
            writer.varint(UInt64(partitions))
        case .channel(let number, let stream, let lane):
            writer.byte(Kind.channel.rawValue)
            writer.varint(UInt64(number))
            writer.text(stream.text)
            writer.varint(UInt64(lane))
        case .state(let channel, let state):
            writer.byte(Kind.state.rawValue)
            writer.varint(UInt64(channel))
            state.write(into: &writer)
        case .epoch(let epoch):
            writer.byte(Kind.epoch.rawValue)
            writer.number(epoch.rawValue)
        case .frame(let frame):
            writer.byte(Kind.frame.rawValue)
            frame.write(into: &writer)
        case .first(let channel, let sequence):
            writer.byte(Kind.first.rawValue)
            writer.varint(UInt64(channel))
            writer.varint(sequence)
        case .cursor(let name, let positions):
            writer.byte(Kind.cursor.rawValue)
            writer.text(name)
            writer.varint(UInt64(positions.count))
            for position in positions { writer.position(position) }
        case .producer(let name, let entry):
            writer.byte(Kind.producer.rawValue)
            writer.text(name)
            if let entry { entry.write(into: &writer) } else { writer.varint(0) }
        case .group(let name, let entry):
            writer.byte(Kind.group.rawValue)
            writer.text(name)
            writer.varint(entry == nil ? 0 : 1)
            entry?.write(into: &writer)
        case .ledger(let group, let channel, let ledger):
            writer.byte(Kind.ledger.rawValue)
            writer.text(group)
            writer.varint(UInt64(channel))
            ledger.write(into: &writer)
        }
    }

    init?(_ reader: inout FieldReader) {
        guard let kind = reader.byte().flatMap({ Kind(rawValue: $0) }) else { return nil }
        let entry: LogEntry?
        switch kind {
        case .stream: entry = LogEntry.stream(&reader)
        case .channel:
            entry = reader.small().flatMap { number in
                reader.channel().map { .channel(number: number, $0.stream, lane: $0.lane) }
            }
        case .state:
            entry = reader.small().flatMap { channel in
                StoredChannelState(&reader).map { .state(channel: channel, $0) }
            }
        case .epoch: entry = reader.number().map { .epoch(Epoch(rawValue: $0)) }
        case .frame: entry = FrameEntry(&reader).map { .frame($0) }
        case .first:
            entry = reader.small().flatMap { channel in
                reader.sequence().map { .first(channel: channel, $0) }
            }
        case .cursor: entry = LogEntry.cursor(&reader)
        case .producer: entry = LogEntry.producer(&reader)
        case .group: entry = LogEntry.group(&reader)
        case .ledger: entry = LogEntry.ledger(&reader)
        }
        guard let entry else { return nil }
        self = entry
    }

    private static func stream(_ reader: inout FieldReader) -> LogEntry? {
        guard let name = reader.stream(), let partitions = reader.small(),
            (1...Limits.partitionsMax).contains(partitions)
        else { return nil }
        return .stream(name, partitions: partitions)
    }

    private static func cursor(_ reader: inout FieldReader) -> LogEntry? {
        guard let name = reader.text(atMost: Limits.cursorNameBytesMax),
            let count = reader.count(ofThingsOf: 20)
        else { return nil }
        var positions: [Position] = []
        for _ in 0..<count {
            guard let position = reader.position() else { return nil }
            positions.append(position)
        }
        return .cursor(name, positions)
    }
}

extension LogEntry {
    fileprivate static func producer(_ reader: inout FieldReader) -> LogEntry? {
        guard let name = reader.text(atMost: Limits.producerNameBytesMax),
            let next = reader.sequence()
        else { return nil }
        guard next > 0 else { return .producer(name, nil) }
        return ProducerEntry(&reader, next: next).map { .producer(name, $0) }
    }
}

extension LogEntry {
    /// Whether it is surely read as it is written. Of what is written most often it is seen by its
    /// numbers; all other entries must be read to know.
    var isSurelyReadable: Bool {
        switch self {
        case .frame(let frame):
            LogEntry.areInRange(frame.sequences) && LogEntry.isSmall(frame.channel)
                && LogEntry.isSmall(frame.byteCount)
        case .producer(_, let producer?):
            (1...Limits.sequenceMax).contains(producer.next)
                && producer.runs.allSatisfy { run in
                    (1...Limits.sequenceMax).contains(run.first)
                        && LogEntry.areInRange(run.sequences) && LogEntry.isSmall(run.channel)
                }
        default: false
        }
    }

    private static func areInRange(_ sequences: Range<UInt64>) -> Bool {
        sequences.lowerBound > 0 && !sequences.isEmpty
            && sequences.upperBound <= Limits.sequenceMax && isSmall(sequences.count)
    }

    private static func isSmall(_ number: Int) -> Bool { (0...Int(Int32.max)).contains(number) }
}

extension ProducerEntry {
    init(_ producer: StoredProducer, number: (Channel) -> Int?) {
        // A channel without a number has no events, and none of the producer's.
        let runs = producer.runs.compactMap { run in
            number(run.channel).map {
                Run(first: run.first, channel: $0, sequences: run.sequences)
            }
        }
        self.init(
            epoch: producer.epoch, next: producer.next, usedAt: producer.usedAt, runs: runs)
    }

    /// The producer, as far as its channels are known: damage may have taken some away.
    func producer(channel: (Int) -> Channel?) -> StoredProducer {
        StoredProducer(
            epoch: epoch, next: next, usedAt: usedAt,
            runs: runs.compactMap { run in
                channel(run.channel).map {
                    StoredProducer.Run(first: run.first, channel: $0, sequences: run.sequences)
                }
            })
    }

    fileprivate init?(_ reader: inout FieldReader, next: UInt64) {
        guard let epoch = reader.number(), let usedAt = reader.time(),
            let count = reader.count(ofThingsOf: 4)
        else { return nil }
        var runs: [Run] = []
        for _ in 0..<count {
            guard let first = reader.sequence(), let channel = reader.small(),
                let sequence = reader.sequence(), let count = reader.small(), count > 0,
                first > 0, sequence > 0
            else { return nil }
            runs.append(
                Run(
                    first: first, channel: channel, sequences: sequence..<sequence + UInt64(count)))
        }
        self.init(epoch: Epoch(rawValue: epoch), next: next, usedAt: usedAt, runs: runs)
    }

    fileprivate func write(into writer: inout FieldWriter) {
        writer.varint(next)
        writer.number(epoch.rawValue)
        writer.time(usedAt)
        writer.varint(UInt64(runs.count))
        for run in runs {
            writer.varint(run.first)
            writer.varint(UInt64(run.channel))
            writer.varint(run.sequences.lowerBound)
            writer.varint(UInt64(run.sequences.count))
        }
    }
}

extension FrameEntry {
    fileprivate init?(_ reader: inout FieldReader) {
        guard let channel = reader.small(), let epoch = reader.number(),
            let first = reader.sequence(), let count = reader.small(),
            let byteCount = reader.small(), let latest = reader.time(), first > 0, count > 0
        else { return nil }
        self.init(
            channel: channel, epoch: Epoch(rawValue: epoch),
            sequences: first..<first + UInt64(count), byteCount: byteCount, latest: latest)
    }

    fileprivate func write(into writer: inout FieldWriter) {
        writer.varint(UInt64(channel))
        writer.number(epoch.rawValue)
        writer.varint(sequences.lowerBound)
        writer.varint(UInt64(sequences.count))
        writer.varint(UInt64(byteCount))
        writer.time(latest)
    }
}

extension StoredChannelState {
    fileprivate init?(_ reader: inout FieldReader) {
        guard let first = reader.sequence(), let next = reader.sequence(), first > 0,
            first <= next, let latest = reader.time(), let count = reader.count(ofThingsOf: 9)
        else { return nil }
        var epochs: [StoredChannel.EpochStart] = []
        for _ in 0..<count {
            guard let epoch = reader.number(), let start = reader.sequence() else { return nil }
            epochs.append(.init(Epoch(rawValue: epoch), first: start))
        }
        self.init(first: first, next: next, latest: latest, epochs: epochs)
    }

    fileprivate func write(into writer: inout FieldWriter) {
        writer.varint(first)
        writer.varint(next)
        writer.time(latest)
        writer.varint(UInt64(epochs.count))
        for start in epochs {
            writer.number(start.epoch.rawValue)
            writer.varint(start.first)
        }
    }
}

extension FieldReader {
    /// A number that is the size or the place of something in memory.
    mutating func small() -> Int? {
        varint().flatMap { $0 <= UInt64(Int32.max) ? Int($0) : nil }
    }

    fileprivate mutating func position() -> Position? {
        guard let node = node(), let (stream, lane) = channel(), let epoch = number(),
            let sequence = sequence()
        else { return nil }
        return Position(
            channel: Channel(node: node, stream: stream, lane: lane),
            epoch: Epoch(rawValue: epoch), sequence: sequence)
    }
}

extension FieldWriter {
    fileprivate mutating func position(_ position: Position) {
        node(position.channel.node)
        text(position.channel.stream.text)
        varint(UInt64(position.channel.lane))
        number(position.epoch.rawValue)
        varint(position.sequence)
    }
}
