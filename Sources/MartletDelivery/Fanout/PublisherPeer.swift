/// A publisher as a node sees it that reads there: the session, and the subscriptions that share
/// it.
package struct PublisherPeer {
    /// What is to be done.
    package enum Effect: Sendable {
        /// Send a message to the publisher's service socket.
        case send(Multipart)
        /// Take a fresh socket to the service endpoint after this time, and say so with
        /// `connected`.
        case reconnect(after: Duration)
        /// A session has begun: what the publisher says of itself.
        case began(Welcome)
        /// A subscription wants something done.
        case reader(UInt16, FanoutReader.Effect)
        /// The publisher says something about work.
        case work(SessionMessage)
        /// The publisher has heard what this node had sent at this moment.
        case echoed(MonotonicTime)
        /// The publisher knows of other nodes.
        case peers([String])
        /// The publisher is this node itself.
        case itself
        /// No session will come about.
        case fail(MartletError)
    }

    private var session: PeerSession
    private var readers: [(number: UInt16, reader: FanoutReader)] = []
    /// Where each channel's consumers have got to: with several subscriptions, the slowest.
    private var progress: [ChannelPlace: [UInt16: UInt64]] = [:]
    private var moved: Set<ChannelPlace> = []
    private var unreported = (bytes: 0, frames: 0)
    private var publisher: Instance?
    /// The frame that came last: the next is likely to be like it.
    private var latest: Frame?

    /// Frames and messages that could not be read, or were of nobody's use.
    package private(set) var refused: UInt64 = 0

    /// A node that has no session with the publisher yet.
    package init(
        _ instance: Instance, named name: String, listeningAt endpoint: String = "",
        isOwn: Bool = false
    ) {
        session = PeerSession(instance, named: name, listeningAt: endpoint, isOwn: isOwn)
    }

    /// Whose session it is, while there is one.
    package var liveInstance: Instance? { session.live?.instance }

    /// Whether there is a session.
    package var isLive: Bool { session.live != nil }

    /// Whether something should come over PUB twice a second.
    package var expectsBeats: Bool { isLive && readers.contains { $0.reader.expectsBeats } }

    /// When the message was sent that the publisher is known to have heard last.
    package var lastEchoed: MonotonicTime? { session.lastEchoed }

    /// The number of the session; nil while there is none.
    package var liveSession: UInt64? { session.live?.session }

    /// How many bytes of frames are kept or handed out.
    package var byteCount: Int { readers.reduce(0) { $0 + $1.reader.byteCount } }

    /// What is read by any of the subscriptions.
    package var streams: StreamSelection {
        readers.reduce(StreamSelection([])) { $0.union($1.reader.streams) }
    }

    /// A subscription begins, with the number that its requests have. Where a socket is there,
    /// greet anew with `connected`: the publisher's answer says where its channels stand.
    package mutating func add(_ reader: FanoutReader, numbered number: UInt16) {
        precondition(!readers.contains { $0.number == number })
        readers.append((number, reader))
    }

    /// A subscription that is not in force here yet is to begin elsewhere.
    package mutating func move(reader number: UInt16, to start: FanoutReader.Start) {
        guard let index = readers.firstIndex(where: { $0.number == number }) else { return }
        readers[index].reader.move(to: start)
    }

    /// A subscription ends.
    package mutating func remove(reader number: UInt16) {
        readers.removeAll { $0.number == number }
        for place in progress.keys where progress[place]?.removeValue(forKey: number) != nil {
            // The others may be further on.
            moved.insert(place)
        }
    }

    /// The subscription with this number.
    package func reader(_ number: UInt16) -> FanoutReader? {
        readers.first { $0.number == number }?.reader
    }

    /// A fresh socket is there, or a subscription more. The number is one that no other HELLO of
    /// this node has.
    package mutating func connected(nonce: UInt64, at now: MonotonicTime) -> [Effect] {
        for place in readers.indices {
            readers[place].reader.detached(afterGoodbye: session.hasLeft, at: now)
        }
        return carryOut(
            session.handle(.connected(nonce: nonce, reading: streams), at: now), at: now)
    }

    /// A message came from the service socket. Where a session begins, `known` is asked how far a
    /// subscription has got with that node elsewhere.
    package mutating func receive(
        _ message: Multipart, at now: MonotonicTime,
        knowing known: (Instance, _ reader: UInt16) -> [Position] = { _, _ in [] }
    ) -> [Effect] {
        carryOut(
            session.handle(.received(SessionMessage(message)), at: now), at: now, knowing: known)
    }

    /// A message came over PUB.
    package mutating func receive(published bytes: Bytes, at now: MonotonicTime) -> [Effect] {
        guard let frame = try? Frame(bytes, like: latest), frame.channel.node == publisher?.node
        else {
            refused += 1
            return []
        }
        latest = frame
        var effects: [Effect] = []
        for place in readers.indices {
            let number = readers[place].number
            if readers[place].reader.pass(frame) {
                effects.append(.reader(number, .deliver(frame, from: frame.sequences.lowerBound)))
            } else {
                effects += tagged(
                    number, readers[place].reader.receive(published: frame, at: now))
            }
        }
        return effects
    }

    /// A subscription's consumer is done with a frame, of which the last event had this number.
    package mutating func consumed(
        _ frame: Frame, by number: UInt16, at now: MonotonicTime
    ) -> [Effect] {
        guard let index = readers.firstIndex(where: { $0.number == number }) else { return [] }
        let effects = tagged(
            number,
            readers[index].reader.consumed(frame.bytes.count, of: frame.channel, at: now))
        note(
            frame.sequences.upperBound - 1, in: frame.channel,
            frame.header.isDurable ? nil : frame.header.epoch, by: number)
        unreported.bytes += frame.bytes.count
        unreported.frames += 1
        // Half of the window: a report wakes the publisher's thread.
        guard
            unreported.bytes >= Limits.reportBytes
                || unreported.frames >= Limits.windowFrames / 2
        else { return effects }
        return effects + carryOut(session.handle(.reached(takeReached()), at: now), at: now)
    }

    /// Time has passed.
    package mutating func tick(at now: MonotonicTime) -> [Effect] {
        let reached = session.isBeatDue(at: now) ? takeReached() : []
        var effects = carryOut(session.handle(.tick(reached), at: now), at: now)
        // Who waits for this node's consumers need not wait for the next beat.
        if !moved.isEmpty, isLive {
            effects += carryOut(session.handle(.reached(takeReached()), at: now), at: now)
        }
        for place in readers.indices {
            effects += tagged(readers[place].number, readers[place].reader.tick(at: now))
        }
        return effects
    }

    /// What is lost if the publisher never comes back. If it has said that it closes, it is known
    /// where its channels end.
    package var losses: [Effect] {
        readers.flatMap { number, reader in
            reader.losses(withEndKnown: session.hasLeft, because: .unreachable)
                .map { .reader(number, $0) }
        }
    }

    /// What is said to the publisher before the node goes.
    package func close() -> [Effect] {
        guard let live = session.live else { return [] }
        let goodbye = Goodbye(code: .closing, text: "")
        return [.send(SessionMessage.bye(session: live.session, goodbye).multipart)]
    }
}

