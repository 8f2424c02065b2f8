import MartletCore
import Synchronization
import Testing

@testable import MartletSockets

/// Tasks on the loop's own thread.
@Suite(.timeLimit(.minutes(5))) struct TaskExecutorTests {
    @Test(arguments: [Duration.zero, .milliseconds(1)])
    func aTaskThereIsHandedWhatComes(spinTime: Duration) async throws {
        let loop = try SocketLoop(spinTime: spinTime)
        let server = try await loop.link(Pull.self)
        let client = try await loop.link(Push.self)
        let bound = try await server.bind(to: "tcp://127.0.0.1:0")
        try await client.connect(to: bound)
        let sender = Task {
            for number in 0..<2_000 { try await client.send(Multipart(pattern(50, seed: number))) }
        }
        try await withTaskExecutorPreference(loop.taskExecutor) {
            var number = 0
            for try await message in server.messages {
                #expect(loop.executor.isIsolatingCurrentContext() == true)
                #expect(message == Multipart(pattern(50, seed: number)))
                number += 1
                if number == 2_000 { break }
            }
        }
        #expect(loop.executor.isIsolatingCurrentContext() == false)
        try await sender.value
        await loop.close(drainingFor: .zero)
    }

    /// Calls on the loop, which are its actor's, and on other actors come back to its thread.
    @Test func itMayCallTheLoop() async throws {
        try await withSocketLoop { loop in
            try await withTaskExecutorPreference(loop.taskExecutor) {
                let link = try await loop.link(Dealer.self)
                #expect(try await link.bind(to: "tcp://127.0.0.1:0").port != 0)
                try await loop.sleep(until: .now)
                await Task.yield()
                #expect(loop.executor.isIsolatingCurrentContext() == true)
                await link.close(drainingFor: .zero)
            }
        }
    }

    @Test func aTaskThatOutlivesTheLoopGoesOnElsewhere() async throws {
        let loop = try SocketLoop()
        let (steps, continuation) = AsyncStream.makeStream(of: Int.self)
        let outliving = Task(executorPreference: loop.taskExecutor) {
            var sum = 0
            for await step in steps { sum += step }
            return sum
        }
        continuation.yield(1)
        await loop.close(drainingFor: .zero)
        continuation.yield(2)
        continuation.finish()
        #expect(await outliving.value == 3)
    }

    @Test func aTaskThatNeverWaitsDoesNotHoldUpTheEnd() async throws {
        let loop = try SocketLoop()
        let isOver = Atomic<Bool>(false)
        async let busy: Void = Task(executorPreference: loop.taskExecutor) {
            while !isOver.load(ordering: .relaxed) { await Task.yield() }
        }.value
        await loop.close(drainingFor: .zero)
        isOver.store(true, ordering: .relaxed)
        await busy
    }

    /// The thread that closes the loop may not be the one that it joins.
    @Test func aTaskThereMayCloseTheLoop() async throws {
        let loop = try SocketLoop()
        await Task(executorPreference: loop.taskExecutor) {
            await loop.close(drainingFor: .zero)
        }.value
        await #expect(throws: MartletError.self) { try await loop.link(Pull.self) }
    }

    /// Between two jobs of a task that never waits, messages come and go.
    @Test func aTaskThatOnlyYieldsHoldsUpNobody() async throws {
        try await withSocketLoop { loop in
            let isOver = Atomic<Bool>(false)
            async let busy: Void = Task(executorPreference: loop.taskExecutor) {
                while !isOver.load(ordering: .relaxed) { await Task.yield() }
            }.value
            let server = try await loop.link(Pull.self)
            let client = try await loop.link(Push.self)
            try await client.connect(to: try await server.bind(to: "tcp://127.0.0.1:0"))
            for number in 0..<20 {
                try await client.send(Multipart(pattern(50, seed: number)))
                #expect(try await server.receive() == [Multipart(pattern(50, seed: number))])
            }
            isOver.store(true, ordering: .relaxed)
            await busy
        }
    }
}
