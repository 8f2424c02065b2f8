/// A node that publishes and nodes that read, against raw PUB and SUB in C that do the same.
enum FanoutBench {
    static func cases(scale: Double) -> [Case] {
        [
            throughput("tcp 1 task", "tcp", scale), throughput("ipc 1 task", "ipc", scale),
            throughput("tcp 4 tasks", "tcp", tasks: 4, scale),
            throughput("tcp 4 subscribers", "tcp", readers: 4, scale),
            throughput("tcp 1 task singly", "tcp", reading: "singly", scale),
            latency("tcp", reading: "spinning", scale),
            latency("tcp sleeping", reading: "singly", scale),
            latency("tcp pool", reading: "pool", scale),
            latency("tcp durable", publishing: "durable", reading: "spinning", scale),
        ]
    }

    private static func throughput(
        _ name: String, _ transport: String, tasks: Int = 1, readers: Int = 1,
        reading: String = "batches", _ scale: Double
    ) -> Case {
        let run = {
            (program: String, from: String, to: String, events: Int) throws -> [Sample] in
            let outcome = try Transfer(
                sender: (program, from), receiver: (program, to), transport: transport,
                count: Int(Double(events) * scale), size: SocketsBench.size, receivers: readers
            ).run()
            return [Sample(value: outcome.rate, cpu: outcome.cpu)]
        }
        return Case(
            bench: "fanout", name: name, unit: "events/s", better: .higher,
            baselineNote: "C PUB with NODROP to C SUB over \(transport), one part of 100 bytes a "
                + "message, HWM 1,000, \(readers) at once; ours is `await publish` to `for try "
                + "await` over \(reading == "batches" ? "batches" : "events"), the stream waiting "
                + "for its readers; per reader",
            pairs: 7,
            martlet: {
                try run(
                    "martlet-peer", "node-pub-\(tasks)", "node-\(reading)-\(tasks)",
                    6_000_000 / readers)
            },
            baseline: { try run("baseline-peer", "pub", "sub", 2_000_000 / readers) })
    }

    private static func latency(
        _ name: String, publishing: String = "pub", reading: String, _ scale: Double
    ) -> Case {
        let run = { (program: String, from: String, to: String) throws -> [Sample] in
            let outcome = try Transfer(
                sender: (program, from), receiver: (program, to), transport: "tcp",
                count: Int(20_000 * scale), size: SocketsBench.size, interval: 100_000
            ).run()
            return [Sample(value: outcome.median), Sample(value: outcome.tail)]
        }
        return Case(
            bench: "fanout", name: "latency p50 \(name)", unit: "us", better: .lower,
            baselineNote: "C PUB to C SUB at 10,000 messages/s in a blocking zmq_msg_recv loop, "
                + "one way, stamped before the send and after the receive",
            pairs: 9,
            martlet: { try run("martlet-peer", "node-\(publishing)-1", "node-\(reading)-1") },
            baseline: { try run("baseline-peer", "pub", "sub") },
            also: [(name: "latency p99 \(name)", unit: "us")])
    }
}
