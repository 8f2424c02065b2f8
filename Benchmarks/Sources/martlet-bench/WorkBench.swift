import Foundation

/// A node whose events two workers share, every event acknowledged to it, against the same in C.
enum WorkBench {
    static func cases(scale: Double) -> [Case] {
        [
            throughput("live", "work-pub", 6_000_000, scale),
            throughput("durable", "work-durable", 3_000_000, scale),
            atMostOnce("at most once", "push-sub", scale),
            atMostOnce("at most once direct", "push-sub-direct", scale), uneven(scale),
            crowd(scale),
            latency(scale),
        ]
    }

    private static func uneven(_ scale: Double) -> Case {
        // Both come from one run: what it took, and what it might have taken at best.
        let run = { () throws -> [Double] in
            let peer = try Peer(
                "martlet-peer",
                ["uneven", "tcp://127.0.0.1:*", String(Int(4_000 * scale) + 64), "100", "0"])
            return try peer.expect("took").compactMap(Double.init).map { $0 / 1e6 }
        }
        return Case(
            bench: "work", name: "uneven", unit: "ms", better: .lower,
            baselineNote: "handlers of 1 to 100 ms, 32 at once on two workers, against whoever is "
                + "free taking the next from one queue at no cost",
            pairs: 3, martlet: { [Sample(value: try run()[0])] },
            baseline: { [Sample(value: try run()[1])] })
    }

    private static func crowd(_ scale: Double) -> Case {
        let run = { (workers: Int, processes: Int) throws -> [Sample] in
            let outcome = try Crowd(
                workers: workers, processes: processes, count: Int(2_000_000 * scale)
            ).run()
            return [
                Sample(value: outcome.cpu), Sample(value: outcome.coming),
                Sample(value: outcome.leaving),
            ]
        }
        return Case(
            bench: "work", name: "crowd", unit: "ns/event", better: .lower,
            baselineNote: "two workers in two processes, against 100 in 20: what an event costs "
                + "the node that publishes in 128 lanes, and how long it takes until each lane is "
                + "with whom it belongs to",
            pairs: 5, martlet: { try run(100, 20) }, baseline: { try run(2, 2) },
            also: [(name: "crowd comes", unit: "ms"), (name: "crowd leaves", unit: "ms")])
    }

    private static func atMostOnce(_ name: String, _ worker: String, _ scale: Double) -> Case {
        let run = { (program: String, worker: String, events: Double) throws -> [Sample] in
            let outcome = try Pushing(
                program: program, worker: worker, count: Int(events * scale)
            ).run()
            return [Sample(value: outcome.rate, cpu: outcome.cpu)]
        }
        return Case(
            bench: "work", name: name, unit: "events/s", better: .higher,
            baselineNote: "C PUSH to two C PULLs over tcp, an event of 100 bytes a message; ours "
                + "has \(worker == "push-sub" ? "asynchronous" : "synchronous") handlers",
            pairs: 7, martlet: { try run("martlet-peer", worker, 10_000_000) },
            baseline: { try run("baseline-peer", "push-sub", 4_000_000) })
    }

    private static let baselineNote =
        "C ROUTER to two C DEALERs over tcp, an event of 100 bytes a message, acknowledged in "
        + "batches of 64, a window of 1,000 for each"

    private static func throughput(
        _ name: String, _ role: String, _ events: Int, _ scale: Double
    ) -> Case {
        Case(
            bench: "work", name: name, unit: "events/s", better: .higher,
            baselineNote: baselineNote
                + "; ours has 1,000 keys in 16 lanes, asynchronous handlers, and checks the order",
            pairs: 7,
            martlet: {
                let outcome = try Sharing(
                    program: "martlet-peer", source: role, count: Int(Double(events) * scale)
                ).run()
                return [Sample(value: outcome.rate, cpu: outcome.cpu)]
            },
            baseline: {
                let outcome = try Sharing(
                    program: "baseline-peer", source: "work-pub",
                    count: Int(3_000_000 * scale)
                ).run()
                return [Sample(value: outcome.rate, cpu: outcome.cpu)]
            })
    }

    private static func latency(_ scale: Double) -> Case {
        let run = { (program: String) throws -> [Sample] in
            let outcome = try Sharing(
                program: program, source: "work-pub", count: Int(4_000 * scale) + 2,
                interval: 1_000_000
            ).run()
            return [Sample(value: outcome.median), Sample(value: outcome.tail)]
        }
        return Case(
            bench: "work", name: "begun p50", unit: "us", better: .lower,
            baselineNote: baselineNote + ", 1,000 events a second, from publish to handler",
            pairs: 5, martlet: { try run("martlet-peer") },
            baseline: { try run("baseline-peer") }, also: [(name: "begun p99", unit: "us")])
    }
}

/// Events from one process that two others share.
struct Sharing {
    let program: String
    let source: String
    let count: Int
    var interval = 0

    struct Outcome {
        /// Events per second, from the first that is published to the last that is acknowledged.
        let rate: Double
        /// Processor time of all processes, in nanoseconds per event.
        let cpu: Double
        /// From publish to handler, in microseconds.
        let median: Double
        let tail: Double
    }

    func run() throws -> Outcome {
        let numbers = [String(count), "100", String(interval)]
        let sending = try Peer(program, [source, "tcp://127.0.0.1:*"] + numbers)
        let bound = try sending.expect("bound")[0]
        let workers = try (0..<2).map { _ in
            let worker = try Peer(program, ["work-sub", bound] + numbers)
            _ = try worker.expect("joined")
            return worker
        }
        sending.go()
        let handled = try sending.expect("handled").compactMap(Double.init)
        for worker in workers { worker.go() }
        let worked = try workers.map { try $0.expect("worked").compactMap(Double.init) }
        sending.go()
        guard handled.count == 2, worked.allSatisfy({ $0.count == 5 }) else {
            throw Peer.Failure(description: "a peer said less than was expected")
        }
        func sum(_ place: Int) -> Double { worked.reduce(0) { $0 + $1[place] } }
        guard sum(0) == Double(count), sum(1) == 0 else {
            throw Peer.Failure(
                description: "\(sum(0)) of \(count) events were handled, \(sum(1)) out of order")
        }
        return Outcome(
            rate: Double(count) / (handled[0] / 1e9),
            cpu: (handled[1] + sum(2)) / Double(count), median: sum(3) / 2_000,
            tail: (worked.map { $0[4] }.max() ?? 0) / 1_000)
    }
}
