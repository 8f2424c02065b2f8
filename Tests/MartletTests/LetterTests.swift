import Martlet
import Synchronization
import Testing

/// What can be done about events that groups have given up.
@Suite struct LetterTests {
    struct Job: Event {
        static let topic: Topic = "jobs.new"
        var number: Int
        var key: String
    }

    /// Whether handlers fail, which tests change.
    final class World: Sendable {
        let isBroken = Atomic<Bool>(true)
        let done = Seen<Int>()

        func pool(_ lastResort: GroupDefinition.LastResort = .skip) -> WorkerPool {
            WorkerPool(
                of: Job.self, group: "g", width: 4,
                retry: .exponential(
                    from: .milliseconds(1), upTo: .milliseconds(1), attempts: 2,
                    lastResort: lastResort)
            ) { [self] job, _ in
                if job.number < 0 { throw Rejection("below zero") }
                if job.number.isMultiple(of: 10), isBroken.load(ordering: .relaxed) {
                    throw MartletError(.failed, "broken")
                }
                done.add(job.number)
            }
        }
    }

    private func withSource(
        _ folder: String?, _ body: @escaping @Sendable (Node) async throws -> Void
    ) async throws {
        try await within {
            try await withNode(
                named: "source", listening: "tcp://127.0.0.1:0", journal: folder,
                streams: folder == nil ? [] : [.durable("jobs", partitions: 4)], body)
        }
    }

    @Test(arguments: [false, true]) func whatWasGivenUpIsTriedAgain(isDurable: Bool) async throws {
        try await withFolder { folder in
            try await withSource(isDurable ? folder : nil) { node in
                let world = World()
                let jobs = try node.publisher(of: Job.self, key: \.key)
                let work = Task { try await node.run(world.pool()) }
                try await node.waitForWorkers(of: "g")
                for number in -2..<30 {
                    try await jobs.publish(
                        Job(number: number, key: "k\(abs(number) % 3)"),
                        until: .handled(by: "g"))
                }
                let letters = try await node.deadLetters()
                #expect(letters.count == 5)
                let failed = try await node.deadLetters(LetterSelection(reason: .failed))
                #expect(failed.map(\.attempts) == [2, 2, 2])
                #expect(failed[0].history.map(\.text) == ["broken", "broken"])
                #expect(failed[0].time <= .now)
                #expect(failed[1].event?.payload == Bytes(utf8: #"{"number":10,"key":"k1"}"#))
                // Still broken: they come back, with attempts of their own.
                let again = try await node.retryDeadLetters(LetterSelection(reason: .failed))
                #expect(again == LetterCount(done: 3))
                try await lettersCome(5, to: node)
                world.isBroken.store(false, ordering: .relaxed)
                let first = try await node.deadLetters(LetterSelection(reason: .failed, limit: 1))
                let one = try await node.retryDeadLetters(
                    LetterSelection(numbers: first.map(\.number)))
                #expect(one.done == 1)
                let rest = try await node.retryDeadLetters(LetterSelection(topics: "jobs.*"))
                #expect(rest.done == 4)
                // Those below zero are given up once more.
                try await lettersCome(2, to: node)
                #expect(world.done.all.sorted() == Array(0..<30))
                let purged = try await node.purgeDeadLetters(LetterSelection(group: "g"))
                #expect(purged.done == 2)
                #expect(try await node.deadLetters().isEmpty)
                let tally = try #require(node.groups.first).tally
                #expect(tally.handled == 30)
                #expect(tally.dead == 5 + 3 + 2)
                #expect(tally.reopened == 8)
                work.cancel()
                try await work.value
            }
        }
    }

    private func lettersCome(_ count: Int, to node: Node) async throws {
        while try await node.deadLetters().count != count
            || node.groups.first?.lag != 0
        { await Task.yield() }
    }

