import MartletCore
import Testing

@testable import MartletSockets

@Suite(.timeLimit(.minutes(5))) struct InboxTests {
    private func makeInbox(bound: Int = 4, overflow: Inbox<Int>.Overflow = .keepAll) -> Inbox<Int> {
        Inbox(bound: bound, byteBound: 1_000, overflow: overflow)
    }

    @Test func handsOverAllThereIs() async throws {
        let inbox = makeInbox()
        #expect(inbox.push([1, 2], byteCount: 2))
        #expect(inbox.push([3], byteCount: 1))
        #expect(try await inbox.take() == [1, 2, 3])
    }

    @Test(arguments: [([1, 2, 3, 4], 4), ([1], 1_000)])
    func tellsItsProducerToStopAndToGoOn(batch: [Int], byteCount: Int) async throws {
        let inbox = makeInbox()
        #expect(!inbox.push(batch, byteCount: byteCount))
        #expect(inbox.isProducerPaused)
        var wasToldOfRoom = false
        _ = try await inbox.take(onRoom: { wasToldOfRoom = true })
        #expect(wasToldOfRoom)
        #expect(!inbox.isProducerPaused)
    }

    @Test func dropsTheOldestAndCounts() async throws {
        let inbox = makeInbox(overflow: .dropOldest)
        #expect(inbox.push([1, 2, 3], byteCount: 0))
        #expect(inbox.push([4, 5, 6], byteCount: 0))
        #expect(inbox.dropped == 2)
        #expect(try await inbox.take() == [3, 4, 5, 6])
    }

    @Test func wakesAConsumerThatWaits() async throws {
        let inbox = makeInbox()
        let consumer = Task { try await inbox.take() }
        await untilWaiting(inbox)
        inbox.push([7], byteCount: 0)
        #expect(try await consumer.value == [7])
    }

    @Test func aCancelledConsumerConsumesNothing() async throws {
        let inbox = makeInbox(bound: 1_000)
        for round in 0..<500 {
            let consumer = Task { try await inbox.take() }
            if round.isMultiple(of: 2) { await untilWaiting(inbox) }
            async let pushed: Void = { inbox.push([round], byteCount: 0) }()
            consumer.cancel()
            await pushed
            do {
                #expect(try await consumer.value == [round])
            } catch let error as MartletError {
                #expect(error.code == .cancelled)
                #expect(try await inbox.take() == [round])
            }
        }
    }

    @Test func refusesASecondConsumer() async throws {
        let inbox = makeInbox()
        let consumer = Task { try await inbox.take() }
        await untilWaiting(inbox)
        let error = await #expect(throws: MartletError.self) { try await inbox.take() }
        #expect(error?.code == .wrongState)
        inbox.close()
        #expect(try await consumer.value == nil)
    }

    @Test func endsAfterWhatItHolds() async throws {
        let inbox = makeInbox()
        inbox.push([1], byteCount: 0)
        inbox.close()
        inbox.push([2], byteCount: 0)
        #expect(try await inbox.take() == [1])
        #expect(try await inbox.take() == nil)
    }

    @Test func takesBackWhatWasNotUsed() async throws {
        let inbox = makeInbox()
        inbox.push([1, 2, 3], byteCount: 3)
        let taken = try await inbox.take(lending: true) ?? []
        inbox.push([4], byteCount: 1)
        inbox.giveBack(used: taken[..<1], unused: taken[1...]) {}
        #expect(try await inbox.take() == [2, 3, 4])
    }

    @Test func wakesTheNextConsumerWithWhatComesBack() async throws {
        let inbox = makeInbox()
        inbox.push([1, 2], byteCount: 0)
        let taken = try await inbox.take(lending: true) ?? []
        let next = Task { try await inbox.take() }
        await untilWaiting(inbox)
        inbox.giveBack(used: [], unused: taken[...]) {}
        #expect(try await next.value == [1, 2])
    }

    /// What is lent counts until it has been used: taking one of many must not make the queue grow.
    @Test func whatIsLentCountsTowardsTheBound() async throws {
        let inbox = makeInbox(bound: 4)
        #expect(!inbox.push([1, 2, 3, 4], byteCount: 0))
        let taken = try await inbox.take(lending: true) ?? []
        #expect(inbox.isProducerPaused)
        var rooms = 0
        inbox.giveBack(used: taken[..<1], unused: []) { rooms += 1 }
        #expect(rooms == 1)
        #expect(!inbox.isProducerPaused)
        #expect(!inbox.push([5], byteCount: 0))
        inbox.giveBack(used: [], unused: taken[1...]) { rooms += 1 }
        #expect(rooms == 1)
        #expect(inbox.isProducerPaused)
        #expect(try await inbox.take() == [2, 3, 4, 5])
        #expect(!inbox.isProducerPaused)
    }

    @Test func takesNoMoreThanIsAskedFor() async throws {
        let inbox = makeInbox()
        inbox.push([1, 2, 3], byteCount: 0)
        #expect(try await inbox.take(atMost: 2) == [1, 2])
        #expect(try await inbox.take(atMost: 2) == [3])
    }

    @Test func dropsTheOldestByBytesToo() async throws {
        let inbox = Inbox<Int>(bound: 100, byteBound: 10, overflow: .dropOldest, size: { $0 })
        inbox.push([4, 4], byteCount: 8)
        inbox.push([4], byteCount: 4)
        #expect(inbox.dropped == 1)
        inbox.push([50], byteCount: 50)
        #expect(inbox.dropped == 3)
        #expect(try await inbox.take() == [50])
        inbox.push([4, 4], byteCount: 8)
        #expect(inbox.dropped == 3)
    }

    /// However they meet, one of two consumers is refused or both are served; none is forgotten.
    @Test func twoConsumersAtOnceNeverHang() async throws {
        for _ in 0..<2_000 {
            let inbox = makeInbox()
            let consumers = (0..<2).map { _ in Task.detached { try? await inbox.take() } }
            await Task.yield()
            inbox.close()
            for consumer in consumers { #expect(await consumer.value == nil) }
        }
    }

    private func untilWaiting(_ inbox: Inbox<Int>) async {
        while !inbox.hasWaitingConsumer { await Task.yield() }
    }
}

@Suite(.timeLimit(.minutes(5))) struct OutboxTests {
    private func message(_ number: UInt8) -> Multipart { Multipart(Bytes([number])) }

    @Test func boundsMessagesAndBytes() throws {
        let outbox = Outbox(bound: 2, byteBound: 100)
        #expect(try outbox.offer(message(1)))
        #expect(try outbox.offer(message(2)))
        #expect(try !outbox.offer(message(3)))
        #expect(outbox.takeAll() == [message(1), message(2)])
        #expect(try outbox.offer(message(4)))
        #expect(try !outbox.offer(Multipart(pattern(100))))
        #expect(outbox.takeAll() == [message(4)])
        // Alone, a message of any size passes.
        #expect(try outbox.offer(Multipart(pattern(101))))
    }

    @Test func sendersMoveUpInLine() async throws {
        let outbox = Outbox(bound: 1, byteBound: 100)
        try await outbox.send(message(0))
        var senders: [Task<Void, any Error>] = []
        for number in UInt8(1)...3 {
            let sent = message(number)
            senders.append(Task { try await outbox.send(sent) })
            while outbox.waiting < Int(number) { await Task.yield() }
        }
        // Nobody overtakes those in line.
        #expect(try !outbox.offer(message(9)))
        for number in UInt8(0)...3 { #expect(outbox.takeAll() == [message(number)]) }
        for sender in senders { try await sender.value }
        #expect(outbox.isEmpty)
    }

    @Test func aCancelledSenderSendsNothing() async throws {
        let outbox = Outbox(bound: 1, byteBound: 100)
        try await outbox.send(message(0))
        let sent = message(1)
        let sender = Task { try await outbox.send(sent) }
        while outbox.waiting == 0 { await Task.yield() }
        sender.cancel()
        let error = await #expect(throws: MartletError.self) { try await sender.value }
        #expect(error?.code == .cancelled)
        #expect(outbox.takeAll() == [message(0)])
        #expect(outbox.takeAll() == [])
    }

    @Test func closingTurnsAwayThoseInLineAndKeepsWhatIsQueued() async throws {
        let outbox = Outbox(bound: 1, byteBound: 100)
        try await outbox.send(message(0))
        let sent = message(1)
        let sender = Task { try await outbox.send(sent) }
        while outbox.waiting == 0 { await Task.yield() }
        outbox.close()
        let error = await #expect(throws: MartletError.self) { try await sender.value }
        #expect(error?.code == .closed)
        #expect(throws: MartletError.self) { try outbox.offer(message(2)) }
        #expect(outbox.takeAll() == [message(0)])
    }
}
