internal import MartletDelivery
internal import MartletSockets

/// What a node does on the loop's thread: it serves its readers, and reads from its peers.
///
/// Nothing here waits, and no code of users runs.
final class NodeEngine: LoopDriver {
    let instance: Instance
    let configuration: NodeConfiguration
    /// Raised when a subscription has come into force, or a peer has come or gone.
    let changes = ChangeSignal()
    let advertised: String
    /// Where it reaches itself; nil if it does not listen.
    let ownEndpoint: Endpoint?
    let core: PublishingCore?
    private let service: ZeroMQLink<Router>?
    var peers: [PeerConnection] = []
    var lastPeer = 0
    var readings: [UInt16: Reading] = [:]
    var order: [UInt16] = []
    /// Those for whom something has come since things were handed over last.
    private var expecting: [Reading] = []
    var lastReading: UInt16 = 0
    /// What works here.
    var pools: [PoolCore] = []
    var pulls: [PullCore] = []
    /// Some subscription must not fall behind.
    var mayFail = false
    /// Endpoints with host names that peers have told of, to be looked up.
    var unresolved: Set<String> = []
    var nextTick = MonotonicTime(microseconds: 0)

    /// Short enough that a reader's report, or a peer's pause, ends soon after it is due.
    static let tickInterval = Duration.milliseconds(50)

    init(
        _ instance: Instance, _ configuration: NodeConfiguration, advertised: String,
        ownEndpoint: Endpoint?, core: PublishingCore?, service: ZeroMQLink<Router>?
    ) {
        self.instance = instance
        self.configuration = configuration
        self.advertised = advertised
        self.ownEndpoint = ownEndpoint
        self.core = core
        self.service = service
    }

    // MARK: The loop

    func deliver(on loop: isolated SocketLoop) {
        let now = NodeClock.now
        for peer in peers where peer.isActive {
            read(from: peer, at: now, on: loop)
        }
        takePulled()
        hand()
    }

    /// Answers the readers and producers.
    func serve(isIdle: Bool, on loop: isolated SocketLoop) -> (any LoopErrand)? {
        guard let core, let service else { return nil }
        for message in service.takeReceived() {
            guard let body = message.rest.first else { continue }
            let inner = Multipart(first: body, rest: Array(message.rest.dropFirst()))
            core.send(core.receive(inner, from: message.first, answerRoom: service.room))
        }
        return core.takeErrand(isIdle: isIdle)
    }

    func turn(on loop: isolated SocketLoop) -> ContinuousClock.Instant {
        let now = NodeClock.now
        takePulled()
        finish(at: now, on: loop)
        if now >= nextTick || peers.contains(where: { $0.isDue(at: now) }) {
            nextTick = now + NodeEngine.tickInterval
            tick(at: now, on: loop)
            flushPools(ticking: true, at: now)
            reportPulls()
        } else {
            flushPools(ticking: false, at: now)
        }
        hand()
        var due = nextTick
        switch core?.publishAll(at: now) ?? .all {
        case .all: break
        case .some: due = now
        case .until(let moment): due = min(due, moment)
        }
        for peer in peers { if let deadline = peer.deadline { due = min(due, deadline) } }
        return .now + now.duration(to: due)
    }

    private func read(
        from peer: PeerConnection, at now: MonotonicTime, on loop: isolated SocketLoop
    ) {
        for message in peer.takeMessages() {
            let effects = peer.machine.receive(message, at: now) { instance, number in
                positions(of: instance, number, besides: peer)
            }
            carryOut(effects, of: peer, at: now, on: loop)
        }
        for message in peer.takeFrames() where message.rest.isEmpty {
            carryOut(
                peer.machine.receive(published: message.first, at: now), of: peer, at: now, on: loop
            )
        }
        endThoseBehind(peer)
    }

    /// What consumers are done with.
    private func finish(at now: MonotonicTime, on loop: isolated SocketLoop) {
        for number in order {
            guard let reading = readings[number] else { continue }
            for finished in reading.source.queue.takeFinished() {
                guard let peer = peers.first(where: { $0.number == finished.peer }) else {
                    continue
                }
                let effects = peer.machine.consumed(finished.frame, by: number, at: now)
                carryOut(effects, of: peer, at: now, on: loop)
            }
        }
    }

    private func tick(at now: MonotonicTime, on loop: isolated SocketLoop) {
        if let core { core.send(core.tick()) }
        changes.expire(at: now)
        for peer in peers where peer.isActive {
            // Another address may lead to another node.
            if peer.endpoints.count > 1, peer.isDue(at: now) { remember(peer) }
            do throws(MartletError) {
                carryOut(try peer.connectIfDue(at: now, on: loop), of: peer, at: now, on: loop)
                try peer.watchData(on: loop)
            } catch { fail(peer, because: error, on: loop) }
            carryOut(peer.machine.tick(at: now), of: peer, at: now, on: loop)
        }
        for peer in peers
        where peer.isActive && peer.isGone(at: now, after: configuration.learnedPeerPatience) {
            forget(peer, at: now, on: loop)
        }
        for number in order { checkReadiness(of: number, at: now) }
    }

