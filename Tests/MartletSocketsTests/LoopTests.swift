import Foundation
import MartletCore
import Synchronization
import Testing

@testable import MartletSockets

@Suite(.timeLimit(.minutes(5))) struct LoopTests {
    @Test(arguments: Place.available)
    func carriesMessagesInOrderBothWays(place: Place) async throws {
        try await withSocketLoop { loop in
            let left = try await loop.link(Dealer.self)
            let right = try await loop.link(Dealer.self)
            let bound = try await left.bind(to: place.endpoint())
            defer { removeFile(of: bound) }
            try await right.connect(to: bound)
            let count = 2_000
            let sender = Task {
                for number in 0..<count {
                    try await right.send(Multipart(pattern(number % 3_000, seed: number), Bytes()))
                }
            }
            var number = 0
            for try await message in left.messages {
                #expect(message == Multipart(pattern(number % 3_000, seed: number), Bytes()))
                number += 1
                if number == count { break }
            }
            try await sender.value
            try await left.send(Multipart(Bytes(utf8: "back")))
            #expect(try await right.receive() == [Multipart(Bytes(utf8: "back"))])
        }
    }

    @Test func connectsToNames() async throws {
        try await withSocketLoop { loop in
            let server = try await loop.link(Pull.self)
            let client = try await loop.link(Push.self)
            let bound = try await server.bind(to: "tcp://127.0.0.1:*")
            let addresses = try await client.connect(
                to: Endpoint("tcp://localhost:\(bound.port ?? 0)"))
            #expect(addresses.contains(bound))
            try await client.send(Multipart(Bytes([1])))
            #expect(try await server.receive() == [Multipart(Bytes([1]))])
            try await client.disconnect(from: bound)
            try await server.unbind(from: bound)
            await #expect(throws: MartletError.self) { try await server.unbind(from: bound) }
        }
    }

    @Test func subscribesAndPublishes() async throws {
        try await withSocketLoop { loop in
            let publisher = try await loop.link(Pub.self)
            let subscriber = try await loop.link(Sub.self)
            try await subscriber.subscribe(to: Bytes(utf8: "a"))
            let bound = try await publisher.bind(to: "inproc://publish")
            try await subscriber.connect(to: bound)
            let publishing = Task {
                while !Task.isCancelled {
                    try await publisher.send(Multipart(Bytes(utf8: "b")))
                    try await publisher.send(Multipart(Bytes(utf8: "a")))
                    await Task.yield()
                }
            }
            #expect(try await subscriber.receive()?.first == Multipart(Bytes(utf8: "a")))
            publishing.cancel()
            _ = try? await publishing.value
            try await subscriber.unsubscribe(from: Bytes(utf8: "a"))
        }
    }

    /// A consumer that takes nothing stops the sender; nothing is lost when it goes on.
    @Test func aSlowConsumerHoldsBackItsSender() async throws {
        try await withSocketLoop { loop in
            let receiver = try await loop.link(Pull.self, messages: 10)
            let socket = try await loop.openContext().socket(Push.self)
            try socket.set(.sendHighWaterMark, to: 10)
            let sender = try await loop.link(over: socket, messages: 10)
            try await receiver.set(.receiveHighWaterMark, to: 10)
            let bound = try await receiver.bind(to: "tcp://127.0.0.1:*")
            try await sender.connect(to: bound)
            // Far more than all the queues and the system's buffers hold.
            let count = 3_000
            let content = pattern(10_000)
            let sent = Counter()
            let sending = Task {
                for _ in 0..<count {
                    try await sender.send(Multipart(content))
                    sent.increment()
                }
            }
            // The sender stands in line, and the loop has stopped reading for the receiver.
            while sender.queues.outgoing.waiting == 0
                || !receiver.queues.incoming.isProducerPaused
            { await Task.yield() }
            #expect(sent.value < count)
            var received = 0
            for try await message in receiver.messages {
                #expect(message.first == content)
                received += 1
                if received == count { break }
            }
            try await sending.value
        }
    }

    @Test func leavingTheLoopOfMessagesConsumesNothingFurther() async throws {
        try await withSocketLoop { loop in
            let receiver = try await loop.link(Pull.self)
            let sender = try await loop.link(Push.self)
            try await receiver.bind(to: "inproc://leave")
            try await sender.connect(to: "inproc://leave")
            for number in 0..<100 { try await sender.send(Multipart(pattern(10, seed: number))) }
            var next = 0
            while next < 100 {
                for try await message in receiver.messages {
                    #expect(message == Multipart(pattern(10, seed: next)))
                    next += 1
                    if next.isMultiple(of: 7) || next == 100 { break }
                }
            }
        }
    }

    @Test func returnsWhatCannotBeDelivered() async throws {
        try await withSocketLoop { loop in
            let router = try await loop.link(Router.self)
            try await router.bind(to: "inproc://returned")
            let message = Multipart(Bytes(utf8: "stranger"), Bytes([1]))
            try await router.send(message)
            let returned = try await router.receiveReturned()
            #expect(returned?.map(\.message) == [message])
            #expect(returned?.first?.error.code == .unreachable)
            #expect(router.returnedDropped == 0)

            let tooMany = Multipart(
                first: Bytes(),
                rest: Array(
                    repeating: Bytes(), count: Limits.messagePartsMax + Limits.envelopePartsMax))
            let error = await #expect(throws: MartletError.self) { try await router.send(tooMany) }
            #expect(error?.code == .messageTooLarge)
            #expect(throws: MartletError.self) { try router.offer(tooMany) }
        }
    }

    /// A peer that sends nothing but what is refused must not keep the loop to itself.
    @Test func refusesMessagesOfTooManyPartsAndGoesOn() async throws {
        try await withSocketLoop { loop in
            let receiver = try await loop.link(Pair.self)
            try await receiver.bind(to: "inproc://too-many")
            let socket = try await loop.openContext().socket(Pair.self)
            try socket.connect(to: "inproc://too-many")
            try socket.set(.sendTimeout, to: .milliseconds(100))
            let flood = Flood(socket)
            Thread.detachNewThread { flood.run() }
            while receiver.refusedCount < 1_000 { await Task.yield() }
            // The loop still answers, and other links still work.
            let other = try await loop.link(Pull.self)
            try await other.bind(to: "inproc://other")
            flood.stop()
            while !flood.hasEnded { await Task.yield() }
        }
    }

    @Test func aSocketOfAnotherContextIsRefused() async throws {
        try await withSocketLoop { loop in
            let foreign = try Context().socket(Pull.self)
            do {
                _ = try await loop.link(over: foreign)
                Issue.record("a foreign socket was accepted")
            } catch let error as MartletError {
                #expect(error.code == .invalidArgument)
                #expect(error.message.contains("openContext()"))
            }
        }
    }

    @Test func aConsumerThatLeavesIsReplaced() async throws {
        try await withSocketLoop { loop in
            let receiver = try await loop.link(Pull.self, messages: 10)
            let sender = try await loop.link(Push.self)
            try await receiver.bind(to: "inproc://replaced")
            try await sender.connect(to: "inproc://replaced")
            let count = 500
            let sending = Task {
                for number in 0..<count {
                    try await sender.send(Multipart(pattern(10, seed: number)))
                }
            }
            for number in 0..<count {
                let one = try await receiver.messages.first { _ in true }
                #expect(one == Multipart(pattern(10, seed: number)))
            }
            try await sending.value
        }
    }

    @Test func takesAsManyAsAsked() async throws {
        try await withSocketLoop { loop in
            let receiver = try await loop.link(Pull.self)
            let sender = try await loop.link(Push.self)
            try await receiver.bind(to: "inproc://as-many")
            try await sender.connect(to: "inproc://as-many")
            for number in UInt8(0)..<5 { try await sender.send(Multipart(Bytes([number]))) }
            var seen: [UInt8] = []
            while seen.count < 5 {
                let some = try await receiver.receive(atMost: 2) ?? []
                #expect((1...2).contains(some.count))
                seen += some.map { $0.first.array()[0] }
            }
            #expect(seen == [0, 1, 2, 3, 4])
        }
    }

    /// One peer that does not read must not hold up the others of a ROUTER.
    @Test func aStuckPeerOfARouterHoldsUpNobody() async throws {
        try await withSocketLoop { loop in
            let context = try await loop.openContext()
            let socket = try context.socket(Router.self)
            try socket.set(.sendHighWaterMark, to: 5)
            let router = try await loop.link(over: socket)
            try await router.bind(to: "inproc://stuck")
            let stuck = try context.socket(Dealer.self)
            try stuck.set(.routingID, to: Bytes(utf8: "stuck"))
            try stuck.set(.receiveHighWaterMark, to: 5)
            try stuck.connect(to: "inproc://stuck")
            let lively = try await loop.link(Dealer.self)
            try await lively.set(.routingID, to: Bytes(utf8: "lively"))
            try await lively.connect(to: "inproc://stuck")
            for _ in 0..<20 {
                try await router.send(Multipart(Bytes(utf8: "stuck"), Bytes([1])))
            }
            try await router.send(Multipart(Bytes(utf8: "lively"), Bytes([2])))
            #expect(try await lively.receive() == [Multipart(Bytes([2]))])
            let returned = try await router.receiveReturned()
            #expect(returned?.first?.error.code == .full)
            #expect(returned?.first?.error.isRetriable == true)
        }
    }

    @Test func sleepsUntilItsTimeItsCancellationOrTheEnd() async throws {
        let loop = try SocketLoop()
        let start = ContinuousClock.now
        try await loop.sleep(until: start + .milliseconds(30))
        #expect(ContinuousClock.now >= start + .milliseconds(30))
        let cancelled = Task { try await loop.sleep(until: start + .seconds(3_600)) }
        cancelled.cancel()
        let error = await #expect(throws: MartletError.self) { try await cancelled.value }
        #expect(error?.code == .cancelled)
        let ended = Task { try await loop.sleep(until: start + .seconds(3_600)) }
        while await loop.timerCount == 0 { await Task.yield() }
        await loop.close()
        let closed = await #expect(throws: MartletError.self) { try await ended.value }
        #expect(closed?.code == .closed)
    }
}

final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .relaxed) }
    func increment() { count.add(1, ordering: .relaxed) }
}

/// Sends messages of too many parts from a thread of its own until it is told to stop.
private final class Flood: Sendable {
    private let socket: Mutex<Socket<Pair>>
    private let isStopped = Flag()
    private let ended = Flag()

    init(_ socket: consuming sending Socket<Pair>) { self.socket = Mutex(socket) }

    var hasEnded: Bool { ended.isSet }

    func stop() { isStopped.set() }

    func run() {
        socket.withLock { socket in
            while !isStopped.isSet {
                for number in 0...Limits.messagePartsMax + Limits.envelopePartsMax {
                    let isLast = number == Limits.messagePartsMax + Limits.envelopePartsMax
                    try? socket.send(Message([1]), more: !isLast)
                }
            }
        }
        ended.set()
    }
}
