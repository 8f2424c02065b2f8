/// A node as a reader of one publisher: the session with it, and the channels of the streams that
/// are subscribed to.
///
/// Channels that exist when the first session begins start where the subscription says. Those that
/// come later start with their first event, since the subscription was in force before.
package struct FanoutReader {
    /// What is to be done.
    package enum Effect: Sendable {
        /// Send a message to the publisher's service socket.
        case send(Multipart)
        /// Take a fresh socket to the service endpoint, and say so with `connected`.
        case reconnect
        /// A session has begun: what the publisher says of itself.
        case began(Welcome)
        /// A channel is being followed: every event from this number on comes, or is reported.
        case started(Channel, Epoch, next: UInt64)
        /// Hand the events of the frame from this number on to the consumer.
        case deliver(Frame, from: UInt64)
        /// Tell the consumer of events that are lost.
        case lost(Gap)
        /// The subscription cannot go on.
        case fail(MartletError)
    }

    private let streams: Set<StreamName>
    private let start: Fetch.Start
    private let bufferBytes: Int
    private let heldBytes: Int
    private var session: PeerSession
    private var channels: [FanoutPublisher.Place: SubscriberChannel] = [:]
    private var order: [FanoutPublisher.Place] = []
    /// The places in the order in which they came: the high bits of a request's number say which.
    private var numbered: [FanoutPublisher.Place] = []
    private static let requestBits: UInt64 = 40
    private var publisher: Instance?
    /// Whether there has been a session: what is new from then on begins at 1.
    private var isInForce = false

    /// Frames and messages that could not be read, or were of no use.
    package private(set) var refused: UInt64 = 0

    /// A subscription to streams of a publisher, from some point on.
    package init(
        _ instance: Instance, named name: String, to streams: Set<StreamName>,
        from start: Fetch.Start, bufferBytes: Int = Limits.linkBytes,
        heldBytes: Int = Limits.heldBytes
    ) {
        self.streams = streams
        self.start = start
        self.bufferBytes = bufferBytes
        self.heldBytes = heldBytes
        session = PeerSession(instance, named: name)
    }

    /// How many bytes of frames are kept or handed out.
    package var byteCount: Int { channels.values.reduce(0) { $0 + $1.byteCount } }

    /// The positions of the last events delivered, in the order of the channels.
    package var delivered: [(stream: StreamName, lane: Int, epoch: Epoch, sequence: UInt64)] {
        order.compactMap { place in
            channels[place]?.delivered.map { (place.stream, place.lane, $0.epoch, $0.sequence) }
        }
    }

    /// A fresh socket is there. The number is one that no other HELLO of this node has.
    package mutating func connected(nonce: UInt64, at now: MonotonicTime) -> [Effect] {
        carryOut(session.handle(.connected(nonce: nonce), at: now), at: now)
    }

    /// A message came from the service socket.
    package mutating func receive(_ message: Multipart, at now: MonotonicTime) -> [Effect] {
        carryOut(session.handle(.received(SessionMessage(message)), at: now), at: now)
    }

    /// A message came over PUB.
    package mutating func receive(published bytes: Bytes, at now: MonotonicTime) -> [Effect] {
        guard let frame = try? Frame(bytes), streams.contains(frame.channel.stream),
            frame.channel.node == publisher?.node
        else {
            refused += 1
            return []
        }
        let place = FanoutPublisher.Place(
            stream: frame.channel.stream, lane: frame.channel.lane)
        var effects: [Effect] = []
        if channels[place] == nil {
            // Without a session, nobody knows which epoch is the present one. The next WELCOME
            // tells of the channel.
            guard isInForce, let live = session.live else { return [] }
            effects += follow(
                place, live.instance, from: .behind(epoch: live.instance.epoch, sequence: 0),
                at: now)
        }
        return effects + handle(place, .published(frame), at: now)
    }

    /// The consumer has taken frames of so many bytes of a channel.
    package mutating func consumed(
        _ byteCount: Int, of channel: Channel, at now: MonotonicTime
    ) -> [Effect] {
        let place = FanoutPublisher.Place(stream: channel.stream, lane: channel.lane)
        return handle(place, .consumed(byteCount: byteCount), at: now)
    }

    /// Time has passed.
    package mutating func tick(at now: MonotonicTime) -> [Effect] {
        var effects = carryOut(session.handle(.tick, at: now), at: now)
        for place in order { effects += handle(place, .tick, at: now) }
        return effects
    }
}

