import MartletCore
import MartletSockets
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(2))) struct LoopTests {
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
            var last = -1
            while sent.value != last || last == 0 {
                last = sent.value
                try await loop.sleep(until: .now + .milliseconds(100))
            }
            #expect(last < count)
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
                first: Bytes(), rest: Array(repeating: Bytes(), count: Limits.messagePartsMax))
            let error = await #expect(throws: MartletError.self) { try await router.send(tooMany) }
            #expect(error?.code == .messageTooLarge)
            #expect(throws: MartletError.self) { try router.offer(tooMany) }
        }
    }

    @Test func countsMessagesOfTooManyParts() async throws {
        try await withSocketLoop { loop in
            let receiver = try await loop.link(Pair.self)
            try await receiver.bind(to: "inproc://too-many")
            let socket = try await loop.openContext().socket(Pair.self)
            try socket.connect(to: "inproc://too-many")
            let part = Bytes([1])
            try socket.send(
                Multipart(
                    first: part, rest: Array(repeating: part, count: Limits.messagePartsMax)))
            try socket.send(Multipart(Bytes([2])))
            #expect(try await receiver.receive() == [Multipart(Bytes([2]))])
            #expect(receiver.refusedCount == 1)
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

@Suite(.timeLimit(.minutes(2))) struct LoopClosingTests {
    @Test func whatIsQueuedGoesOutFirst() async throws {
        let context = try Context()
        let receiver = try context.socket(Pull.self)
        try receiver.beImpatientReceiving()
        let bound = try receiver.bind(to: "tcp://127.0.0.1:*")
        let count = 2_000
        try await withSocketLoop { loop in
            let sender = try await loop.link(Push.self)
            try await sender.connect(to: bound)
            for number in 0..<count {
                try await sender.send(Multipart(pattern(100, seed: number)))
            }
        }
        for number in 0..<count {
            #expect(try receiver.receiveMultipart() == Multipart(pattern(100, seed: number)))
        }
    }

    /// Nobody is there to take the messages: closing gives up when its time is over.
    @Test func aDrainIsBounded() async throws {
        let loop = try SocketLoop()
        let sender = try await loop.link(Push.self)
        try await sender.connect(to: "tcp://127.0.0.1:1")
        try await sender.send(Multipart(Bytes([1])))
        let start = ContinuousClock.now
        await loop.close(drainingFor: .milliseconds(50))
        #expect(ContinuousClock.now - start >= .milliseconds(50))
        let error = await #expect(throws: MartletError.self) {
            try await sender.send(Multipart(Bytes([2])))
        }
        #expect(error?.code == .closed)
    }

    @Test func everythingThatWaitsIsTold() async throws {
        let loop = try SocketLoop()
        let receiver = try await loop.link(Pull.self)
        try await receiver.bind(to: "inproc://waits")
        let sender = try await loop.link(Push.self, messages: 1)
        let receiving = Task { try await receiver.receive() }
        let sending = Task {
            while true { try await sender.send(Multipart(Bytes([1]))) }
        }
        let returning = Task { try await sender.receiveReturned() }
        await loop.close(drainingFor: .milliseconds(10))
        #expect(try await receiving.value == nil)
        #expect(try await returning.value == nil)
        let error = await #expect(throws: MartletError.self) { try await sending.value }
        #expect(error?.code == .closed)
    }

    @Test func aClosedLoopSaysSo() async throws {
        let loop = try SocketLoop()
        let link = try await loop.link(Pull.self)
        await loop.close()
        await loop.close()
        let refusals: [() async throws -> Void] = [
            { _ = try await loop.link(Push.self) },
            { _ = try await loop.openContext() },
            { try await link.bind(to: "inproc://late") },
            { try await link.connect(to: "inproc://late") },
            { try await link.set(.linger, to: .zero) },
            { try await loop.sleep(until: .now) },
            { _ = try await link.monitor() },
        ]
        for refused in refusals {
            let error = await #expect(throws: MartletError.self) { try await refused() }
            #expect(error?.code == .closed)
        }
        #expect(try await link.receive() == nil)
        await link.close()
    }

    @Test func manyMayCloseAtOnce() async throws {
        for _ in 0..<50 {
            let loop = try SocketLoop()
            let link = try await loop.link(Pull.self)
            try await link.bind(to: "inproc://many")
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<4 { group.addTask { await loop.close() } }
                group.addTask { await link.close() }
            }
        }
    }

    @Test func aContextShutDownUnderItsLoopEndsNothingElse() async throws {
        let context = try Context()
        let loop = try SocketLoop(context: context)
        let link = try await loop.link(Pull.self)
        try await link.bind(to: "inproc://shutdown")
        let receiving = Task { try await link.receive() }
        context.shutdown()
        #expect(try await receiving.value == nil)
        let error = await #expect(throws: MartletError.self) {
            try await link.bind(to: "inproc://shutdown-2")
        }
        #expect(error?.code == .closed)
        #expect(await loop.socketCount == 0)
        // The loop itself goes on, and is closed like any other.
        try await loop.sleep(until: .now + .milliseconds(1))
        await loop.close()
    }

    @Test func aLinkClosesAlone() async throws {
        try await withSocketLoop { loop in
            let first = try await loop.link(Pull.self)
            let second = try await loop.link(Pull.self)
            let bound = try await first.bind(to: "tcp://127.0.0.1:*")
            await first.close()
            #expect(try await first.receive() == nil)
            // The address is free again once libzmq's reaper has been by.
            while true {
                do {
                    try await second.bind(to: bound)
                    break
                } catch let error as MartletError where error.code == .addressInUse {
                    await Task.yield()
                }
            }
        }
    }

    @Test func aForgottenLinkClosesItself() async throws {
        try await withSocketLoop { loop in
            var forgotten: ZeroMQLink<Pull>? = try await loop.link(Pull.self)
            try await forgotten?.bind(to: "inproc://forgotten")
            #expect(await loop.socketCount == 1)
            forgotten = nil
            while await loop.socketCount > 0 { await Task.yield() }
        }
    }
}

final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    var value: Int { count.load(ordering: .relaxed) }
    func increment() { count.add(1, ordering: .relaxed) }
}
