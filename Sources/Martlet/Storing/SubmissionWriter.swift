internal import MartletDelivery

/// Appends what producers submit to the streams of the node. On the thread that stores.
struct SubmissionWriter {
    /// Up to which event each lane of a stream must be in the next commit, by the stream's place.
    typealias Targets = [Int: [Int: UInt64]]

    private(set) var table: ProducerTable
    /// Events come in rows of one kind: that of the last, and where it stood.
    private struct LastKind {
        var kind: PublishedKind
        var frame: Frame
        var number: UInt64
    }

    private var last: LastKind?
    private var lastStreamCount = 0

    /// Most that is appended for one commit.
    private static let bytesMax = 4 * 1_048_576

    init(_ storage: any Storage) { table = ProducerTable(storage.producers) }

    /// Appends what there is room for.
    mutating func admit(
        _ requests: [ProducerRequest], to streams: [(place: Int, buffer: StreamBuffer)],
        isHeldUp: (Int) -> Bool
    ) -> Targets {
        for request in requests { table.add(request) }
        guard table.waitingBytes > 0 else { return [:] }
        if lastStreamCount != streams.count {
            lastStreamCount = streams.count
            // Of dead letters the node tells itself.
            table.streams = streams.map(\.buffer.definition.name)
                .filter { $0 != DeadLetter.topic.stream }.sorted { $0.precedes($1) }
        }
        var targets: Targets = [:]
        var byteCount = 0
        var last = last.take()
        defer { self.last = last }
        table.admit(at: NodeClock.timestamp) { (event) throws(MartletError) in
            let stream = event.frame.channel.stream
            guard stream != DeadLetter.topic.stream,
                let (place, buffer) = streams.first(where: { $0.buffer.definition.name == stream })
            else { throw SubmissionWriter.unknown(stream) }
            guard byteCount < SubmissionWriter.bytesMax, targets[place] != nil || !isHeldUp(place)
            else { return .full }
            byteCount += event.payloadByteCount
            let kind = SubmissionWriter.kind(of: event, &last)
            let attributes = event.attributes
            let fields = EventFields(
                time: event.time, key: event.key, id: event.explicitID,
                attributes: attributes.isEmpty ? nil : attributes)
            let lane = buffer.lane(ofKey: fields.key)
            let outcome = try event.withPayload { (payload) throws(MartletError) in
                try buffer.append(payload, fields, lane: lane, kind)
            }
            guard case .appended(let sequence, _) = outcome else { return .full }
            targets[place, default: [:]][lane] = sequence
            let channel = Channel(node: buffer.instance.node, stream: stream, lane: lane)
            return .appended(channel, sequence)
        }
        return targets
    }

    private static func kind(of event: RecordedEvent, _ last: inout LastKind?) -> PublishedKind {
        let number = event.definitionNumber
        if let last, last.frame === event.frame, last.number == number { return last.kind }
        let definition = event.definition
        if let known = last?.kind, known.definition == definition {
            last?.frame = event.frame
            last?.number = number
            return known
        }
        let kind = PublishedKind(definition: definition, number: -1)
        last = LastKind(kind: kind, frame: event.frame, number: number)
        return kind
    }

    private static func unknown(_ stream: StreamName) -> MartletError {
        MartletError(
            .invalidArgument,
            "The node has no durable stream `\(stream)`. Define it there, or submit to another.")
    }

    /// Who waits for what becomes of events that were appended.
    mutating func takeWatches() -> [ProducerWatch] { table.takeWatches() }

    /// What is to be committed with what was appended.
    mutating func takeChanges() -> [String: StoredProducer?] { table.takeChanges() }

    /// What may be said once it is committed, in this epoch.
    func answers(from storage: any Storage, in epoch: Epoch) -> [ProducerAnswer] {
        guard table.hasAnswers else { return [] }
        let channels = storage.channels
        // Most answers name a row or two, for which an index is not worth while.
        var looks = 0
        lazy var index = Dictionary(
            channels.map { ($0.channel, $0) }, uniquingKeysWith: { $1 })
        return table.answers { channel, sequence in
            looks += 1
            let stored =
                looks > 16 ? index[channel] : channels.first { $0.channel == channel }
            guard let stored, sequence < stored.next else { return epoch }
            return stored.epoch(of: sequence)
        }
    }

    /// It has been said.
    mutating func forgetAnswers() { table.forgetAnswers() }
}
