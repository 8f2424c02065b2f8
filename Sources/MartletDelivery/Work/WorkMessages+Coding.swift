extension WorkJoin {
    init?(_ reader: inout FieldReader) {
        guard let group = reader.group(), let round = reader.varint(),
            let definition = reader.bytes(atMost: Limits.definitionBytesMax),
            let window = reader.window(), let count = reader.count(ofThingsOf: 14)
        else { return nil }
        var holdings: [WorkHolding] = []
        for _ in 0..<count {
            guard let (stream, lane) = reader.channel(), let fence = reader.number(),
                let sequences = reader.sequences()
            else { return nil }
            holdings.append(
                WorkHolding(stream: stream, lane: lane, fence: fence, sequences: sequences))
        }
        self.init(
            group: group, round: round, definition: definition, window: window,
            holdings: holdings)
    }

    func write(into writer: inout FieldWriter) {
        writer.text(group)
        writer.varint(round)
        writer.bytes(definition)
        writer.window(window)
        writer.varint(UInt64(holdings.count))
        for holding in holdings {
            writer.text(holding.stream.text)
            writer.varint(UInt64(holding.lane))
            writer.number(holding.fence)
            writer.sequences(holding.sequences)
        }
    }
}

extension WorkJoined {
    init?(_ reader: inout FieldReader) {
        guard let group = reader.group(), let round = reader.varint(), let code = reader.byte()
        else { return nil }
        guard code != 0 else {
            self.init(group: group, round: round)
            return
        }
        guard let refusal = Refusal(rawValue: code),
            let text = reader.text(atMost: Limits.goodbyeBytesMax)
        else { return nil }
        self.init(group: group, round: round, refusal: refusal, text: text)
    }

    func write(into writer: inout FieldWriter) {
        writer.text(group)
        writer.varint(round)
        writer.byte(refusal?.rawValue ?? 0)
        if refusal != nil { writer.text(text) }
    }
}

extension Work {
    private static let repeatFlag: UInt8 = 1

    init?(_ reader: inout FieldReader, _ frames: [Bytes]) {
        guard let group = reader.group(), let round = reader.varint(),
            let number = reader.varint()
        else { return nil }
        var leases: [Lease] = []
        for _ in frames {
            guard let fence = reader.number(), let attempt = reader.varint(),
                (1...UInt64(Limits.attemptsMax) + 1).contains(attempt), let flags = reader.byte(),
                flags <= Work.repeatFlag
            else { return nil }
            leases.append(
                Lease(
                    fence: fence, attempt: Int(attempt),
                    mayRepeat: flags & Work.repeatFlag != 0))
        }
        self.init(group: group, round: round, number: number, leases: leases, frames: frames)
    }

    func write(into writer: inout FieldWriter) {
        writer.text(group)
        writer.varint(round)
        writer.varint(number)
        for lease in leases {
            writer.number(lease.fence)
            writer.varint(UInt64(lease.attempt))
            writer.byte(lease.mayRepeat ? Work.repeatFlag : 0)
        }
    }
}

extension WorkResult {
    init?(_ reader: inout FieldReader) {
        guard let (stream, lane) = reader.channel(), let fence = reader.number(),
            let sequences = reader.sequences(), !sequences.isEmpty, let code = reader.byte(),
            let verdict = WorkResult.verdict(code, &reader),
            !verdict.isOfOne || sequences.count == 1
        else { return nil }
        self.init(
            stream: stream, lane: lane, fence: fence, sequences: sequences, verdict: verdict)
    }

    private static func verdict(_ code: UInt8, _ reader: inout FieldReader) -> Verdict? {
        switch code {
        case 0: return .done
        case 1: return reader.bytes(atMost: Limits.outcomeBytesMax).map { .value($0) }
        case 2:
            guard let wait = reader.varint(), wait <= 86_400_000_001,
                let reason = reader.text(atMost: Limits.reasonBytesMax)
            else { return nil }
            return .retry(
                after: wait == 0 ? nil : .microseconds(Int64(wait - 1)), reason: reason)
        case 3:
            return reader.text(atMost: Limits.reasonBytesMax).map { .reject(reason: $0) }
        case 4: return .returned
        default: return nil
        }
    }

    func write(into writer: inout FieldWriter) {
        writer.text(stream.text)
        writer.varint(UInt64(lane))
        writer.number(fence)
        writer.sequences(sequences)
        switch verdict {
        case .done: writer.byte(0)
        case .value(let value):
            writer.byte(1)
            writer.bytes(value)
        case .retry(let wait, let reason):
            writer.byte(2)
            writer.varint(wait.map { $0.microseconds + 1 } ?? 0)
            writer.text(reason)
        case .reject(let reason):
            writer.byte(3)
            writer.text(reason)
        case .returned: writer.byte(4)
        }
    }
}

extension WorkResult.Verdict {
    /// Whether it is said of one event at a time.
    fileprivate var isOfOne: Bool {
        switch self {
        case .done, .returned: false
        case .value, .retry, .reject: true
        }
    }
}

