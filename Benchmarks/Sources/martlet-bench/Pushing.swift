import Foundation

/// Events from one process that two others pull, each to one of them.
struct Pushing {
    let program: String
    var worker = "push-sub"
    let count: Int

    /// Events per second, from the first that is published to the last that is handled, and the
    /// processor time of all processes, in nanoseconds per event.
    func run() throws -> (rate: Double, cpu: Double) {
        let numbers = [String(count), "100", "0"]
        let source = try Peer(program, ["push-pub", "tcp://127.0.0.1:*"] + numbers)
        let bound = try source.expect("bound")[0]
        let workers = try (0..<2).map { _ in
            let peer = try Peer(program, [worker, bound] + numbers)
            _ = try peer.expect("joined")
            return peer
        }
        // Both have connected by then, of which nobody tells.
        usleep(300_000)
        source.go()
        let sent = try source.expect("sent").compactMap(Double.init)
        for worker in workers { worker.go() }
        let worked = try workers.map { try $0.expect("worked").compactMap(Double.init) }
        source.go()
        guard sent.count == 2, worked.allSatisfy({ $0.count == 4 }) else {
            throw Peer.Failure(description: "a peer said less than was expected")
        }
        func sum(_ place: Int) -> Double { worked.reduce(0) { $0 + $1[place] } }
        guard sum(0) == Double(count), sum(1) == 0, worked.allSatisfy({ $0[0] > 0 }) else {
            throw Peer.Failure(
                description: "\(worked.map { $0[0] }) of \(count) events came, \(sum(1)) wrong")
        }
        let last = worked.map { $0[3] }.max() ?? 0
        return (Double(count) / ((last - sent[0]) / 1e9), (sent[1] + sum(2)) / Double(count))
    }
}
