internal import MartletDelivery
internal import MartletSockets

/// Whom it reads from.
extension NodeEngine {
    /// Addresses at which a peer may be. Those that are known already stay.
    func add(
        peers endpoints: [Endpoint], isLearned: Bool, on loop: isolated SocketLoop
    ) {
        let now = NodeClock.now
        for endpoint in endpoints where endpoint.description != advertised {
            guard endpoint != ownEndpoint, !peers.contains(where: { $0.endpoint == endpoint }),
                peers.count < Limits.peersMax
            else { continue }
            lastPeer += 1
            var machine = PublisherPeer(
                instance, named: configuration.name, listeningAt: advertised)
            for number in order { add(number, to: &machine) }
            peers.append(PeerConnection(lastPeer, endpoint, machine, isLearned: isLearned, at: now))
            nextTick = now
        }
        changes.raise()
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
            PeerConnection(lastPeer, ownEndpoint, machine, at: now, ownNonces: nonces))
        nextTick = now
    }

    /// A peer that others have told of has not been there for long.
    func forget(
        _ peer: PeerConnection, at now: MonotonicTime, on loop: isolated SocketLoop
    ) {
        carryOut(peer.machine.losses, of: peer, at: now, on: loop)
        for number in order {
            readings[number]?.resumed.add(peer.machine.reader(number)?.delivered ?? [])
        }
        peer.close(.superfluous, on: loop)
        peers.removeAll { $0 === peer }
        core?.remove(peer: peer.endpoint.description)
        changes.raise()
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
                add(peers: [endpoint], isLearned: true, on: loop)
            }
        }
    }
}