    @Test(arguments: [false, true]) func aParkedKeyWaitsAndThenGoesOnInOrder(
        isDurable: Bool
    ) async throws {
        try await withFolder { folder in
            try await withSource(isDurable ? folder : nil) { node in
                let world = World()
                let jobs = try node.publisher(of: Job.self, key: \.key)
                let work = Task { try await node.run(world.pool(.park)) }
                try await node.waitForWorkers(of: "g")
                for number in 1...40 {
                    try await jobs.publish(
                        Job(number: number, key: "k\(number % 2)"), until: .handled(by: "g"))
                }
                // 10 has failed, and all that follows of its key was set aside.
                #expect(world.done.all.filter { $0 % 2 == 0 } == [2, 4, 6, 8])
                #expect(world.done.all.filter { $0 % 2 == 1 }.count == 20)
                let letters = try await node.deadLetters()
                #expect(letters.count == 16)
                #expect(letters.map(\.reason) == [.failed] + Array(repeating: .parked, count: 15))
                #expect(node.groups.first?.parkedKeys == 1)
                world.isBroken.store(false, ordering: .relaxed)
                // One of them means all of them.
                let count = try await node.retryDeadLetters(
                    LetterSelection(numbers: [letters[3].number]))
                #expect(count == LetterCount(done: 16))
                try await jobs.publish(Job(number: 42, key: "k0"), until: .handled(by: "g"))
                #expect(
                    world.done.all.filter { $0 % 2 == 0 }
                        == Array(stride(from: 2, through: 42, by: 2)))
                #expect(node.groups.first?.parkedKeys == 0)
                #expect(try await node.deadLetters().isEmpty)
                work.cancel()
                try await work.value
            }
        }
    }

    /// What is being tried again goes on after a restart, and keys stay parked.
    @Test func aRestartForgetsNothing() async throws {
        try await withFolder { folder in
            let world = World()
            try await withSource(folder) { node in
                let jobs = try node.publisher(of: Job.self, key: \.key)
                let work = Task { try await node.run(world.pool(.park)) }
                try await node.waitForWorkers(of: "g")
                for number in 9...15 {
                    try await jobs.publish(
                        Job(number: number, key: "k\(number % 2)"), until: .handled(by: "g"))
                }
                work.cancel()
                try await work.value
                // Nobody works for the group any more.
                #expect(try await node.deadLetters().count == 3)
            }
            try await withSource(folder) { node in
                #expect(node.groups.first?.parkedKeys == 1)
                let jobs = try node.publisher(of: Job.self, key: \.key)
                try await jobs.publish(Job(number: 16, key: "k0"), until: .stored)
                let count = try await node.retryDeadLetters(LetterSelection())
                #expect(count.done == 3)
                #expect(node.groups.first?.lag == 4)
            }
            world.isBroken.store(false, ordering: .relaxed)
            try await withSource(folder) { node in
                #expect(node.groups.first?.lag == 4)
                let work = Task { try await node.run(world.pool(.park)) }
                try await world.done.wait(for: 8)
                #expect(world.done.all.filter { $0 % 2 == 0 } == [10, 12, 14, 16])
                work.cancel()
                try await work.value
            }
        }
    }

    @Test(arguments: [false, true]) func anotherEventTakesItsPlace(isDurable: Bool) async throws {
        try await withFolder { folder in
            try await withSource(isDurable ? folder : nil) { node in
                let world = World()
                let jobs = try node.publisher(of: Job.self, key: \.key)
                let work = Task { try await node.run(world.pool()) }
                try await node.waitForWorkers(of: "g")
                try await jobs.publish(Job(number: -1, key: "k"), until: .handled(by: "g"))
                let letter = try #require(try await node.deadLetters().first)
                #expect(letter.text == "below zero")
                let receipt = try await node.replaceDeadLetter(
                    letter.number, by: Bytes(utf8: #"{"number":1,"key":"k"}"#))
                #expect(receipt.sequence == 2)
                try await world.done.wait(for: 1)
                #expect(try await node.deadLetters().isEmpty)
                await #expect(throws: MartletError.self) {
                    try await node.replaceDeadLetter(letter.number, by: Bytes())
                }
                work.cancel()
                try await work.value
            }
        }
    }
}
