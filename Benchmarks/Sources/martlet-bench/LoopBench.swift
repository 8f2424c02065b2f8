/// A C sender and our receiver: through the loop, over a link, into `for try await`.
enum LoopBench {
    static func cases(scale: Double) -> [Case] {
        [receive(scale), latency(scale)]
    }

    private static func receive(_ scale: Double) -> Case {
        let run = { (program: String, role: String) throws -> [Sample] in
            let outcome = try Transfer(
                sender: ("baseline-peer", "push"), receiver: (program, role), transport: "tcp",
                count: Int(2_000_000 * scale), size: SocketsBench.size
            ).run()
            return [Sample(value: outcome.rate, cpu: outcome.cpu)]
        }
        return Case(
            bench: "loop", name: "receive tcp", unit: "events/s", better: .higher,
            baselineNote:
                "C PUSH to C PULL in a blocking zmq_msg_recv loop, one part of 100 bytes, "
                + "HWM 1,000; ours is the receiving end only",
            pairs: 9, martlet: { try run("martlet-peer", "loop-pull") },
            baseline: { try run("baseline-peer", "pull") })
    }

    private static func latency(_ scale: Double) -> Case {
        let run = { (program: String, role: String) throws -> [Sample] in
            let outcome = try Transfer(
                sender: ("baseline-peer", "push"), receiver: (program, role), transport: "tcp",
                count: Int(2_000 * scale), size: SocketsBench.size, interval: 1_000_000
            ).run()
            return [Sample(value: outcome.median), Sample(value: outcome.tail)]
        }
        return Case(
            bench: "loop", name: "latency p50 tcp", unit: "us", better: .lower,
            baselineNote:
                "C PUSH at 1,000 messages/s to C PULL in a blocking zmq_msg_recv loop, one "
                + "way, stamped before the send and after the receive; ours is the receiving end",
            pairs: 9, martlet: { try run("martlet-peer", "loop-pull") },
            baseline: { try run("baseline-peer", "pull") },
            also: [(name: "latency p99 tcp", unit: "us")])
    }
}
