/// Events from one process that very many nodes share, some in each of a few processes.
struct Crowd {
    let workers: Int
    let processes: Int
    let count: Int

    struct Outcome {
        /// Processor time of the publisher, in nanoseconds per event.
        let cpu: Double
        /// From the word to begin until every lane is with whom it belongs to, in milliseconds.
        let coming: Double
        /// From the word to end until nobody is there any more, in milliseconds.
        let leaving: Double
    }

    func run() throws -> Outcome {
        let source = try Peer(
            "martlet-peer", ["crowd-pub", "tcp://127.0.0.1:*", String(count), "100", "0"])
        let bound = try source.expect("bound")[0]
        source.say(String(workers))
        let peers = try (0..<processes).map { _ in
            let peer = try Peer(
                "martlet-peer", ["crowd-sub", bound, String(workers / processes), "100", "0"])
            _ = try peer.expect("ready")
            return peer
        }
        source.go()
        for peer in peers { peer.go() }
        let settled = try source.expect("settled").compactMap(Double.init)
        source.go()
        let handled = try source.expect("handled").compactMap(Double.init)
        source.go()
        for peer in peers { peer.go() }
        for peer in peers { _ = try peer.expect("gone") }
        let left = try source.expect("left").compactMap(Double.init)
        source.go()
        guard settled.count == 1, handled.count == 2, left.count == 2 else {
            throw Peer.Failure(description: "a peer said less than was expected")
        }
        guard left[1] == 0 else {
            throw Peer.Failure(description: "\(left[1]) events were given out again")
        }
        return Outcome(
            cpu: handled[1] / Double(count), coming: settled[0] / 1e6, leaving: left[0] / 1e6)
    }
}
