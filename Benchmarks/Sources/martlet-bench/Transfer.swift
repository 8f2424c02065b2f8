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
        defer { unlink(path) }
        let numbers = [String(count), String(size), String(interval)]
        let sending = try Peer(sender.program, [sender.role, endpoint] + numbers)
        let bound = try sending.expect("bound")[0]
        let receiving = try Peer(receiver.program, [receiver.role, bound] + numbers)
        _ = try receiving.expect("joined")
        sending.go()
        let received = try receiving.expect("received").compactMap(Double.init)
        sending.go()
        let sent = try sending.expect("sent").compactMap(Double.init)
        guard received.count == 5, sent.count == 1 else {
            throw Peer.Failure(description: "a peer said less than was expected")
        }
        guard received[2] == 0 else {
            throw Peer.Failure(description: "\(received[2]) messages were not what was sent")
        }
        return Outcome(
            rate: Double(count) / (received[0] / 1e9),
            cpu: (received[1] + sent[0]) / Double(count),
            median: received[3] / 1_000, tail: received[4] / 1_000)
    }
}
