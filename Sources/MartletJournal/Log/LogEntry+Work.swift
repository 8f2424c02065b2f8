import MartletCore

/// Groups of workers, and their ledgers.
extension LogEntry {
    static func group(_ reader: inout FieldReader) -> LogEntry? {
        guard let name = reader.text(atMost: Limits.groupNameBytesMax),
            let isKept = reader.varint(), isKept <= 1
        else { return nil }
        guard isKept == 1 else { return .group(name, nil) }
        return GroupEntry(&reader).map { .group(name, $0) }
    }

    static func ledger(_ reader: inout FieldReader) -> LogEntry? {
        guard let group = reader.text(atMost: Limits.groupNameBytesMax),
            let channel = reader.small()
        else { return nil }
        return StoredLedger(&reader).map { .ledger(group: group, channel: channel, $0) }
    }
}

extension GroupEntry {
    init(_ group: StoredGroup, number: (Channel) -> Int?) {
        let starts = group.starts.compactMap { channel, sequence in
            number(channel).map { Start(channel: $0, sequence: sequence) }
        }
        self.init(
            definition: group.definition, before: group.before,
            starts: starts.sorted { $0.channel < $1.channel })
    }

    /// The group, as far as its channels are known: damage may have taken some away.
    func group(channel: (Int) -> Channel?) -> StoredGroup {
        var known: [Channel: UInt64] = [:]
        for start in starts {
            if let channel = channel(start.channel) { known[channel] = start.sequence }
        }
        return StoredGroup(definition: definition, starts: known, before: before)
    }

    init?(_ reader: inout FieldReader) {
        guard let definition = reader.bytes(atMost: Limits.definitionBytesMax),
            let before = reader.bytes(atMost: Limits.definitionBytesMax),
            let count = reader.count(ofThingsOf: 2)
        else { return nil }
        var starts: [Start] = []
        for _ in 0..<count {
            guard let channel = reader.small(), let sequence = reader.sequence() else { return nil }
            starts.append(Start(channel: channel, sequence: sequence))
        }
        self.init(
            definition: definition, before: before.isEmpty ? nil : before, starts: starts)
    }

    func write(into writer: inout FieldWriter) {
        writer.bytes(definition)
        writer.bytes(before ?? Bytes())
        writer.varint(UInt64(starts.count))
        for start in starts {
            writer.varint(UInt64(start.channel))
            writer.varint(start.sequence)
        }
    }
}

extension StoredLedger {
    init?(_ reader: inout FieldReader) {
        guard let next = reader.sequence(), next > 0, let leasedThrough = reader.sequence(),
            let settled = StoredLedger.ranges(behind: next, &reader)
        else { return nil }
        self.init(from: next)
        self.settled = settled
        self.leasedThrough = leasedThrough
        guard let failingCount = reader.count(ofThingsOf: 2) else { return nil }
        for _ in 0..<failingCount {
            guard let sequence = reader.sequence(), let attempts = reader.small() else {
                return nil
            }
            failing.append(Failing(sequence, attempts: attempts))
        }
        guard let lossCount = reader.count(ofThingsOf: 3) else { return nil }
        for _ in 0..<lossCount {
            guard let first = reader.sequence(), let count = reader.sequence(),
                let reason = reader.byte().flatMap({ Loss.Reason(rawValue: $0) })
            else { return nil }
            losses.append(Loss(first..<first + count, reason))
        }
        guard let handled = reader.varint(), let dead = reader.varint(),
            let repeated = reader.varint(), let lost = reader.varint()
        else { return nil }
        tally.handled = handled
        tally.dead = dead
        tally.repeated = repeated
        tally.lost = lost
        guard let count = reader.varint(),
            let reopened = StoredLedger.ranges(behind: 0, &reader),
            let keyCount = reader.count(ofThingsOf: 8)
        else { return nil }
        tally.reopened = count
        self.reopened = reopened
        for _ in 0..<keyCount {
            guard let key = reader.number() else { return nil }
            parkedKeys.append(key)
        }
    }

    private static func ranges(
        behind start: UInt64, _ reader: inout FieldReader
    ) -> SequenceSet? {
        guard let count = reader.count(ofThingsOf: 2) else { return nil }
        var ranges: [Range<UInt64>] = []
        var end = start
        for _ in 0..<count {
            guard let gap = reader.sequence(), let length = reader.sequence(),
                end + gap + length <= Limits.sequenceMax
            else { return nil }
            ranges.append(end + gap..<end + gap + length)
            end += gap + length
        }
        return SequenceSet(ranges: ranges)
    }

    func write(into writer: inout FieldWriter) {
        writer.varint(next)
        writer.varint(leasedThrough)
        StoredLedger.write(settled, behind: next, into: &writer)
        writer.varint(UInt64(failing.count))
        for one in failing {
            writer.varint(one.sequence)
            writer.varint(UInt64(one.attempts))
        }
        writer.varint(UInt64(losses.count))
        for loss in losses {
            writer.varint(loss.sequences.lowerBound)
            writer.varint(UInt64(loss.sequences.count))
            writer.byte(loss.reason.rawValue)
        }
        for count in [tally.handled, tally.dead, tally.repeated, tally.lost, tally.reopened] {
            writer.varint(count)
        }
        StoredLedger.write(reopened, behind: 0, into: &writer)
        writer.varint(UInt64(parkedKeys.count))
        for key in parkedKeys { writer.number(key) }
    }

    private static func write(
        _ set: SequenceSet, behind start: UInt64, into writer: inout FieldWriter
    ) {
        writer.varint(UInt64(set.ranges.count))
        var end = start
        for range in set.ranges {
            writer.varint(range.lowerBound - end)
            writer.varint(UInt64(range.count))
            end = range.upperBound
        }
    }
}
