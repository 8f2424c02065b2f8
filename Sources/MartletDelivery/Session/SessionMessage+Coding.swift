extension SessionMessage {
    static let version: UInt8 = 1
    /// "MSV" and the version, with which every message begins.
    private static let lead = UInt32(0x56_534D) | UInt32(version) << 24

    private enum Kind: UInt8 {
        case hello = 1
        case welcome = 2
        case beat = 3
        case bye = 4
        case peers = 5
        case fetch = 16
        case frames = 17
        case end = 18
        case open = 32
        case opened = 33
        case submit = 34
        case submitted = 35
        case await = 36
        case outcome = 37
        case join = 48
        case joined = 49
        case work = 50
        case results = 51
        case settled = 52
        case recall = 53
        case resize = 54
        case leave = 55
        case pulled = 58
        case ask = 64
        case tell = 65

        /// Whether frames follow the first part.
        var hasFrames: Bool { self == .frames || self == .submit || self == .work }
    }

    // MARK: Writing

    /// The message as it is sent.
    package var multipart: Multipart {
        var writer = FieldWriter()
        writer.number(UInt64(SessionMessage.lead) | UInt64(kind.rawValue) << 32)
        writer.number(session)
        write(into: &writer)
        let first = Bytes(writer.bytes)
        return switch self {
        case .frames(_, _, let frames): Multipart(first: first, rest: frames)
        case .submit(_, let submission): Multipart(first: first, rest: submission.frames)
        case .work(_, let work): Multipart(first: first, rest: work.frames)
        default: Multipart(first)
        }
    }

    private var kind: Kind {
        switch self {
        case .hello: .hello
        case .welcome: .welcome
        case .beat: .beat
        case .bye: .bye
        case .peers: .peers
        case .fetch: .fetch
        case .frames: .frames
        case .end: .end
        case .open: .open
        case .opened: .opened
        case .submit: .submit
        case .submitted: .submitted
        case .await: .await
        case .outcome: .outcome
        case .join: .join
        case .joined: .joined
        case .work: .work
        case .results: .results
        case .settled: .settled
        case .recall: .recall
        case .resize: .resize
        case .leave: .leave
        case .pulled: .pulled
        case .ask: .ask
        case .tell: .tell
        }
    }

    private func write(into writer: inout FieldWriter) {
        switch self {
        case .hello(let hello):
            writer.instance(hello.instance)
            writer.number(hello.nonce)
            writer.byte(hello.versions.lowerBound)
            writer.byte(hello.versions.upperBound)
            writer.text(hello.name)
            writer.text(hello.endpoint)
            let names = hello.streams.names?.map(\.text) ?? [StreamSelection.allName]
            writer.varint(UInt64(names.count))
            for name in names { writer.text(name) }
        case .welcome(_, let welcome): welcome.write(into: &writer)
        case .beat(_, let beat):
            writer.number(beat.clock.microseconds)
            writer.number(beat.echo?.microseconds ?? 0)
            writer.varint(UInt64(beat.reached.count))
            for reached in beat.reached {
                writer.text(reached.stream.text)
                writer.varint(UInt64(reached.lane))
                writer.varint(reached.sequence)
            }
        case .bye(_, let goodbye):
            writer.byte(goodbye.code.rawValue)
            writer.text(goodbye.text)
        case .peers(_, let peers):
            writer.varint(UInt64(peers.count))
            for peer in peers { writer.text(peer) }
        case .fetch(_, let fetch): fetch.write(into: &writer)
        case .frames(_, let request, _): writer.varint(request)
        case .end(_, let end):
            writer.varint(end.request)
            writer.byte(end.reason.rawValue)
            writer.number(end.epoch.rawValue)
            writer.varint(end.next)
        case .open(_, let opening): opening.write(into: &writer)
        case .opened(_, let opened): opened.write(into: &writer)
        case .submit(_, let submission): submission.write(into: &writer)
        case .submitted(_, let submitted): submitted.write(into: &writer)
        case .await(_, let awaiting): awaiting.write(into: &writer)
        case .outcome(_, let outcome): outcome.write(into: &writer)
        case .join(_, let join): join.write(into: &writer)
        case .joined(_, let joined): joined.write(into: &writer)
        case .work(_, let work): work.write(into: &writer)
        case .results(_, let results): results.write(into: &writer)
        case .settled(_, let settled): settled.write(into: &writer)
        case .recall(_, let recall): recall.write(into: &writer)
        case .resize(_, let resize): resize.write(into: &writer)
        case .leave(_, let group): writer.text(group)
        case .pulled(_, let report): report.write(into: &writer)
        case .ask(_, let inquiry): inquiry.write(into: &writer)
        case .tell(_, let answer): answer.write(into: &writer)
        }
    }

    // MARK: Reading

    /// The message that this one is; nil if it is none, of another version, or of a kind that is
    /// not known here.
    package init?(_ multipart: Multipart) {
        var reader = FieldReader(multipart.first)
        guard let head = reader.number(), UInt32(truncatingIfNeeded: head) == SessionMessage.lead,
            let kind = Kind(rawValue: UInt8(truncatingIfNeeded: head >> 32)),
            let session = reader.number(),
            (kind.hasFrames ? 2...Limits.messageFrames + 1 : 1...1).contains(multipart.count),
            // A farewell may be all that a stranger hears.
            kind == .bye || (session == 0) == (kind == .hello)
        else { return nil }
        let message: SessionMessage?
        switch kind {
        case .hello: message = Hello(&reader).map { .hello($0) }
        case .welcome: message = Welcome(&reader).map { .welcome(session: session, $0) }
        case .beat: message = Beat(&reader).map { .beat(session: session, $0) }
        case .bye: message = Goodbye(&reader).map { .bye(session: session, $0) }
        case .peers: message = reader.endpoints().map { .peers(session: session, $0) }
        case .fetch: message = Fetch(&reader).map { .fetch(session: session, $0) }
        case .frames:
            message = reader.varint().map {
                .frames(session: session, request: $0, multipart.rest)
            }
        case .end: message = FetchEnd(&reader).map { .end(session: session, $0) }
        case .open: message = ProducerOpening(&reader).map { .open(session: session, $0) }
        case .opened: message = ProducerOpened(&reader).map { .opened(session: session, $0) }
        case .submit:
            message = Submission(&reader, multipart.rest).map { .submit(session: session, $0) }
        case .submitted: message = Submitted(&reader).map { .submitted(session: session, $0) }
        case .await: message = ProducerAwaiting(&reader).map { .await(session: session, $0) }
        case .outcome: message = ProducerOutcome(&reader).map { .outcome(session: session, $0) }
        case .join, .joined, .work, .results, .settled, .recall, .resize, .leave:
            message = SessionMessage.aboutWork(kind, session, &reader, multipart.rest)
        case .pulled: message = PullReport(&reader).map { .pulled(session: session, $0) }
        case .ask: message = Inquiry(&reader).map { .ask(session: session, $0) }
        case .tell: message = Answer(&reader).map { .tell(session: session, $0) }
        }
        guard let message else { return nil }
        self = message
    }
}