extension PublisherPeer {
    /// Where a subscription's consumer stands, to be reported. Durable channels have numbers that
    /// mean the same in all epochs.
    private mutating func note(
        _ sequence: UInt64, in channel: Channel, _ epoch: Epoch?, by number: UInt16
    ) {
        guard channel.node == publisher?.node, epoch == nil || epoch == publisher?.epoch else {
            return
        }
        let place = ChannelPlace(stream: channel.stream, lane: channel.lane)
        progress[place, default: [:]][number] = sequence
        moved.insert(place)
    }

    private mutating func takeReached() -> [Reached] {
        defer {
            moved = []
            unreported = (0, 0)
        }
        return moved.sorted().compactMap { place in
            progress[place]?.values.min().map {
                Reached(stream: place.stream, lane: place.lane, sequence: $0)
            }
        }
    }

    private mutating func tagged(
        _ number: UInt16, _ effects: [FanoutReader.Effect]
    ) -> [Effect] {
        effects.compactMap { effect in
            if case .started(let channel, let epoch, let next) = effect {
                note(next - 1, in: channel, epoch, by: number)
            }
            guard case .fetch(let fetch) = effect else { return .reader(number, effect) }
            return session.live.map {
                .send(SessionMessage.fetch(session: $0.session, fetch).multipart)
            }
        }
    }

    private mutating func carryOut(
        _ effects: [PeerSession.Effect], at now: MonotonicTime,
        knowing known: (Instance, UInt16) -> [Position] = { _, _ in [] }
    ) -> [Effect] {
        var result: [Effect] = []
        for effect in effects {
            switch effect {
            case .send(let message): result.append(.send(message.multipart))
            case .began(let welcome): result += [.began(welcome)] + begin(welcome, at: now, known)
            case .forward(.frames(_, let request, let frames)):
                for bytes in frames { result += fetched(bytes, request, at: now) }
            case .forward(.end(_, let end)):
                guard let index = index(of: end.request) else { break }
                result += tagged(
                    readers[index].number, readers[index].reader.answered(end, at: now))
            case .forward(let message): result.append(.work(message))
            case .echoed(let sent): result.append(.echoed(sent))
            case .reconnect(let pause):
                for place in readers.indices {
                    readers[place].reader.detached(afterGoodbye: session.hasLeft, at: now)
                }
                result.append(.reconnect(after: pause))
            case .peers(let peers): result.append(.peers(peers))
            case .itself: result.append(.itself)
            case .fail(let error): result.append(.fail(error))
            }
        }
        return result
    }

    private mutating func begin(
        _ welcome: Welcome, at now: MonotonicTime, _ known: (Instance, UInt16) -> [Position]
    ) -> [Effect] {
        if publisher != welcome.instance {
            progress = [:]
        }
        if publisher?.node != welcome.instance.node {
            for place in readers.indices {
                readers[place].reader.resume(known(welcome.instance, readers[place].number))
            }
        }
        // A session begins without knowing how far its reader is.
        moved = Set(progress.keys)
        publisher = welcome.instance
        var effects: [Effect] = []
        for place in readers.indices {
            effects += tagged(
                readers[place].number, readers[place].reader.attached(welcome, at: now))
        }
        return effects
    }

    private mutating func fetched(
        _ bytes: Bytes, _ request: UInt64, at now: MonotonicTime
    ) -> [Effect] {
        guard let index = index(of: request), let frame = try? Frame(bytes, like: latest) else {
            refused += 1
            return []
        }
        return tagged(
            readers[index].number,
            readers[index].reader.receive(fetched: frame, request: request, at: now))
    }

    private func index(of request: UInt64) -> Int? {
        readers.firstIndex { UInt64($0.number) == request >> FanoutReader.readerShift }
    }
}
