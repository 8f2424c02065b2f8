/// A node as a publisher: its streams, and the sessions of those who read them.
///
/// It decides and does nothing: frames go in, and what is to be published and sent comes out.
package struct FanoutPublisher {
    /// What is to be done.
    package enum Effect: Sendable {
        /// Publish the bytes to all who subscribe: a frame or a beat, one message of one part.
        case publish(Bytes)
        /// Send a message to this routing id.
        case send(to: Bytes, Multipart)
        /// Ask the storage, and tell the answer.
        case ask(StoredRequest)
        /// A producer asks to be opened, or for its events to be stored.
        case submit(ProducerRequest)
        /// A worker says something, or nothing any more.
        case worker(WorkerNews)
        /// A peer says how far it is with what it pulls.
        case pulled(Instance, PullReport)
        /// A peer asks something, and is to be told.
        case inquire(session: UInt64, Inquiry)
    }

    private let instance: Instance
    /// The epoch of durable streams.
    private var durableEpoch: Epoch
    private let name: String
    private let dataEndpoint: String
    private let pushed: PushedStreams
    private let fetchBytes: Int
    private var sessions: SessionTable
    private var streams: [PublisherStream] = []
    private var places: [StreamName: Int] = [:]
    /// The streams in the order of their names, in which everything is done.
    private var order: [Int] = []
    /// What each session reads.
    private var reading: [UInt64: StreamSelection] = [:]

    /// The service endpoints of nodes that read here and have one.
    private var readerEndpoints: [UInt64: String] = [:]
    /// The service endpoints of nodes that this one reads from.
    private var ownPeers: [String] = []
    private var isNewsOfPeers = false

    /// How many bytes may be sent in answer to requests at this moment. Beyond, peers are told to
    /// ask later.
    package var answerRoom = Int.max

    /// A publisher that starts, without streams yet.
    package init(
        _ instance: Instance, named name: String, dataEndpoint: String,
        pushed: PushedStreams = PushedStreams([]), firstSession: UInt64,
        fetchBytes: Int = Limits.fetchBytes
    ) {
        self.instance = instance
        durableEpoch = instance.epoch
        self.fetchBytes = fetchBytes
        self.name = name
        self.dataEndpoint = dataEndpoint
        self.pushed = pushed
        sessions = SessionTable(of: instance, firstNumber: firstSession)
    }

    /// Adds a stream, which must not be there yet, and returns its place: 0 for the first, 1 for
    /// the second and so on. A durable stream goes on behind the channels that were stored.
    @discardableResult
    package mutating func add(
        _ stream: StreamName, stored: [StoredChannel]? = nil, ringBytes: Int = Limits.ringBytes,
        waitingForReaders waits: Bool = false, windowBytes: Int = Limits.windowBytes
    ) -> Int {
        precondition(places[stream] == nil, "the stream is there already")
        var added = PublisherStream(
            stream,
            of: stored == nil
                ? instance : Instance(node: instance.node, epoch: durableEpoch),
            stored: stored, ringBytes: ringBytes,
            // What has been sent ahead must still be here if it gets lost.
            flow: FlowControl(windowBytes: min(windowBytes, ringBytes / 2)), waits: waits)
        for session in reading.keys.sorted() where reading[session]?.contains(stream) == true {
            added.began(session: session)
        }
        let place = streams.count
        streams.append(added)
        places[stream] = place
        order.insert(
            place, at: order.firstIndex { stream.precedes(streams[$0].name) } ?? order.count)
        return place
    }

    /// The node greets itself, to read its own events, with nonces that have this upper half.
    package mutating func expectOwn(nonces: UInt32) { sessions.ownNonces = nonces }

    /// How many sessions there are.
    package var sessionCount: Int { sessions.count }

    /// Messages that meant nothing here.
    package var ignoredCount: UInt64 { sessions.ignored }

    /// Rises each time a reader has come or gone.
    package private(set) var readerChanges: UInt64 = 0

    /// How many nodes read the stream, or, without one, any stream at all.
    package func readerCount(of stream: StreamName?) -> Int {
        reading.values.count { stream.map($0.contains) ?? !$0.isEmpty }
    }

    /// How many bytes of frames are kept for readers that missed them.
    package var ringByteCount: Int { streams.reduce(0) { $0 + $1.ringByteCount } }

    /// The number of the first event of a lane that can be fetched; 1 before there is any.
    package func firstKept(of stream: StreamName, lane: Int) -> UInt64 {
        places[stream].flatMap { streams[$0][lane]?.first } ?? 1
    }

    /// Whether all readers are done with all that was published.
    package var isDrained: Bool { streams.allSatisfy(\.isDrained) }

    /// Rises for as long as readers go on.
    package var progress: UInt64 { streams.reduce(0) { $0 &+ $1.progress } }

    /// Whether readers are so far behind that nothing should be published in the stream at this
    /// place.
    package mutating func isHeldUp(_ place: Int, at now: MonotonicTime) -> Bool {
        streams[place].isHeldUp(at: now)
    }

    /// A frame of the stream at this place has been sealed that follows the last one of its
    /// channel. It is to be published.
    package mutating func seal(_ frame: SealedFrame, of place: Int, at now: MonotonicTime) {
        streams[place].seal(frame, at: now)
    }

    /// The storage had failed, and goes on in a new epoch: so do durable streams.
    package mutating func raise(_ epoch: Epoch) {
        guard epoch != durableEpoch else { return }
        durableEpoch = epoch
        for place in streams.indices where streams[place].isDurable { streams[place].raise(epoch) }
    }

    /// What comes before these events is stored no more.
    package mutating func forget(before firsts: [Channel: UInt64]) {
        for (channel, first) in firsts {
            guard let place = places[channel.stream] else { continue }
            streams[place].forget(lane: channel.lane, before: first)
        }
    }

    /// The storage has answered.
    package mutating func answered(
        _ request: StoredRequest, with answer: StoredAnswer
    ) -> [Effect] {
        guard let route = sessions.route(of: request.session),
            let place = places[request.fetch.stream],
            let channel = streams[place][request.fetch.lane]
        else { return [] }
        let outcome = channel.answer(
            request.fetch, with: answer, budget: fetchBytes, room: answerRoom)
        guard case .frames(let frames, let end) = outcome else { return [] }
        let next = request.next(
            behind: frames, end, of: channel, budget: fetchBytes, room: answerRoom)
        guard let next else {
            return effects(
                of: .frames(frames, request.ended(behind: frames, end)), request, route)
        }
        return effects(of: frames, to: request, route) + [.ask(next)]
    }

    /// Says something to the peer of a session, if it is still there.
    package func say(_ message: SessionMessage) -> [Effect] {
        guard let route = sessions.route(of: message.session) else { return [] }
        return [.send(to: route, message.multipart)]
    }

    /// The frames of a channel of its own that are kept in memory.
    package func ringFrames(of channel: Channel) -> [SealedFrame] { ringFrames(of: channel.place) }

    /// The frames of a channel that are kept in memory.
    func ringFrames(of channel: ChannelPlace) -> [SealedFrame] {
        places[channel.stream].flatMap { streams[$0][channel.lane] }?.ringFrames ?? []
    }

    /// The channels of a stream that there are.
    func channels(of stream: StreamName) -> [PublisherChannel] {
        guard let place = places[stream] else { return [] }
        return streams[place].laneNumbers.compactMap { streams[place][$0] }
    }

    /// A producer's request is answered.
    package func answered(_ answer: ProducerAnswer) -> [Effect] {
        guard let route = sessions.route(of: answer.session) else { return [] }
        return [.send(to: route, answer.message.multipart)]
    }

    /// A message came to the service socket from this routing id.
    package mutating func receive(
        _ message: Multipart, from route: Bytes, at now: MonotonicTime
    ) -> [Effect] {
        carryOut(sessions.handle(.received(from: route, SessionMessage(message)), at: now))
    }

    /// Time has passed: beats are due, and sessions may be dead.
    package mutating func tick(at now: MonotonicTime) -> [Effect] {
        var effects = carryOut(sessions.handle(.tick, at: now))
        if isNewsOfPeers {
            isNewsOfPeers = false
            let peers = peers
            effects += sessions.routes.map { session, route in
                .send(to: route, SessionMessage.peers(session: session, peers).multipart)
            }
        }
        for place in order {
            effects += streams[place].beats(at: now).map { .publish($0) }
        }
        return effects
    }

    /// This node reads from another one, of which all others are told.
    package mutating func add(peer endpoint: String) {
        isNewsOfPeers = isNewsOfPeers || !peers.contains(endpoint)
        if !ownPeers.contains(endpoint) { ownPeers.append(endpoint) }
    }

    /// It does not any more.
    package mutating func remove(peer endpoint: String) { ownPeers.removeAll { $0 == endpoint } }

    /// The service endpoints of the nodes that are there, each once.
    private var peers: [String] {
        let known = ownPeers + readerEndpoints.sorted { $0.key < $1.key }.map(\.value)
        var seen: Set<String> = []
        return Array(known.filter { seen.insert($0).inserted }.prefix(Limits.peersMax))
    }

    /// What is said to all peers before the node goes.
    package func close() -> [Effect] {
        sessions.routes.map { session, route in
            let message = SessionMessage.bye(
                session: session, Goodbye(code: .closing, text: "The node closes."))
            return .send(to: route, message.multipart)
        }
    }
}

