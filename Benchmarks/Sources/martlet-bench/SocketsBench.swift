import CWorkload

/// Swift against C on the direct path: one message a send, 100 bytes, one part, HWM 1,000, every
/// message checked by its receiver.
enum SocketsBench {
    static let size = 100

    static func cases(scale: Double) -> [Case] {
        [pair(scale)]
            + [("push-pull", "push", "pull"), ("pub-sub", "pub", "sub")].flatMap { name, from, to in
                ["tcp", "ipc"].map { transport in
                    transfer("\(name) \(transport)", from, to, transport, scale)
                }
            }
    }

    private static func pair(_ scale: Double) -> Case {
        let count = UInt64(500_000 * scale / 400) * 400
        return Case(
            bench: "sockets", name: "pair inproc", unit: "events/s", better: .higher,
            baselineNote:
                "C loop in this process: zmq_msg_init_size, fill, zmq_msg_send 400 times, "
                + "then zmq_msg_recv and check 400 times, over one inproc PAIR, one part each",
            pairs: 61,
            martlet: {
                [Sample(value: try rate(count, martletPair(count: count, burst: 400, size: size)))]
            },
            baseline: { [Sample(value: try rate(count, baseline_pair(count, 400, size)))] })
    }

    private static func transfer(
        _ name: String, _ from: String, _ to: String, _ transport: String, _ scale: Double
    ) -> Case {
        let run = { (program: String) throws -> [Sample] in
            let outcome = try Transfer(
                sender: (program, from), receiver: (program, to), transport: transport,
                count: Int(2_000_000 * scale), size: size
            ).run()
            return [Sample(value: outcome.rate, cpu: outcome.cpu)]
        }
        let policy = from == "pub" ? ", NODROP, subscribed to everything" : ""
        return Case(
            bench: "sockets", name: name, unit: "events/s", better: .higher,
            baselineNote: "two C processes over \(transport), one part a message, HWM 1,000"
                + "\(policy); the receiver checks and times; ours are both ends",
            pairs: 9, martlet: { try run("martlet-peer") },
            baseline: { try run("baseline-peer") })
    }

    /// Messages per second; both sides say 0 nanoseconds when a message was not what was sent.
    private static func rate(_ count: UInt64, _ nanoseconds: UInt64) throws -> Double {
        guard nanoseconds > 0 else {
            throw Peer.Failure(description: "pair inproc: a message was not what was sent")
        }
        return Double(count) / (Double(nanoseconds) / 1e9)
    }
}
