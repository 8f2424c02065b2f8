import CWorkload
import Foundation

/// Durable events, against a C program that appends to a plain file and calls `fdatasync`.
enum JournalBench {
    static func cases(scale: Double) -> [Case] {
        [
            throughput("deep window", "store-deep", 3_000_000, scale),
            throughput("one in flight", "store-one", 3_000, scale),
            submitting("one in flight tcp", "submit-one", 3_000, scale),
            submitting("submit deep tcp", "submit-deep", 1_000_000, scale), receipts(scale),
            replay(scale), catchingUp(scale),
        ]
    }

    /// What a publisher keeps of half its peak while a reader catches up that is far behind. A
    /// brief run measures no peak worth the name, and publishes less.
    private static func catchingUp(_ scale: Double) -> Case {
        let count = max(Int(10_000_000 * scale), 100_000)
        let percent = scale < 1 ? 10 : 50
        let run = { (withReader: Bool) throws -> [Sample] in
            let numbers = [String(count), String(SocketsBench.size), String(percent)]
            let publisher = try Peer(
                "martlet-peer", ["catch-up-pub", "tcp://127.0.0.1:*"] + numbers)
            let bound = try publisher.expect("bound")[0]
            publisher.go()
            if withReader {
                let reader = try Peer("martlet-peer", ["catch-up-sub", bound] + numbers)
                _ = try reader.expect("joined")
                let received = try reader.expect("received").compactMap(Double.init)
                guard received.count == 5, received[2] == 0 else {
                    throw Peer.Failure(description: "events were not what was published")
                }
                reader.end()
            } else {
                Thread.sleep(forTimeInterval: 5 * scale)
            }
            publisher.go()
            let sent = try publisher.expect("sent").compactMap(Double.init)
            guard sent.count == 4 else {
                throw Peer.Failure(description: "a peer said less than was expected")
            }
            publisher.end()
            return [Sample(value: sent[1] * 100), Sample(value: sent[3] / 1_048_576)]
        }
        return Case(
            bench: "journal", name: "catching up", unit: "% of rate", better: .higher,
            baselineNote: "the same publisher without a reader; it publishes durable events of 100 "
                + "bytes at half its peak, ours while a reader in another process goes from "
                + "\(count) events behind to the present",
            pairs: 3, martlet: { try run(true) }, baseline: { try run(false) },
            also: [(name: "publisher's memory", unit: "MiB")])
    }

    private static func submitting(
        _ name: String, _ role: String, _ events: Int, _ scale: Double
    ) -> Case {
        let run = { (program: String, from: String, to: String, count: Int) throws -> [Sample] in
            let outcome = try Transfer(
                sender: (program, from), receiver: (program, to), transport: "tcp",
                count: max(Int(Double(count) * scale), 100), size: SocketsBench.size
            ).run()
            return [Sample(value: outcome.rate, cpu: outcome.cpu)]
        }
        return Case(
            bench: "journal", name: name, unit: "events/s", better: .higher,
            baselineNote: "C client that sends 100 bytes and waits for the answer of a C server, "
                + "which appends them to a plain file and calls fdatasync; ours is a producer "
                + "that submits to a node, whose events are read back",
            pairs: 7, martlet: { try run("martlet-peer", "submit-node", role, events) },
            baseline: { try run("baseline-peer", "store-server", "store-client", 3_000) })
    }

    /// The sizes of what was committed last, which the baseline appends in its turn.
    private final class Groups {
        var sizes: [UInt64] = []
        var events = 0
    }

    private static func throughput(
        _ name: String, _ role: String, _ events: Int, _ scale: Double
    ) -> Case {
        let count = max(Int(Double(events) * scale), 100)
        let groups = Groups()
        return Case(
            bench: "journal", name: name, unit: "events/s", better: .higher,
            baselineNote: "C program that appends groups of the same sizes to a plain file, each "
                + "with one write and one fdatasync; ours publishes events of 100 bytes and waits "
                + "for their receipts, then reads all of them back",
            pairs: 7,
            martlet: {
                let stored = try store(role, count, interval: 0) { folder in
                    groups.sizes = sizes(of: folder)
                    groups.events = count
                }
                return [
                    Sample(value: Double(count) / (stored[0] / 1e9), cpu: stored[1] / Double(count))
                ]
            },
            baseline: {
                let time = baseline_append(path("append"), groups.sizes, groups.sizes.count, nil)
                guard time > 0 else { throw Peer.Failure(description: "appending failed") }
                return [Sample(value: Double(groups.events) / (Double(time) / 1e9))]
            })
    }

    private static func receipts(_ scale: Double) -> Case {
        let count = max(Int(20_000 * scale), 100)
        return Case(
            bench: "journal", name: "receipt p99", unit: "us", better: .lower,
            baselineNote: "C program that appends 100 bytes and calls fdatasync, again and again; "
                + "ours publishes 10,000 events/s and takes the time of each until it is stored",
            pairs: 7,
            martlet: {
                let stored = try store("store-paced", count, interval: 100_000) { _ in }
                return [Sample(value: stored[2] / 1_000)]
            },
            baseline: {
                let sizes = [UInt64](repeating: 100, count: 2_000)
                var times = [UInt64](repeating: 0, count: sizes.count)
                _ = baseline_append(path("append"), sizes, sizes.count, &times)
                return [
                    Sample(
                        value: Double(workload_percentile(&times, times.count, 0.99)) / 1_000)
                ]
            })
    }

    private static func replay(_ scale: Double) -> Case {
        let run = {
            (program: String, from: String, to: String, events: Int) throws -> [Sample] in
            let outcome = try Transfer(
                sender: (program, from), receiver: (program, to), transport: "tcp",
                count: Int(Double(events) * scale), size: SocketsBench.size
            ).run()
            return [Sample(value: outcome.rate, cpu: outcome.cpu)]
        }
        return Case(
            bench: "journal", name: "replay", unit: "events/s", better: .higher,
            baselineNote: "C program that reads a file and sends each of its messages of 100 bytes "
                + "over PUB with NODROP to C SUB; ours reads the journal from the beginning, to "
                + "`for try await` over batches",
            pairs: 7, martlet: { try run("martlet-peer", "replay-pub", "replay-sub", 4_000_000) },
            baseline: { try run("baseline-peer", "file", "sub", 2_000_000) })
    }

    private static func path(_ name: String) -> String {
        NSTemporaryDirectory() + "martlet-bench-\(getpid())-\(name)"
    }

    /// Nanoseconds of the whole, of the processors, and of the 99th of 100 receipts.
    private static func store(
        _ role: String, _ count: Int, interval: Int, _ look: (String) -> Void
    ) throws -> [Double] {
        let folder = path("journal")
        try? FileManager.default.removeItem(atPath: folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let peer = try Peer(
            "martlet-peer",
            [role, folder, String(count), String(SocketsBench.size), String(interval)])
        let stored = try peer.expect("stored").compactMap(Double.init)
        guard stored.count == 3 else {
            throw Peer.Failure(description: "a peer said less than was expected")
        }
        look(folder)
        return stored
    }

    private static func sizes(of folder: String) -> [UInt64] {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        var all: [UInt64] = []
        for file in files.sorted() where file.hasSuffix(".segment") {
            var sizes = [UInt64](repeating: 0, count: 1_000_000)
            let count = baseline_groups("\(folder)/\(file)", &sizes, sizes.count)
            all += sizes[..<count]
        }
        return all
    }
}
