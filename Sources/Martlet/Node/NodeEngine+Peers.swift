internal import MartletDelivery
internal import MartletSockets

/// Whom it reads from.
extension NodeEngine {
    /// Addresses at which a peer may be. Those that are known already stay. Where they are those of
    /// a name, a peer that does not answer and whose address the name has no more is looked for at
    /// a new one.
    func add(
        peers endpoints: [Endpoint], from origin: PeerConnection.Origin,
        foundUnder name: Endpoint? = nil, on loop: isolated SocketLoop
    ) {
        let now = NodeClock.now
        var isNews = false
        for endpoint in endpoints where endpoint.description != advertised {
            guard endpoint != ownEndpoint,
                peers.reduce(0, { $0 + $1.endpoints.count }) < Limits.peersMax
            else { continue }
            if let known = peers.first(where: { $0.endpoints.contains(endpoint) }) {
                known.note(origin, foundUnder: name)
                continue
            }
            isNews = true
            nextTick = now
            if let name, let peer = lostPeer(of: name, whichHas: endpoints) {
                for old in peer.endpoints { core?.remove(peer: old.description) }
                peer.move(to: endpoint, at: now, on: loop)
                remember(peer)
                continue
            }
            lastPeer += 1
            var machine = PublisherPeer(
                instance, named: configuration.name, listeningAt: advertised)
            for number in order { add(number, to: &machine) }
            peers.append(
                PeerConnection(
                    lastPeer, endpoint, machine, from: origin, foundUnder: name, at: now))
        }
        if isNews { changes.raise() }
    }

    private func lostPeer(of name: Endpoint, whichHas endpoints: [Endpoint]) -> PeerConnection? {
        peers.first { peer in
            // An address that is configured stays where it is.
            peer.foundUnder == name && peer.origin != .configured && peer.isActive
                && !peer.machine.isLive
                && !peer.endpoints.contains { endpoints.contains($0) }
        }
    }

    /// Whether peers that were found by their names do not answer.
    var hasLostPeers: Bool {
        peers.contains { $0.foundUnder != nil && $0.isActive && !$0.machine.isLive }
    }

    /// A node that publishes reads itself as it reads others.
    func addItself(at now: MonotonicTime) {
        guard let core, let ownEndpoint, !peers.contains(where: \.isOwn) else { return }
        lastPeer += 1
        let machine = PublisherPeer(
            instance, named: configuration.name, listeningAt: advertised, isOwn: true)
        let nonces = UInt32.random(in: 1 ... .max)
        core.expectOwn(nonces: nonces)
        peers.append(
            PeerConnection(
                lastPeer, ownEndpoint, machine, from: .configured, at: now, ownNonces: nonces))
        nextTick = now
    }

    /// A peer whose address is not configured has not been there for long.
    func forget(
        _ peer: PeerConnection, at now: MonotonicTime, on loop: isolated SocketLoop
    ) {
        carryOut(peer.machine.losses, of: peer, at: now, on: loop)
        remember(peer)
        drop(peer, on: loop)
        changes.raise()
    }

    /// How far subscriptions have got there, should the node be found again.
    func remember(_ peer: PeerConnection) {
        for number in order {
            readings[number]?.resumed.add(peer.machine.reader(number)?.delivered ?? [])
        }
    }

    private func drop(_ peer: PeerConnection, on loop: isolated SocketLoop) {
        peer.close(.superfluous, on: loop)
        forgetWork(at: peer)
        peers.removeAll { $0 === peer }
        for endpoint in peer.endpoints { core?.remove(peer: endpoint.description) }
    }

    /// How far a subscription has got with a node that is known by another address, where it was
    /// before it came back elsewhere.
    func positions(
        of instance: Instance, _ number: UInt16, besides peer: PeerConnection
    ) -> [Position] {
        peers.filter { $0 !== peer && $0.isActive }.flatMap { other in
            (other.machine.reader(number)?.delivered ?? [])
                .filter { $0.channel.node == instance.node }
        }
    }

    /// The node has come back here, before anybody had noticed that it had left where it was.
    func dropEarlier(than peer: PeerConnection, _ instance: Instance, on loop: isolated SocketLoop)
    {
        for other in peers
        where other !== peer && other.isActive && !other.isOwn
            && other.welcome?.instance.node == instance.node
        {
            remember(other)
            drop(other, on: loop)
            // An address that is configured is tried again when this one fails.
            if other.origin == .configured { peer.takeOver(other) }
        }
    }

    /// One name with several addresses, or two names, of one node: they become one peer. False if
    /// the node is known by no other.
    func merge(
        _ peer: PeerConnection, _ instance: Instance, on loop: isolated SocketLoop
    ) -> Bool {
        let known = peers.first {
            $0 !== peer && $0.isActive && $0.machine.liveInstance == instance
        }
        guard let known else { return false }
        drop(peer, on: loop)
        // The node itself is there at the address that it has bound.
        if !known.isOwn { known.takeOver(peer) }
        changes.raise()
        return true
    }

    /// A session is about to begin with this instance. If that is another node than before, the
    /// peer's other addresses may still lead to the one before.
    func split(_ peer: PeerConnection, for instance: Instance, on loop: isolated SocketLoop) {
        guard let before = peer.welcome?.instance, before.node != instance.node else { return }
        add(peers: peer.takeOthers(), from: peer.origin, on: loop)
    }

    /// Other nodes that a peer knows. Names are looked up by whoever listens to `unresolved`.
    func learn(
        _ texts: [String], at now: MonotonicTime, on loop: isolated SocketLoop
    ) {
        for text in texts {
            guard let endpoint = try? Endpoint(text), text != advertised else { continue }
            if endpoint.hasHostName {
                guard unresolved.count < Limits.peersMax, unresolved.insert(text).inserted else {
                    continue
                }
                changes.raise()
            } else {
                add(peers: [endpoint], from: .learned, on: loop)
            }
        }
    }
}