extension SessionMessage {
    private static func aboutWork(
        _ kind: Kind, _ session: UInt64, _ reader: inout FieldReader, _ frames: [Bytes]
    ) -> SessionMessage? {
        switch kind {
        case .join: WorkJoin(&reader).map { .join(session: session, $0) }
        case .joined: WorkJoined(&reader).map { .joined(session: session, $0) }
        case .work: Work(&reader, frames).map { .work(session: session, $0) }
        case .results: WorkResults(&reader).map { .results(session: session, $0) }
        case .settled: WorkSettled(&reader).map { .settled(session: session, $0) }
        case .recall: WorkRecall(&reader).map { .recall(session: session, $0) }
        case .resize: WorkResize(&reader).map { .resize(session: session, $0) }
        case .leave: reader.group().map { .leave(session: session, group: $0) }
        default: nil
        }
    }
}

extension Hello {
    init?(_ reader: inout FieldReader) {
        guard let instance = reader.instance(), let nonce = reader.number(),
            let lowest = reader.byte(), let highest = reader.byte(), lowest <= highest,
            let name = reader.text(atMost: Limits.nodeNameBytesMax),
            let endpoint = reader.text(atMost: Limits.endpointBytesMax),
            let streams = StreamSelection(&reader)
        else { return nil }
        self.init(
            instance: instance, nonce: nonce, versions: lowest...highest, name: name,
            endpoint: endpoint, streams: streams)
    }
}

extension StreamSelection {
    fileprivate static let allName = ">"

