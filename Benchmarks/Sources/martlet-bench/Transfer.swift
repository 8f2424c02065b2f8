import Foundation

/// Messages from one process to another: a sender that binds, a receiver that connects.
struct Transfer {
    let sender: (program: String, role: String)
    let receiver: (program: String, role: String)
    let transport: String
    let count: Int
    let size: Int
    /// Nanoseconds between messages, 0 for as fast as it goes.
    var interval = 0
    /// How many receivers get every message.
    var receivers = 1

    struct Outcome {
        /// Messages per second at the receiver, from its first to its last.
        let rate: Double
        /// Processor time of both processes, in nanoseconds per message.
        let cpu: Double
        /// One-way delay in microseconds.
        let median: Double
        let tail: Double
    }

    func run() throws -> Outcome {
        let path =
            NSTemporaryDirectory() + "martlet-bench-\(getpid())-\(UInt32.random(in: 0...(.max)))"
        let endpoint = transport == "ipc" ? "ipc://\(path)" : "tcp://127.0.0.1:*"
        defer { for suffix in ["", ".data"] { unlink(path + suffix) } }
        let numbers = [String(count), String(size), String(interval)]
        let sending = try Peer(sender.program, [sender.role, endpoint] + numbers)
        let bound = try sending.expect("bound")[0]
        let receiving = try (0..<receivers).map { _ in
            let peer = try Peer(receiver.program, [receiver.role, bound] + numbers)
            _ = try peer.expect("joined")
            return peer
        }
        sending.go()
        let received = try receiving.map { try $0.expect("received").compactMap(Double.init) }
        sending.go()
        let sent = try sending.expect("sent").compactMap(Double.init)
        guard received.allSatisfy({ $0.count == 5 }), sent.count == 1 else {
            throw Peer.Failure(description: "a peer said less than was expected")
        }
        let wrong = received.reduce(0) { $0 + $1[2] }
        guard wrong == 0 else {
            throw Peer.Failure(description: "\(wrong) messages were not what was sent")
        }
        func mean(_ place: Int) -> Double {
            received.reduce(0) { $0 + $1[place] } / Double(receivers)
        }
        return Outcome(
            rate: Double(count) / (mean(0) / 1e9),
            cpu: (mean(1) * Double(receivers) + sent[0]) / Double(count),
            median: mean(3) / 1_000, tail: mean(4) / 1_000)
    }
}