extension WorkResults {
    init?(_ reader: inout FieldReader) {
        guard let group = reader.group(), let number = reader.sequence(),
            let first = reader.sequence(), first <= number,
            let count = reader.count(ofThingsOf: 14)
        else { return nil }
        var results: [WorkResult] = []
        var events: UInt64 = 0
        for _ in 0..<count {
            guard let result = WorkResult(&reader) else { return nil }
            // Nobody has more; three such numbers cannot overflow.
            events += min(result.sequences.count, UInt64(Limits.workEventsMax) + 1)
            guard events <= UInt64(Limits.workEventsMax) else { return nil }
            results.append(result)
        }
        self.init(group: group, number: number, first: first, results: results)
    }

    func write(into writer: inout FieldWriter) {
        writer.text(group)
        writer.varint(number)
        writer.varint(first)
        writer.varint(UInt64(results.count))
        for result in results { result.write(into: &writer) }
    }
}

extension WorkSettled {
    init?(_ reader: inout FieldReader) {
        guard let group = reader.group(), let round = reader.varint(),
            let lastNumber = reader.varint(), let resendFrom = reader.varint(),
            let stale = reader.sequence(),
            let count = reader.count(ofThingsOf: 1)
        else { return nil }
        var numbers: [UInt64] = []
        for _ in 0..<count {
            guard let number = reader.varint() else { return nil }
            numbers.append(number)
        }
        self.init(
            group: group, round: round, lastNumber: lastNumber, numbers: numbers,
            resendFrom: resendFrom == 0 ? nil : resendFrom, staleCount: stale)
    }

    func write(into writer: inout FieldWriter) {
        writer.text(group)
        writer.varint(round)
        writer.varint(lastNumber)
        writer.varint(resendFrom ?? 0)
        writer.varint(staleCount)
        writer.varint(UInt64(numbers.count))
        for number in numbers { writer.varint(number) }
    }
}

extension WorkRecall {
    init?(_ reader: inout FieldReader) {
        guard let group = reader.group(), let round = reader.varint(),
            let number = reader.varint(), let (stream, lane) = reader.channel(),
            let fence = reader.number()
        else { return nil }
        self.init(
            group: group, round: round, number: number, stream: stream, lane: lane, fence: fence)
    }

    func write(into writer: inout FieldWriter) {
        writer.text(group)
        writer.varint(round)
        writer.varint(number)
        writer.text(stream.text)
        writer.varint(UInt64(lane))
        writer.number(fence)
    }
}

extension WorkResize {
    init?(_ reader: inout FieldReader) {
        guard let group = reader.group(), let round = reader.varint(),
            let window = reader.window()
        else { return nil }
        self.init(group: group, round: round, window: window)
    }

    func write(into writer: inout FieldWriter) {
        writer.text(group)
        writer.varint(round)
        writer.window(window)
    }
}

extension FieldReader {
    mutating func group() -> String? {
        text(atMost: Limits.groupNameBytesMax).flatMap {
            GroupDefinition.isAllowed($0) ? $0 : nil
        }
    }

    fileprivate mutating func window() -> WorkWindow? {
        guard let events = varint(), events <= UInt64(Limits.workEventsMax),
            let bytes = varint(), bytes <= UInt64(Limits.workBytesMax)
        else { return nil }
        return WorkWindow(events: Int(events), bytes: Int(bytes))
    }

    /// Ranges: their count, and for each how far behind the one before it begins, and how long it
    /// is.
    fileprivate mutating func sequences() -> SequenceSet? {
        guard let count = count(ofThingsOf: 2), count <= Limits.workEventsMax else { return nil }
        var ranges: [Range<UInt64>] = []
        ranges.reserveCapacity(count)
        var end: UInt64 = 0
        for _ in 0..<count {
            guard let gap = sequence(), let length = sequence(), length > 0,
                end + gap + length <= Limits.sequenceMax
            else { return nil }
            ranges.append(end + gap..<end + gap + length)
            end += gap + length
        }
        return SequenceSet(ranges: ranges)
    }
}

extension FieldWriter {
    fileprivate mutating func window(_ window: WorkWindow) {
        varint(UInt64(window.events))
        varint(UInt64(window.bytes))
    }

    fileprivate mutating func sequences(_ sequences: SequenceSet) {
        varint(UInt64(sequences.ranges.count))
        var end: UInt64 = 0
        for range in sequences.ranges {
            varint(range.lowerBound - end)
            varint(UInt64(range.count))
            end = range.upperBound
        }
    }
}

extension Duration {
    /// Whole microseconds, for a time that is neither negative nor longer than a day.
    fileprivate var microseconds: UInt64 {
        let (seconds, attoseconds) = components
        return UInt64(clamping: seconds) * 1_000_000
            + UInt64(clamping: attoseconds / 1_000_000_000_000)
    }
}
