import Martlet
import Synchronization
import Testing

/// Streams that go to those who pull, each event to one of them.
@Suite struct PullTests {
    struct Job: Event {
        static let topic: Topic = "jobs.new"
        var number: Int
    }

    private func withSource(
        at endpoint: Endpoint = "tcp://127.0.0.1:0",
        _ body: @escaping @Sendable (Node, Endpoint) async throws -> Void
    ) async throws {
        try await within {
            try await withNode(
                named: "source", listening: endpoint,
                streams: [.pushed("jobs", frameBytes: 1_024), .pushed("other")]
            ) { node in try await body(node, try #require(node.endpoint)) }
        }
    }

    /// Pools on two nodes have each event once between them.
    @Test(arguments: [true, false]) func poolsShareWhatIsPushed(isTCP: Bool) async throws {
        let path = "ipc:///tmp/martlet-push-\(UInt64.random(in: 0 ... .max))"
        try await withSource(at: isTCP ? "tcp://127.0.0.1:0" : try Endpoint(path)) {
            source, endpoint in
            let seen = [Seen<Int>(), Seen<Int>()]
            let jobs = try source.publisher(of: Job.self)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for place in 0..<2 {
                    group.addTask {
                        try await withNode(named: "worker-\(place)", peers: [endpoint]) { node in
                            try await node.run(
                                WorkerPool.atMostOnce(of: Job.self, width: 2) { job, delivery in
                                    #expect(delivery.topic == "jobs.new")
                                    seen[place].add(job.number)
                                })
                        }
                    }
                }
                // Both must have come, and libzmq says nothing of it.
                var number = 0
                while seen.contains(where: { $0.all.isEmpty }) {
                    try await jobs.publish(Job(number: number))
                    number += 1
                    try await handled(number, by: source)
                }
                for rest in number..<number + 2_000 { try await jobs.publish(Job(number: rest)) }
                number += 2_000
                try await handled(number, by: source)
                #expect((seen[0].all + seen[1].all).sorted() == Array(0..<number))
                #expect(seen.allSatisfy { !$0.all.isEmpty })
                group.cancelAll()
            }
            let report = try #require(source.pushes.first { $0.stream == "jobs" })
            #expect(report.missing == 0 && report.dropped == 0)
        }
    }

    private func handled(_ count: Int, by source: Node) async throws {
        while source.pushes[0].handled + source.pushes[0].dropped < count { await Task.yield() }
    }

    /// Counts jobs with even numbers, and throws the others.
    private final class Even: Sendable {
        let count = Atomic<Int>(0)

        func take(_ event: RecordedEvent) throws {
            let job = try event.decode(as: Job.self, with: .standard)
            guard job.number.isMultiple(of: 2) else { throw MartletError(.failed, "odd") }
            count.add(1, ordering: .relaxed)
        }
    }

    /// What is thrown and what is not wanted counts as dropped; a stream is pulled by one pool.
    @Test(arguments: [false, true]) func whatIsDroppedIsCounted(waits: Bool) async throws {
        try await withSource { source, endpoint in
            try await withNode(named: "worker", peers: [endpoint]) { node in
                let even = Even()
                let filter = try Filter.sql("data.number < 100")
                let pool =
                    waits
                    ? WorkerPool.atMostOnce(of: ["jobs.new"], where: filter) { event, _ in
                        await Task.yield()
                        try even.take(event)
                    }
                    : WorkerPool.atMostOnce(of: ["jobs.new"], where: filter) { event, _ in
                        try even.take(event)
                    }
                let work = Task { try await node.run(pool) }
                let jobs = try source.publisher(of: Job.self)
                for number in 0..<200 { try await jobs.publish(Job(number: number)) }
                try await handled(200, by: source)
                #expect(source.pushes.first?.handled == 50)
                #expect(source.pushes.first?.dropped == 150)
                #expect(even.count.load(ordering: .relaxed) == 50)
                let error = await #expect(throws: MartletError.self) {
                    try await node.run(WorkerPool.atMostOnce(of: Job.self) { _, _ in })
                }
                #expect(error?.code == .wrongState)
                work.cancel()
                try await work.value
            }
        }
    }

    /// While nobody pulls, publishers wait, and nothing is lost.
    @Test func publishersWaitForSomebody() async throws {
        try await withSource { source, endpoint in
            let jobs = try source.publisher(of: Job.self)
            for number in 0..<2_000 { try await jobs.publish(Job(number: number)) }
            let big = try source.publisher(
                of: EventDefinition(topic: "jobs.big", contentType: .bytes))
            let bytes = Bytes([UInt8](repeating: 1, count: 500_000))
            let more = Task { for _ in 0..<40 { try await big.publish(bytes) } }
            #expect(source.pushes.first?.sent == 0)
            let seen = Seen<UInt64>()
            try await withNode(named: "worker", peers: [endpoint]) { node in
                let pool = WorkerPool.atMostOnce(of: ["jobs.>"]) { event, _ in
                    seen.add(event.sequence)
                }
                let work = Task { try await node.run(pool) }
                try await more.value
                try await handled(2_040, by: source)
                work.cancel()
                try await work.value
            }
            #expect(seen.all.sorted() == Array(1...2_040))
        }
    }
}