extension FanoutReader {
    private mutating func follow(
        _ place: FanoutPublisher.Place, _ instance: Instance, from start: Fetch.Start,
        at now: MonotonicTime
    ) -> [Effect] {
        let channel = Channel(node: instance.node, stream: place.stream, lane: place.lane)
        channels[place] = SubscriberChannel(
            channel, from: start, bufferBytes: bufferBytes, heldBytes: heldBytes,
            requestsAfter: UInt64(numbered.count) << FanoutReader.requestBits)
        numbered.append(place)
        order.insert(place, at: order.firstIndex { place < $0 } ?? order.count)
        return handle(place, .attached(instance.epoch), at: now)
    }

    /// Where a channel begins that a WELCOME tells of. The WELCOME says where it stands: a request
    /// would be answered later, perhaps by another start of the publisher.
    private func beginning(of state: Welcome.ChannelState, _ epoch: Epoch) -> Fetch.Start {
        guard !isInForce else { return .behind(epoch: epoch, sequence: 0) }
        switch start {
        case .first: return .behind(epoch: epoch, sequence: state.first - 1)
        case .now: return .behind(epoch: epoch, sequence: state.next - 1)
        case .behind, .time: return start
        }
    }

    private mutating func carryOut(
        _ effects: [PeerSession.Effect], at now: MonotonicTime
    ) -> [Effect] {
        effects.flatMap { effect -> [Effect] in
            switch effect {
            case .send(let message): return [.send(message.multipart)]
            case .began(let welcome): return [.began(welcome)] + begin(welcome, at: now)
            case .forward(.frame(_, let request, let bytes)):
                guard let frame = try? Frame(bytes), frame.channel.node == publisher?.node else {
                    refused += 1
                    return []
                }
                let place = FanoutPublisher.Place(
                    stream: frame.channel.stream, lane: frame.channel.lane)
                return handle(place, .fetched(request: request, frame), at: now)
            case .forward(.end(_, let end)): return answered(end, at: now)
            case .forward: return []
            case .reconnect:
                for place in order { _ = handle(place, .detached, at: now) }
                return [.reconnect]
            case .fail(let error): return [.fail(error)]
            }
        }
    }

    private mutating func begin(_ welcome: Welcome, at now: MonotonicTime) -> [Effect] {
        if let publisher, publisher.node != welcome.instance.node {
            // Somebody else answers at this address now: nothing of the one before will come.
            return [
                .fail(
                    MartletError(
                        .failed,
                        "Another node answers at the address of the publisher. Subscribe anew."))
            ]
        }
        publisher = welcome.instance
        var effects: [Effect] = []
        for place in order { effects += handle(place, .attached(welcome.instance.epoch), at: now) }
        for state in welcome.channels where streams.contains(state.stream) {
            let place = FanoutPublisher.Place(stream: state.stream, lane: state.lane)
            guard channels[place] == nil else { continue }
            effects += follow(
                place, welcome.instance, from: beginning(of: state, welcome.instance.epoch),
                at: now)
        }
        isInForce = true
        return effects
    }

    /// Requests are numbered across channels, so that an answer finds its own.
    private mutating func answered(_ end: FetchEnd, at now: MonotonicTime) -> [Effect] {
        guard let place = requestPlace(end.request) else { return [] }
        return handle(place, .answered(end), at: now)
    }

    private func requestPlace(_ request: UInt64) -> FanoutPublisher.Place? {
        let number = request >> FanoutReader.requestBits
        return number < UInt64(numbered.count) ? numbered[Int(number)] : nil
    }

    private mutating func handle(
        _ place: FanoutPublisher.Place, _ input: SubscriberChannel.Input, at now: MonotonicTime
    ) -> [Effect] {
        guard let node = publisher?.node else { return [] }
        let channel = Channel(node: node, stream: place.stream, lane: place.lane)
        guard let effects = channels[place]?.handle(input, at: now) else { return [] }
        return effects.compactMap { effect in
            switch effect {
            case .started(let epoch, let next): return .started(channel, epoch, next: next)
            case .deliver(let frame, let from): return .deliver(frame, from: from)
            case .fetch(let fetch):
                return session.live.map {
                    .send(SessionMessage.fetch(session: $0.session, fetch).multipart)
                }
            case .lost(let gap): return .lost(gap)
            case .fail(let error): return .fail(error)
            }
        }
    }
}
