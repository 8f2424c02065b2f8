import Martlet
import Synchronization
import Testing

/// What a node tells others of itself, and what they can make it do.
@Suite struct NodeControlTests {
    struct Job: Event {
        static let topic: Topic = "jobs.new"
        var number: Int
        var key: String
    }

    private static func pool(_ done: Seen<Int>, lastResort: GroupDefinition.LastResort = .skip)
        -> WorkerPool
    {
        WorkerPool(
            of: Job.self, group: "g", width: 2,
            retry: .exponential(from: .milliseconds(1), attempts: 1, lastResort: lastResort)
        ) { job, _ in
            guard job.number >= 0 else { throw Rejection("below zero") }
            done.add(job.number)
        }
    }

    private func withSource(
        accepting acceptsCommands: Bool = true,
        _ body: @escaping @Sendable (Node, Endpoint) async throws -> Void
    ) async throws {
        try await within {
            try await withFolder { folder in
                var configuration = NodeConfiguration(
                    name: "source", listening: "tcp://127.0.0.1:0",
                    streams: [try .durable("jobs", partitions: 8)])
                configuration.journal = folder
                configuration.acceptsCommands = acceptsCommands
                try await withNode(configuration) { node in
                    try await body(node, try #require(node.endpoint))
                }
            }
        }
    }

    @Test func aNodeSaysHowItStands() async throws {
        try await withSource { node, endpoint in
            let done = Seen<Int>()
            let work = Task { try await node.run(Self.pool(done)) }
            try await node.waitForWorkers(of: "g")
            let jobs = try node.publisher(of: Job.self, key: \.key)
            for number in -3..<20 {
                try await jobs.publish(
                    Job(number: number, key: "k\(number)"), until: .handled(by: "g"))
            }
            try await withControl(of: endpoint) { control in
                let report = try await control.report()
                #expect(report.name == "source")
                #expect(report.node == node.id)
                #expect(report.version == NodeReport.currentVersion)
                #expect(report.streams.first { $0.name == "jobs" }?.isDurable == true)
                #expect(report.streams.first { $0.name == "jobs" }?.partitions == 8)
                #expect(report.filesOpen > 0 && report.filesOpen < report.filesMax)
                #expect(report.journal?.freeByteCount ?? 0 > 0)
                #expect(report.journal?.failure == nil)
                let group = try #require(try await control.groups().first)
                #expect(group.name == "g")
                #expect(group.members.map(\.name) == ["source"])
                #expect(group.tally.handled == 20)
                #expect(group.tally.dead == 3)
                #expect(group.lag == 0)
                #expect(group.lanes == node.groups.first?.lanes)
                let letters = try await control.deadLetters(
                    LetterSelection(key: "k-1"), withEvents: true)
                #expect(letters.map(\.text) == ["below zero"])
                #expect(letters.first?.event?.contains("\"number\":-1") == true)
                let again = try await control.retryDeadLetters(
                    LetterSelection(numbers: letters.map(\.number)))
                #expect(again == LetterCount(done: 1))
                let position = try await control.replaceDeadLetter(
                    try #require(try await control.deadLetters().first?.number),
                    by: Bytes(utf8: #"{"number":50,"key":"k"}"#))
                #expect(Position(position)?.channel.stream == "jobs")
                try await done.wait(for: 21)
                let count = try await control.purgeDeadLetters(LetterSelection(group: "g"))
                #expect(count.done >= 1)
            }
            work.cancel()
            try await work.value
        }
    }

    @Test func aWorkerIsTakenOutAndComesBack() async throws {
        try await withSource { node, endpoint in
            let seen = [Seen<Int>(), Seen<Int>()]
            try await withNode(named: "one", peers: [endpoint]) { one in
                try await withNode(named: "two", peers: [endpoint]) { two in
                    let work = [one, two].enumerated().map { place, worker in
                        Task { try await worker.run(Self.pool(seen[place])) }
                    }
                    try await node.waitForWorkers(of: "g", atLeast: 2)
                    let jobs = try node.publisher(of: Job.self, key: \.key)
                    for number in 0..<64 {
                        try await jobs.publish(
                            Job(number: number, key: "k\(number)"), until: .handled(by: "g"))
                    }
                    #expect(!seen[0].all.isEmpty && !seen[1].all.isEmpty)
                    try await withControl(of: endpoint) { control in
                        let moves = try await control.plan(draining: "one", of: "g")
                        #expect(!moves.isEmpty)
                        #expect(moves.allSatisfy { $0.from == "one" && $0.to == "two" })
                        #expect(try await control.plan(draining: "two", of: "g").count < 8)
                        try await control.drain("one", of: "g")
                        let before = seen[0].all.count
                        for number in 64..<128 {
                            try await jobs.publish(
                                Job(number: number, key: "k\(number)"),
                                until: .handled(by: "g"))
                        }
                        #expect(seen[0].all.count == before)
                        let group = try #require(try await control.groups().first)
                        #expect(group.members.filter(\.isDrained).map(\.name) == ["one"])
                        #expect(group.tally.repeated == 0)
                        try await control.undrain("one", of: "g")
                        for number in 128..<192 {
                            try await jobs.publish(
                                Job(number: number, key: "k\(number)"),
                                until: .handled(by: "g"))
                        }
                        #expect(seen[0].all.count > before)
                        await #expect(throws: MartletError.self) {
                            try await control.drain("three", of: "g")
                        }
                        await #expect(throws: MartletError.self) {
                            try await control.removeGroup("g")
                        }
                    }
                    for task in work { task.cancel() }
                    for task in work { try await task.value }
                }
            }
            // Nobody works for it any more.
            try await withControl(of: endpoint) { control in
                while try await control.groups().first?.members.isEmpty == false {
                    await Task.yield()
                }
                try await control.removeGroup("g")
                #expect(try await control.groups().isEmpty)
                await #expect(throws: MartletError.self) { try await control.removeGroup("g") }
            }
        }
    }

    @Test func aNodeMayTakeNoCommands() async throws {
        try await withSource(accepting: false) { _, endpoint in
            try await withControl(of: endpoint) { control in
                let error = await #expect(throws: MartletError.self) {
                    try await control.groups()
                }
                #expect(error?.code == .permissionDenied)
            }
        }
    }

    @Test func whoIsNotThereIsSaidNotToAnswer() async throws {
        try await within {
            let nobody = try Endpoint("tcp://127.0.0.1:\(freePort())")
            try await withControl(of: nobody, timeout: .milliseconds(200)) { control in
                let error = await #expect(throws: MartletError.self) {
                    try await control.report()
                }
                #expect(error?.code == .timedOut)
            }
        }
    }
}
