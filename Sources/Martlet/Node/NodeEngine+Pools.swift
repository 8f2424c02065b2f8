internal import MartletDelivery
internal import MartletSockets

/// The pools that work here.
extension NodeEngine {
    func add(_ pool: PoolCore) throws(MartletError) {
        guard !pools.contains(where: { $0.pool.group == pool.pool.group }) else {
            throw MartletError(
                .wrongState,
                "The node runs a pool of the group `\(pool.pool.group)` already. Give that one "
                    + "more width, or run the other on another node.")
        }
        let now = NodeClock.now
        addItself(at: now)
        pools.append(pool)
        for peer in peers where peer.isActive { begin(pool, peer, at: now) }
        flush(pool)
    }

    func remove(_ pool: PoolCore) {
        pools.removeAll { $0 === pool }
        pool.changes.close()
    }

    private func begin(_ pool: PoolCore, _ peer: PeerConnection, at now: MonotonicTime) {
        guard let instance = peer.machine.liveInstance, let session = peer.machine.liveSession
        else { return }
        let lastEchoed = peer.machine.lastEchoed
        pool.change { worker in
            worker.began(session, with: instance, peer: peer.number, at: now)
            if let lastEchoed { worker.echoed(lastEchoed, peer: peer.number, at: now) }
        }
    }

    /// A session with a publisher has begun.
    func beginWork(at peer: PeerConnection, at now: MonotonicTime) {
        for pool in pools { begin(pool, peer, at: now) }
    }

    /// It is over.
    func loseWork(at peer: PeerConnection) {
        let now = NodeClock.now
        for pool in pools { pool.change { $0.lost(peer: peer.number, at: now) } }
    }

    /// The publisher is forgotten.
    func forgetWork(at peer: PeerConnection) {
        for pool in pools { pool.change { $0.remove(peer: peer.number) } }
    }

    func take(_ message: SessionMessage, from peer: PeerConnection, at now: MonotonicTime) {
        for pool in pools {
            pool.change { $0.receive(message, from: peer.number, at: now) }
        }
        if case .joined = message { for pool in pools { pool.changes.raise() } }
    }

    func noteEcho(_ sent: MonotonicTime, from peer: PeerConnection, at now: MonotonicTime) {
        for pool in pools { pool.change { $0.echoed(sent, peer: peer.number, at: now) } }
    }

    /// Says what the pools have to say.
    func flushPools(ticking: Bool, at now: MonotonicTime) {
        for pool in pools {
            send(pool.takeMessages(ticking: ticking, at: now))
            if ticking { pool.changes.expire(at: now) }
        }
    }

    func flush(_ pool: PoolCore) {
        send(pool.takeMessages(ticking: false, at: NodeClock.now))
    }

    private func send(_ messages: [(peer: Int, SessionMessage)]) {
        for (number, message) in messages {
            peers.first { $0.number == number }?.send(message.multipart)
        }
    }
}
