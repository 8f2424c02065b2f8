extension Fetch {
    init?(_ reader: inout FieldReader) {
        guard let request = reader.varint(), let (stream, lane) = reader.channel(),
            let start = Start(&reader), let upTo = reader.sequence(),
            let budget = reader.varint()
        else { return nil }
        self.init(
            request: request, stream: stream, lane: lane, start: start,
            upTo: upTo == 0 ? nil : upTo, byteBudget: budget)
    }

    func write(into writer: inout FieldWriter) {
        writer.varint(request)
        writer.text(stream.text)
        writer.varint(UInt64(lane))
        switch start {
        case .behind(let epoch, let sequence):
            writer.byte(0)
            writer.number(epoch.rawValue)
            writer.varint(sequence)
        case .first: writer.byte(1)
        case .now: writer.byte(2)
        case .time(let time):
            writer.byte(3)
            writer.time(time)
        }
        writer.varint(upTo ?? 0)
        writer.varint(byteBudget)
    }
}

extension Fetch.Start {
    init?(_ reader: inout FieldReader) {
        switch reader.byte() {
        case 0:
            guard let epoch = reader.number(), let sequence = reader.sequence() else { return nil }
            self = .behind(epoch: Epoch(rawValue: epoch), sequence: sequence)
        case 1: self = .first
        case 2: self = .now
        case 3:
            guard let time = reader.time() else { return nil }
            self = .time(time)
        default: return nil
        }
    }
}

extension FetchEnd {
    init?(_ reader: inout FieldReader) {
        guard let request = reader.varint(),
            let reason = reader.byte().flatMap({ Reason(rawValue: $0) }),
            let epoch = reader.number(), let next = reader.sequence(), next > 0
        else { return nil }
        self.init(
            request: request, reason: reason, epoch: Epoch(rawValue: epoch), next: next)
    }
}
