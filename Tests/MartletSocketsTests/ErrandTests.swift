import Dispatch
import MartletCore
import Synchronization
import Testing

@testable import MartletSockets

/// An errand that takes until it is let go.
private final class HeldErrand: LoopErrand {
    private let hasBegun = DispatchSemaphore(value: 0)
    private let mayEnd = DispatchSemaphore(value: 0)
    private let due = Atomic<Bool>(false)
    private let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void = {}) { self.body = body }

    var isDue: Bool { due.load(ordering: .sequentiallyConsistent) }

    /// True once for each time it is due.
    func take() -> Bool { due.exchange(false, ordering: .sequentiallyConsistent) }

    func run() {
        body()
        hasBegun.signal()
        mayEnd.wait()
    }

    /// Sends the loop's thread on it, and returns once it has left.
    func begin(on loop: SocketLoop) async {
        due.store(true, ordering: .sequentiallyConsistent)
        loop.notify()
        await blocking { self.hasBegun.wait() }
    }

    func end() { mayEnd.signal() }
}

/// Waits on a thread of its own.
private func blocking(_ body: @escaping @Sendable () -> Void) async {
    await withCheckedContinuation { continuation in
        do {
            try DedicatedThread.start(named: "blocking") {
                body()
                continuation.resume()
            }
        } catch {
            Issue.record(error)
            continuation.resume()
        }
    }
}

/// Sends the loop on an errand when one is due, as soon as it has nothing else to do.
private final class ErrandDriver: LoopDriver {
    private let errand: HeldErrand

    init(_ errand: HeldErrand) { self.errand = errand }

    func deliver(on loop: isolated SocketLoop) {}

    func turn(on loop: isolated SocketLoop) -> ContinuousClock.Instant {
        .now + (errand.isDue ? .milliseconds(1) : .seconds(1))
    }

    func serve(isIdle: Bool, on loop: isolated SocketLoop) -> (any LoopErrand)? {
        isIdle && errand.take() ? errand : nil
    }
}

extension SocketLoop {
    /// The thread that the loop is on.
    fileprivate func currentThread() -> DedicatedThread { .current }

    /// Whether the loop is on this thread.
    fileprivate func isOn(_ thread: DedicatedThread) -> Bool { thread.isCurrent }
}

@Suite(.timeLimit(.minutes(5))) struct ErrandTests {
    private func withErrand(
        _ errand: HeldErrand = HeldErrand(),
        _ body: (SocketLoop, HeldErrand) async throws -> Void
    ) async throws {
        let loop = try SocketLoop()
        try await loop.install { (_) throws(MartletError) in ErrandDriver(errand) }
        do { try await body(loop, errand) } catch {
            errand.end()
            await loop.close(drainingFor: .zero)
            throw error
        }
        await loop.close(drainingFor: .zero)
    }

    @Test func socketsAreLentMeanwhile() async throws {
        let link = Mutex<ZeroMQLink<Dealer>?>(nil)
        let errand = HeldErrand {
            let left = link.withLock { $0 }
            #expect((try? left?.offer([Multipart(Bytes(utf8: "meanwhile"))])) == 1)
        }
        try await withErrand(errand) { loop, errand in
            let left = try await loop.link(Dealer.self)
            let bound = try await left.bind(to: "tcp://127.0.0.1:0")
            link.withLock { $0 = left }
            try await withSocketLoop { other in
                let right = try await other.link(Dealer.self)
                try await right.connect(to: bound)
                try await right.send(Multipart(Bytes(utf8: "hello")))
                #expect(try await left.receive() == [Multipart(Bytes(utf8: "hello"))])
                await errand.begin(on: loop)
                // The loop's thread is away, and nobody stands in for it.
                #expect(try await right.receive() == [Multipart(Bytes(utf8: "meanwhile"))])
                errand.end()
            }
        }
    }

    @Test func whoStandsInRunsTheLoop() async throws {
        try await withErrand { loop, errand in
            let own = await loop.currentThread()
            await errand.begin(on: loop)
            let number = try #require(loop.errand)
            let standIn = Task { await blocking { loop.standIn(during: number) } }
            // What the actor is asked, and what its links carry, goes on.
            #expect(await !loop.isOn(own))
            let left = try await loop.link(Dealer.self)
            let right = try await loop.link(Dealer.self)
            try await right.connect(to: try await left.bind(to: "tcp://127.0.0.1:0"))
            try await left.send(Multipart(Bytes(utf8: "served")))
            #expect(try await right.receive() == [Multipart(Bytes(utf8: "served"))])
            // Its timers come up too, and wake whoever stands in.
            try await loop.sleep(until: .now + .milliseconds(20))
            errand.end()
            await standIn.value
            #expect(await loop.isOn(own))
            #expect(loop.errand == nil)
            try await left.send(Multipart(Bytes(utf8: "back")))
            #expect(try await right.receive() == [Multipart(Bytes(utf8: "back"))])
            #expect(await loop.untoldCount == 0)
        }
    }

    @Test func nobodyStandsInForAnErrandThatIsOver() async throws {
        try await withErrand { loop, errand in
            await errand.begin(on: loop)
            let first = try #require(loop.errand)
            errand.end()
            while loop.errand != nil { await Task.yield() }
            loop.standIn(during: first)
            await errand.begin(on: loop)
            #expect(loop.errand != first)
            loop.standIn(during: first)
            errand.end()
        }
    }

    @Test func aLoopMayBeClosedWhileItsThreadIsAway() async throws {
        try await withErrand { loop, errand in
            await errand.begin(on: loop)
            let number = try #require(loop.errand)
            async let standIn: Void = blocking { loop.standIn(during: number) }
            async let closing: Void = loop.close(drainingFor: .zero)
            // Who stood in has closed the sockets.
            await standIn
            errand.end()
            await closing
            await #expect(throws: MartletError.self) { try await loop.link(Dealer.self) }
        }
    }
}
