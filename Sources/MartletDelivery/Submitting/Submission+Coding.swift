extension ProducerOpening {
    init?(_ reader: inout FieldReader) {
        guard let producer = reader.producer(), let number = reader.number(),
            let random = UInt32(exactly: number), let epoch = reader.number()
        else { return nil }
        self.init(
            producer: producer, random: random,
            epoch: epoch == 0 ? nil : Epoch(rawValue: epoch))
    }

    func write(into writer: inout FieldWriter) {
        writer.text(producer)
        writer.number(UInt64(random))
        writer.number(epoch?.rawValue ?? 0)
    }
}

extension ProducerOpened {
    init?(_ reader: inout FieldReader) {
        guard let producer = reader.producer(), let code = reader.byte() else { return nil }
        var refusal: SubmissionRefusal?
        if code != 0 {
            guard let read = reader.refusal(code) else { return nil }
            refusal = read
        }
        guard let epoch = reader.number(), let next = reader.sequence(), next > 0,
            let runs = reader.runs(), let count = reader.count(ofThingsOf: 2),
            count <= Limits.streamsMax
        else { return nil }
        var streams: [StreamName] = []
        for _ in 0..<count {
            guard let stream = reader.stream() else { return nil }
            streams.append(stream)
        }
        self.init(
            producer: producer, refusal: refusal, epoch: Epoch(rawValue: epoch), next: next,
            runs: runs, streams: streams)
    }

    func write(into writer: inout FieldWriter) {
        writer.text(producer)
        writer.byte(refusal?.code.rawValue ?? 0)
        if let refusal { writer.text(refusal.text) }
        writer.number(epoch.rawValue)
        writer.varint(next)
        writer.runs(runs)
        writer.varint(UInt64(streams.count))
        for stream in streams { writer.text(stream.text) }
    }
}

extension Submission {
    init?(_ reader: inout FieldReader, _ frames: [Bytes]) {
        guard let producer = reader.producer(), let attempt = reader.varint() else { return nil }
        self.init(producer: producer, attempt: attempt, frames: frames)
    }

    func write(into writer: inout FieldWriter) {
        writer.text(producer)
        writer.varint(attempt)
    }
}

extension Submitted {
    private static let behindCode: UInt8 = 16
    private static let busyCode: UInt8 = 17

    init?(_ reader: inout FieldReader) {
        guard let producer = reader.producer(), let attempt = reader.varint(),
            let next = reader.sequence(), next > 0, let code = reader.byte(),
            let outcome = Submitted.outcome(code, &reader)
        else { return nil }
        self.init(producer: producer, attempt: attempt, next: next, outcome: outcome)
    }

    private static func outcome(_ code: UInt8, _ reader: inout FieldReader) -> Outcome? {
        switch code {
        case 0: return reader.runs().map { .stored($0) }
        case behindCode: return .behind
        case busyCode: return .busy
        default: return reader.refusal(code).map { .refused($0) }
        }
    }

    func write(into writer: inout FieldWriter) {
        writer.text(producer)
        writer.varint(attempt)
        writer.varint(next)
        switch outcome {
        case .stored(let runs):
            writer.byte(0)
            writer.runs(runs)
        case .behind: writer.byte(Submitted.behindCode)
        case .busy: writer.byte(Submitted.busyCode)
        case .refused(let refusal):
            writer.byte(refusal.code.rawValue)
            writer.text(refusal.text)
        }
    }
}

extension FieldReader {
    mutating func producer() -> String? {
        text(atMost: Limits.producerNameBytesMax).flatMap { ProducerName.isAllowed($0) ? $0 : nil }
    }

    fileprivate mutating func refusal(_ code: UInt8) -> SubmissionRefusal? {
        guard let code = SubmissionRefusal.Code(rawValue: code),
            let text = text(atMost: Limits.goodbyeBytesMax)
        else { return nil }
        return SubmissionRefusal(code, text)
    }

    fileprivate mutating func runs() -> [SubmittedRun]? {
        guard let count = count(ofThingsOf: 14) else { return nil }
        var runs: [SubmittedRun] = []
        runs.reserveCapacity(count)
        for _ in 0..<count {
            guard let first = sequence(), let (stream, lane) = channel(), let epoch = number(),
                let sequence = sequence(), sequence > 0, let count = self.sequence(), count > 0
            else { return nil }
            runs.append(
                SubmittedRun(
                    first: first, stream: stream, lane: lane, epoch: Epoch(rawValue: epoch),
                    sequences: sequence..<sequence + count))
        }
        return runs
    }
}

extension FieldWriter {
    fileprivate mutating func runs(_ runs: [SubmittedRun]) {
        varint(UInt64(runs.count))
        for run in runs {
            varint(run.first)
            text(run.stream.text)
            varint(UInt64(run.lane))
            number(run.epoch.rawValue)
            varint(run.sequences.lowerBound)
            varint(UInt64(run.sequences.count))
        }
    }
}
