internal import MartletDelivery
internal import MartletSockets

/// The pools that pull here.
extension NodeEngine {
    func add(_ pool: PullCore, on loop: isolated SocketLoop) throws(MartletError) {
        let streams = pool.pool.patterns.map(\.stream)
        let isTaken = pulls.contains { other in
            streams.contains { stream in
                stream.map { other.pool.wants($0) } ?? true
                    || other.pool.patterns.contains { $0.stream == nil }
            }
        }
        guard !isTaken else {
            throw MartletError(
                .wrongState,
                "The node pulls one of these streams already. Give that pool more width, or run "
                    + "this one on another node.")
        }
        addItself(at: NodeClock.now)
        pulls.append(pool)
        for peer in peers where peer.isActive { pull(from: peer, on: loop) }
    }

    /// Nothing more is pulled for a pool.
    func stop(_ pool: PullCore, on loop: isolated SocketLoop) {
        for peer in peers { peer.stopPulling(on: loop) { pool.pool.wants($0) } }
    }

    func remove(_ pool: PullCore) {
        report(pool)
        pulls.removeAll { $0 === pool }
        pool.changes.close()
    }

    /// Takes the sockets of a peer that pools want.
    func pull(from peer: PeerConnection, on loop: isolated SocketLoop) {
        for pool in pulls {
            // What cannot be had now is tried again with the next session.
            try? peer.pull(on: loop) { pool.pool.wants($0) }
        }
    }

    /// Hands over what was pulled.
    func takePulled() {
        guard !pulls.isEmpty else { return }
        for pool in pulls where pool.hasRoom {
            for peer in peers where peer.isActive {
                pool.push(peer.takePulled { pool.pool.wants($0) })
            }
        }
    }

    /// Says how far pools are, and lets them go on.
    func reportPulls() {
        for pool in pulls {
            report(pool)
            pool.wakeAnother()
        }
    }

    private func report(_ pool: PullCore) {
        for report in pool.takeReports() {
            for peer in peers where peer.isActive {
                guard let session = peer.machine.liveSession else { continue }
                peer.send(SessionMessage.pulled(session: session, report).multipart)
            }
        }
    }
}

extension PeerConnection {
    /// Connects to the pushed streams that are wanted.
    func pull(
        on loop: isolated SocketLoop, where isWanted: (StreamName) -> Bool
    ) throws(MartletError) {
        guard let welcome, let pushed = PushedStreams(welcome.pushEndpoint) else { return }
        for (stream, text) in pushed.endpoints where isWanted(stream) && pulled[stream] == nil {
            let socket = try loop.openContext().socket(Pull.self)
            try socket.set(.receiveHighWaterMark, to: PullCore.highWaterMark)
            let link = try loop.link(over: socket, messages: PullCore.highWaterMark)
            try loop.connect(link, to: NodeAddresses.data(told: text, dialled: endpoint))
            pulled[stream] = link
        }
    }

    /// What has come of streams that are wanted.
    func takePulled(where isWanted: (StreamName) -> Bool) -> [Frame] {
        pulled.filter { isWanted($0.key) }.values.flatMap { $0.takeReceived() }
            .filter { $0.rest.isEmpty }.compactMap { message in
                guard let frame = try? Frame(message.first, like: lastPulled) else { return nil }
                lastPulled = frame
                return frame
            }
    }

    func stopPulling(
        on loop: isolated SocketLoop, where isWanted: (StreamName) -> Bool
    ) {
        for (stream, link) in pulled where isWanted(stream) {
            loop.abandon(link)
            pulled[stream] = nil
        }
    }
}