extension FanoutPublisher {
    private mutating func carryOut(_ effects: [SessionTable.Effect]) -> [Effect] {
        var result: [Effect] = []
        for effect in effects {
            switch effect {
            case .send(let route, let message):
                result.append(.send(to: route, message.multipart))
            case .welcome(let route, let session, let hello):
                reading[session] = hello.streams
                readerChanges &+= 1
                if !hello.endpoint.isEmpty, hello.instance.node != instance.node {
                    isNewsOfPeers = isNewsOfPeers || !peers.contains(hello.endpoint)
                    readerEndpoints[session] = hello.endpoint
                }
                for place in order where hello.streams.contains(streams[place].name) {
                    streams[place].began(session: session)
                }
                let message = SessionMessage.welcome(session: session, welcome(hello))
                result.append(.send(to: route, message.multipart))
            case .fetch(let route, let session, let fetch):
                result += answer(fetch, session, route)
            case .submit(let request): result.append(.submit(request))
            case .worker(let news): result.append(.worker(news))
            case .pulled(let peer, let report): result.append(.pulled(peer, report))
            case .ask(let session, let inquiry):
                result.append(.inquire(session: session, inquiry))
            case .reached(let session, let reached):
                for channel in reached {
                    guard let place = places[channel.stream] else { continue }
                    streams[place].reached(
                        channel.sequence, lane: channel.lane, session: session)
                }
            case .closed(let session, _):
                reading[session] = nil
                readerEndpoints[session] = nil
                readerChanges &+= 1
                for place in order { streams[place].ended(session: session) }
            }
        }
        return result
    }