    init?(_ reader: inout FieldReader) {
        guard let count = reader.count(ofThingsOf: 2), count <= Limits.streamsMax else {
            return nil
        }
        var names: [StreamName] = []
        for _ in 0..<count {
            guard let text = reader.text(atMost: Limits.topicBytesMax) else { return nil }
            if text == StreamSelection.allName, count == 1 {
                self = .all
                return
            }
            guard let name = try? StreamName(text), names.last.map({ $0.precedes(name) }) ?? true
            else { return nil }
            names.append(name)
        }
        self.init(names)
    }
}

extension Welcome {
    /// A stream of one byte with its length, a lane, two sequences and flags.
    private static let channelBytesMin = 6

    init?(_ reader: inout FieldReader) {
        let endpointMax = Limits.endpointBytesMax
        guard let nonce = reader.number(), let instance = reader.instance(),
            let name = reader.text(atMost: Limits.nodeNameBytesMax),
            let data = reader.text(atMost: endpointMax),
            let push = reader.text(atMost: endpointMax), let eventBytesMax = reader.varint(),
            let channelCount = reader.count(ofThingsOf: Welcome.channelBytesMin)
        else { return nil }
        var channels: [ChannelState] = []
        for _ in 0..<channelCount {
            guard let (stream, lane) = reader.channel(), let first = reader.sequence(),
                let next = reader.sequence(), first >= 1, first <= next, let flags = reader.byte(),
                flags <= 1
            else { return nil }
            var epoch: Epoch?
            if flags & 1 != 0 {
                guard let number = reader.number() else { return nil }
                epoch = Epoch(rawValue: number)
            }
            channels.append(
                ChannelState(
                    stream: stream, lane: lane, first: first, next: next, durableEpoch: epoch))
        }
        guard let peers = reader.endpoints() else { return nil }
        self.init(
            nonce: nonce, instance: instance, name: name, dataEndpoint: data, pushEndpoint: push,
            eventBytesMax: eventBytesMax, channels: channels, peers: peers)
    }

    func write(into writer: inout FieldWriter) {
        writer.number(nonce)
        writer.instance(instance)
        writer.text(name)
        writer.text(dataEndpoint)
        writer.text(pushEndpoint)
        writer.varint(eventBytesMax)
        writer.varint(UInt64(channels.count))
        for channel in channels {
            writer.text(channel.stream.text)
            writer.varint(UInt64(channel.lane))
            writer.varint(channel.first)
            writer.varint(channel.next)
            writer.byte(channel.durableEpoch == nil ? 0 : 1)
            if let epoch = channel.durableEpoch { writer.number(epoch.rawValue) }
        }
        writer.varint(UInt64(peers.count))
        for peer in peers { writer.text(peer) }
    }
}

extension Beat {
    init?(_ reader: inout FieldReader) {
        guard let clock = reader.number(), let echo = reader.number(),
            let count = reader.count(ofThingsOf: 4)
        else { return nil }
        var reached: [Reached] = []
        for _ in 0..<count {
            guard let (stream, lane) = reader.channel(), let sequence = reader.sequence() else {
                return nil
            }
            reached.append(Reached(stream: stream, lane: lane, sequence: sequence))
        }
        self.init(
            clock: MonotonicTime(microseconds: clock),
            echo: echo == 0 ? nil : MonotonicTime(microseconds: echo), reached: reached)
    }
}

extension Goodbye {
    init?(_ reader: inout FieldReader) {
        guard let code = reader.byte().flatMap({ Code(rawValue: $0) }),
            let text = reader.text(atMost: Limits.goodbyeBytesMax)
        else { return nil }
        self.init(code: code, text: text)
    }
}

extension FieldReader {
    mutating func instance() -> Instance? {
        guard let node = node(), let epoch = number() else { return nil }
        return Instance(node: node, epoch: Epoch(rawValue: epoch))
    }

    mutating func endpoints() -> [String]? {
        guard let count = count(ofThingsOf: 1), count <= Limits.peersMax else { return nil }
        var endpoints: [String] = []
        for _ in 0..<count {
            guard let endpoint = text(atMost: Limits.endpointBytesMax) else { return nil }
            endpoints.append(endpoint)
        }
        return endpoints
    }
}

extension FieldWriter {
    mutating func instance(_ instance: Instance) {
        node(instance.node)
        number(instance.epoch.rawValue)
    }
}
