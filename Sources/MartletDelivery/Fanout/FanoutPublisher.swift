/// A node as a publisher: its channels, and the sessions of those who read them.
///
/// It decides and does nothing: frames go in, and what is to be published and sent comes out.
package struct FanoutPublisher {
    /// What is to be done.
    package enum Effect: Sendable {
        /// Publish the bytes to all who subscribe: a frame or a beat, one message of one part.
        case publish(Bytes)
        /// Send a message to this routing id.
        case send(to: Bytes, Multipart)
    }

    /// Where a channel is found: its stream and its lane.
    struct Place: Hashable, Comparable {
        let stream: StreamName
        let lane: Int

        static func < (left: Place, right: Place) -> Bool {
            left.stream == right.stream
                ? left.lane < right.lane
                : left.stream.text.utf8.lexicographicallyPrecedes(right.stream.text.utf8)
        }
    }

    private let instance: Instance
    private let name: String
    private let dataEndpoint: String
    private let ringBytes: Int
    private var sessions: SessionTable
    private var channels: [Place: PublisherChannel] = [:]
    /// The places of the channels in their order, in which everything is done.
    private var order: [Place] = []

    /// A publisher that starts, without channels yet.
    package init(
        _ instance: Instance, named name: String, dataEndpoint: String, firstSession: UInt64,
        ringBytes: Int = Limits.ringBytes
    ) {
        self.instance = instance
        self.name = name
        self.dataEndpoint = dataEndpoint
        self.ringBytes = ringBytes
        sessions = SessionTable(of: instance, firstNumber: firstSession)
    }

    /// How many sessions there are.
    package var sessionCount: Int { sessions.count }

    /// How many bytes of frames are kept for readers that missed them.
    package var ringByteCount: Int { channels.values.reduce(0) { $0 + $1.ringByteCount } }

    /// A frame has been sealed that follows the last one of its channel.
    package mutating func seal(_ frame: Frame, at now: MonotonicTime) -> [Effect] {
        let place = Place(stream: frame.channel.stream, lane: frame.channel.lane)
        if channels[place] == nil {
            channels[place] = PublisherChannel(
                frame.channel, instance.epoch, ringBytes: ringBytes)
            order.insert(place, at: order.firstIndex { place < $0 } ?? order.count)
        }
        channels[place]?.seal(frame, at: now)
        return [.publish(frame.bytes)]
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
        for place in order {
            if let beat = channels[place]?.beat(at: now) { effects.append(.publish(beat)) }
        }
        return effects
    }

    private func carryOut(_ effects: [SessionTable.Effect]) -> [Effect] {
        effects.flatMap { effect -> [Effect] in
            switch effect {
            case .send(let route, let message): return [.send(to: route, message.multipart)]
            case .welcome(let route, let session, let hello):
                let message = SessionMessage.welcome(session: session, welcome(hello))
                return [.send(to: route, message.multipart)]
            case .fetch(let route, let session, let fetch):
                return answer(fetch, session).map { .send(to: route, $0.multipart) }
            case .closed: return []
            }
        }
    }

    private func welcome(_ hello: Hello) -> Welcome {
        let states = order.compactMap { place in
            channels[place].map {
                Welcome.ChannelState(
                    stream: place.stream, lane: place.lane, first: $0.first, next: $0.next)
            }
        }
        return Welcome(
            nonce: hello.nonce, instance: instance, name: name, dataEndpoint: dataEndpoint,
            pushEndpoint: "", eventBytesMax: UInt64(Limits.eventBytesMax), channels: states,
            peers: [])
    }

    private func answer(_ fetch: Fetch, _ session: UInt64) -> [SessionMessage] {
        guard let channel = channels[Place(stream: fetch.stream, lane: fetch.lane)] else {
            let end = FetchEnd(
                request: fetch.request, reason: .unknown, epoch: instance.epoch, next: 1)
            return [.end(session: session, end)]
        }
        let (frames, end) = channel.answer(fetch)
        return frames.map { .frame(session: session, request: fetch.request, $0.bytes) }
            + [.end(session: session, end)]
    }
}