    /// What a newcomer is told: the channels of the streams that it reads.
    private func welcome(_ hello: Hello) -> Welcome {
        var states: [Welcome.ChannelState] = []
        for place in order where hello.streams.contains(streams[place].name) {
            let stream = streams[place]
            states += stream.laneNumbers.compactMap { lane in
                stream[lane].map {
                    Welcome.ChannelState(
                        stream: stream.name, lane: lane, first: $0.first, next: $0.next,
                        durableEpoch: $0.isDurable ? $0.epoch : nil)
                }
            }
        }
        return Welcome(
            nonce: hello.nonce, instance: instance, name: name, dataEndpoint: dataEndpoint,
            pushEndpoint: pushed.text, eventBytesMax: UInt64(Limits.eventBytesMax),
            channels: states,
            peers: peers)
    }

    private func answer(_ fetch: Fetch, _ session: UInt64, _ route: Bytes) -> [Effect] {
        guard let place = places[fetch.stream], let channel = streams[place][fetch.lane] else {
            let end = FetchEnd(
                request: fetch.request, reason: .unknown, epoch: instance.epoch, next: 1)
            return [.send(to: route, SessionMessage.end(session: session, end).multipart)]
        }
        let answer = channel.answer(fetch, budget: fetchBytes, room: answerRoom)
        var question: StoredAnswer.Question?
        if case .stored(let asked) = answer { question = asked }
        let request = StoredRequest(
            session: session, fetch: fetch, channel: channel.channel, question: question)
        return effects(of: answer, request, route)
    }

    private func effects(
        of answer: PublisherChannel.Answer, _ request: StoredRequest, _ route: Bytes
    ) -> [Effect] {
        guard case .frames(let frames, let end) = answer else { return [.ask(request)] }
        return effects(of: frames, to: request, route)
            + [.send(to: route, SessionMessage.end(session: request.session, end).multipart)]
    }

    private func effects(
        of frames: [SealedFrame], to request: StoredRequest, _ route: Bytes
    ) -> [Effect] {
        var effects: [Effect] = []
        var rest = frames[...]
        while !rest.isEmpty {
            var byteCount = 0
            let some = rest.prefix(Limits.messageFrames).prefix { frame in
                defer { byteCount += frame.bytes.count }
                return byteCount < Limits.fetchMessageBytes
            }
            let message = SessionMessage.frames(
                session: request.session, request: request.fetch.request, some.map(\.bytes))
            effects.append(.send(to: route, message.multipart))
            rest = rest.dropFirst(some.count)
        }
        return effects
    }
}

/// Where a channel is found: its stream and its lane.
struct ChannelPlace: Hashable, Comparable {
    let stream: StreamName
    let lane: Int

    static func < (left: ChannelPlace, right: ChannelPlace) -> Bool {
        left.stream == right.stream
            ? left.lane < right.lane : left.stream.precedes(right.stream)
    }
}