    /// Keeps something for a consumer until the next `hand`.
    func keep(_ item: SubscriptionQueue.Item, for reading: Reading) {
        if reading.items.isEmpty { expecting.append(reading) }
        reading.items.append(item)
    }

    /// Gives the consumers what has come for them.
    private func hand() {
        guard !expecting.isEmpty else { return }
        for reading in expecting {
            reading.source.queue.push(reading.items)
            reading.items = []
        }
        expecting.removeAll(keepingCapacity: true)
    }
}

// MARK: - Effects

extension NodeEngine {
    func carryOut(
        _ effects: [PublisherPeer.Effect], of peer: PeerConnection, at now: MonotonicTime,
        on loop: isolated SocketLoop
    ) {
        for effect in effects {
            switch effect {
            case .send(let message): peer.send(message)
            case .reconnect(let pause):
                peer.reconnect(after: pause, at: now)
                loseWork(at: peer)
            case .began(let welcome): began(peer, welcome, on: loop)
            case .reader(let number, let effect): take(effect, number, of: peer, at: now)
            case .peers(let endpoints): learn(endpoints, at: now, on: loop)
            case .work(let message): take(message, from: peer, at: now)
            case .echoed(let sent): noteEcho(sent, from: peer, at: now)
            case .itself:
                peer.close(.superfluous, on: loop)
                changes.raise()
            case .fail(let error): fail(peer, because: error, on: loop)
            }
        }
    }

    private func began(
        _ peer: PeerConnection, _ welcome: Welcome, on loop: isolated SocketLoop
    ) {
        guard !merge(peer, welcome.instance, on: loop) else { return }
        dropEarlier(than: peer, welcome.instance, on: loop)
        split(peer, for: welcome.instance, on: loop)
        do throws(MartletError) { try peer.began(welcome, on: loop) } catch {
            fail(peer, because: error, on: loop)
            return
        }
        if !peer.isOwn { core?.add(peer: peer.endpoint.description) }
        beginWork(at: peer, at: NodeClock.now)
        pull(from: peer, on: loop)
        learn(welcome.peers, at: NodeClock.now, on: loop)
        changes.raise()
    }

    private func take(
        _ effect: FanoutReader.Effect, _ number: UInt16, of peer: PeerConnection,
        at now: MonotonicTime
    ) {
        guard let reading = readings[number] else { return }
        switch effect {
        case .deliver(let frame, let from):
            keep(.frame(frame, from: from, peer: peer.number), for: reading)
        case .fetched(let count): reading.source.addFetched(count)
        case .lost(let gap): keep(.gap(gap), for: reading)
        case .inForce:
            reading.inForce.insert(peer.number)
            checkReadiness(of: number, at: now)
        case .fail(let error): end(number, with: .failure(named(error, peer)))
        case .started, .fetch: break
        }
    }

    /// Ends subscriptions that must not fall behind and have.
    private func endThoseBehind(_ peer: PeerConnection) {
        guard mayFail else { return }
        for number in order where readings[number]?.buffering == .fail {
            guard peer.machine.reader(number)?.isBehind == true else { continue }
            let error = MartletError(
                .full,
                "The consumer is slower than what comes from \(peer.endpoint). Read faster, or "
                    + "choose another buffering.")
            end(number, with: .failure(error))
        }
    }

    func fail(
        _ peer: PeerConnection, because error: MartletError, on loop: isolated SocketLoop
    ) {
        let error = named(error, peer)
        peer.close(.failed(error), on: loop)
        // What others have told of may be wrong without harm.
        if peer.origin != .learned { for number in order { end(number, with: .failure(error)) } }
        changes.raise()
    }

    private func named(_ error: MartletError, _ peer: PeerConnection) -> MartletError {
        let name = peer.welcome.map { " (\($0.name))" } ?? ""
        return MartletError(
            error.code, "\(peer.endpoint)\(name): \(error.message)", cause: error.cause,
            isRetriable: error.isRetriable)
    }

    func end(_ number: UInt16, with ending: Result<Void, MartletError>) {
        hand()
        readings[number]?.source.queue.end(with: ending)
        readings[number]?.hasEnded = true
        changes.raise()
    }
}

// MARK: - The end

extension NodeEngine {
    /// Says goodbye to everybody, and ends every subscription.
    func close(on loop: isolated SocketLoop) {
        for number in order { end(number, with: .success(())) }
        flushPools(ticking: false, at: NodeClock.now)
        for pool in pools { pool.changes.close() }
        for pool in pulls { pool.changes.close() }
        for peer in peers {
            for case .send(let message) in peer.machine.close() { peer.send(message) }
        }
        if let core { core.send(core.close()) }
        changes.close()
    }
}
