import Martlet
import Synchronization
import Testing

/// Pools of nodes that share the events of others.
@Suite struct WorkTests {
    struct Job: Event {
        static let topic: Topic = "jobs.new"
        var number: Int
        var key: String
    }

    /// A job, and where it was done.
    struct Done: Sendable {
        let job: Job
        let node: String
    }

    @Test(.timeLimit(.minutes(5))) func twoPoolsShareWhatIsPublished() async throws {
        let seen = Seen<Done>()
        try await withNode(named: "source", listening: "tcp://127.0.0.1:0") { source in
            let jobs = try source.publisher(of: Job.self, key: \.key)
            let endpoint = try #require(source.endpoint)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for name in ["one", "two"] {
                    group.addTask {
                        try await withNode(named: name, peers: [endpoint]) { node in
                            try await node.run(
                                WorkerPool(of: Job.self, group: "all", width: 4) { job, _ in
                                    seen.add(Done(job: job, node: name))
                                })
                        }
                    }
                }
                for number in 0..<2_000 {
                    try await jobs.publish(Job(number: number, key: "k\(number % 37)"))
                }
                try await seen.wait(for: 2_000)
                group.cancelAll()
            }
        }
        let numbers = seen.all.map(\.job.number)
        #expect(numbers.sorted() == Array(0..<2_000))
        #expect(Set(seen.all.map(\.node)) == ["one", "two"])
        for key in 0..<37 {
            let own = seen.all.map(\.job).filter { $0.key == "k\(key)" }.map(\.number)
            #expect(own == own.sorted(), "key \(key) is out of order")
        }
    }

    @Test(.timeLimit(.minutes(5))) func whatFailsComesAgainAndItsKeyWaits() async throws {
        let seen = Seen<Done>()
        let failures = Atomic<Int>(0)
        try await withNode(named: "source", listening: "tcp://127.0.0.1:0") { source in
            let jobs = try source.publisher(of: Job.self, key: \.key)
            for number in 0..<30 {
                try await jobs.publish(Job(number: number, key: "k\(number % 3)"))
            }
            let pool = WorkerPool(
                of: Job.self, group: "fickle", width: 4,
                retry: .exponential(from: .milliseconds(50), attempts: 5)
            ) { job, delivery in
                if job.number % 7 == 0, delivery.attempt < 3 {
                    failures.add(1, ordering: .relaxed)
                    throw MartletError(.failed, "not yet")
                }
                seen.add(Done(job: job, node: "here"))
            }
            let work = Task { try await source.run(pool) }
            try await seen.wait(for: 30)
            work.cancel()
            try await work.value
        }
        #expect(failures.load(ordering: .relaxed) == 10)
        for key in 0..<3 {
            let own = seen.all.map(\.job).filter { $0.key == "k\(key)" }.map(\.number)
            #expect(own == Array(stride(from: key, to: 30, by: 3)))
        }
    }

    @Test(.timeLimit(.minutes(5))) func aDurableStreamIsWorkedOnAfterARestart() async throws {
        let seen = Seen<Done>()
        try await withFolder { folder in
            let pool = WorkerPool(of: Job.self, group: "keeper", width: 4) { job, _ in
                seen.add(Done(job: job, node: "here"))
            }
            for round in 0..<2 {
                try await withNode(
                    named: "source", listening: "tcp://127.0.0.1:0", journal: folder,
                    streams: [.durable("jobs", partitions: 4)]
                ) { source in
                    let jobs = try source.publisher(of: Job.self, key: \.key)
                    for number in 0..<200 {
                        try await jobs.publish(
                            Job(number: round * 200 + number, key: "k\(number % 9)"))
                    }
                    let work = Task { try await source.run(pool) }
                    try await seen.wait(for: 200 * (round + 1))
                    work.cancel()
                    try await work.value
                }
            }
        }
        #expect(seen.all.map(\.job.number).sorted() == Array(0..<400))
    }

    @Test(.timeLimit(.minutes(5))) func anotherDefinitionIsRefused() async throws {
        try await withNode(named: "source", listening: "tcp://127.0.0.1:0") { source in
            let endpoint = try #require(source.endpoint)
            let seen = Seen<Int>()
            let first = Task {
                try await source.run(
                    WorkerPool(of: Job.self, group: "g") { job, _ in seen.add(job.number) })
            }
            defer { first.cancel() }
            try await source.publisher(of: Job.self).publish(Job(number: 1, key: "k"))
            try await seen.wait(for: 1)
            try await withNode(named: "other", peers: [endpoint]) { node in
                let error = await #expect(throws: MartletError.self) {
                    try await node.run(
                        WorkerPool(of: Job.self, group: "g", keyed: false) { _, _ in })
                }
                #expect(error?.message.contains("version 2") == true)
            }
        }
    }

    @Test(.timeLimit(.minutes(5)), arguments: [false, true])
    func whatIsGivenUpIsTold(isDurable: Bool) async throws {
        let letters = Seen<DeadLetter>()
        let done = Seen<Int>()
        try await withFolder { folder in
            try await withNode(
                named: "source", listening: "tcp://127.0.0.1:0",
                journal: isDurable ? folder : nil,
                streams: [isDurable ? .durable("jobs") : .live("jobs")]
            ) { source in
                let jobs = try source.publisher(of: Job.self, key: \.key)
                let pool = WorkerPool(
                    of: Job.self, group: "strict",
                    retry: .exponential(
                        from: .milliseconds(50), attempts: 2)
                ) { job, _ in
                    if job.number == 3 { throw Rejection("three is\nwrong") }
                    if job.number == 5 { throw MartletError(.failed, "five fails") }
                    done.add(job.number)
                }
                try await source.subscribe(to: ["martlet.deadletters"]) { events in
                    let work = Task { try await source.run(pool) }
                    for number in 0..<10 {
                        try await jobs.publish(Job(number: number, key: "k"))
                    }
                    for try await (event, _) in events {
                        letters.add(try DeadLetter(event))
                        if letters.all.count == 2 { break }
                    }
                    try await done.wait(for: 8)
                    work.cancel()
                    try await work.value
                }
                let tally = try #require(source.groups.first?.tally)
                #expect(tally.handled == 8)
                #expect(tally.dead == 2)
            }
        }
        #expect(done.all == [0, 1, 2, 4, 6, 7, 8, 9])
        let first = letters.all[0]
        #expect(first.reason == .rejected)
        #expect(first.text == "three is wrong")
        #expect(first.key == "k")
        #expect(try first.event?.decode(as: Job.self).number == 3)
        #expect(letters.all[1].reason == .failed)
        #expect(letters.all[1].attempts == 2)
        #expect(letters.all[1].group == "strict")
    }

    /// A node may run a pool of a group again, and what the first one did not do is done.
    @Test(.timeLimit(.minutes(5))) func aPoolMayRunAgain() async throws {
        let done = Seen<Int>()
        try await withNode(named: "source", listening: "tcp://127.0.0.1:0") { source in
            let jobs = try source.publisher(of: Job.self, key: \.key)
            let pool = WorkerPool(of: Job.self, group: "again", width: 2) { job, _ in
                done.add(job.number)
            }
            for round in 1...3 {
                for number in 0..<50 {
                    try await jobs.publish(Job(number: number, key: "k\(number)"))
                }
                let work = Task { try await source.run(pool) }
                try await done.wait(for: round * 50)
                work.cancel()
                try await work.value
            }
        }
        #expect(done.all.count == 150)
    }

    /// A publisher without a journal that begins anew is another one: its first events are not
    /// those of the one before.
    @Test(.timeLimit(.minutes(5))) func anotherNodeAtTheSameAddressIsAnother() async throws {
        let done = Seen<Int>()
        let endpoint = try Endpoint("tcp://127.0.0.1:\(try freePort())")
        try await withNode(named: "worker", peers: [endpoint]) { worker in
            let pool = WorkerPool(of: Job.self, group: "g", width: 2) { job, _ in
                done.add(job.number)
            }
            let work = Task { try await worker.run(pool) }
            for round in 0..<2 {
                try await withNode(named: "source", listening: endpoint) { source in
                    let jobs = try source.publisher(of: Job.self, key: \.key)
                    for number in 0..<40 {
                        try await jobs.publish(
                            Job(number: round * 40 + number, key: "k\(number % 5)"))
                    }
                    try await done.wait(for: 40 * (round + 1))
                }
            }
            work.cancel()
            try await work.value
        }
        #expect(done.all.sorted() == Array(0..<80))
    }

    /// Handlers that take too long are told to end, and their events come again.
    @Test(.timeLimit(.minutes(5))) func aHandlerThatTakesTooLongIsCancelled() async throws {
        let done = Seen<Int>()
        let cancelled = Atomic<Int>(0)
        try await withNode(named: "source", listening: "tcp://127.0.0.1:0") { source in
            let jobs = try source.publisher(of: Job.self, key: \.key)
            let pool = WorkerPool(
                of: Job.self, group: "slow", width: 2,
                retry: .exponential(from: .milliseconds(50)), timeLimit: .milliseconds(200)
            ) { job, delivery in
                if job.number == 0, delivery.attempt == 1 {
                    do { try await Task.sleep(for: .seconds(600)) } catch {
                        cancelled.add(1, ordering: .relaxed)
                        throw error
                    }
                }
                done.add(job.number)
            }
            for number in 0..<20 {
                try await jobs.publish(Job(number: number, key: "k\(number % 4)"))
            }
            let work = Task { try await source.run(pool) }
            try await done.wait(for: 20)
            work.cancel()
            try await work.value
        }
        #expect(cancelled.load(ordering: .relaxed) == 1)
        #expect(done.all.filter { $0 % 4 == 0 } == [0, 4, 8, 12, 16])
    }

    /// What was published in memory is done before the node that published it is gone.
    @Test(.timeLimit(.minutes(5))) func closingWaitsForTheWork() async throws {
        let done = Seen<Int>()
        let endpoint = try Endpoint("tcp://127.0.0.1:\(try freePort())")
        try await withNode(named: "worker", peers: [endpoint]) { worker in
            let pool = WorkerPool(of: Job.self, group: "g", width: 2) { job, _ in
                try await Task.sleep(for: .milliseconds(1))
                done.add(job.number)
            }
            let work = Task { try await worker.run(pool) }
            try await withNode(named: "source", listening: endpoint) { source in
                let jobs = try source.publisher(of: Job.self, key: \.key)
                try await jobs.publish(Job(number: 0, key: "k0"))
                try await done.wait(for: 1)
                for number in 1..<300 {
                    try await jobs.publish(Job(number: number, key: "k\(number % 5)"))
                }
            }
            #expect(done.all.sorted() == Array(0..<300))
            work.cancel()
            try await work.value
        }
    }
}
