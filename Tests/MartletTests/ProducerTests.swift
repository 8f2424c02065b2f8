import Martlet
import Synchronization
import Testing

private final class Flag: Sendable {
    private let value = Atomic<Bool>(false)

    var isSet: Bool { value.load(ordering: .relaxed) }

    func set() { value.store(true, ordering: .relaxed) }
}

/// Producers that come and go, over sockets and on the disk.
@Suite struct ProducerTests {
    private func withStore<Result>(
        in folder: String, at endpoint: Endpoint = "tcp://127.0.0.1:0",
        _ body: (Node, Endpoint) async throws -> Result
    ) async throws -> Result {
        try await withNode(
            named: "store", listening: endpoint, journal: folder,
            streams: [.durable("orders", partitions: 4), .live("metrics")]
        ) { node in
            try await body(node, try #require(node.endpoint))
        }
    }

    /// What is stored, in the order of each lane.
    private func stored(in folder: String) async throws -> [RecordedEvent] {
        try await withJournal(at: folder) { journal in
            var events: [RecordedEvent] = []
            for try await event in journal.events() { events.append(event) }
            return events
        }
    }

    @Test func eventsAreStoredAndDelivered() async throws {
        try await within {
            try await withFolder { folder in
                try await withStore(in: folder) { node, address in
                    let receipts = try await withProducer(named: "web/1", at: address) {
                        producer in
                        #expect(producer.next == 1)
                        let first = try await producer.submit(OrderPlaced(id: 7), key: "c-9")
                        let second = try await producer.submit(
                            Bytes(utf8: "x"), as: EventDefinition(topic: "orders.noted"))
                        let last = try await producer.submit(OrderPlaced(id: 8), until: .queued)
                        #expect(producer.next == 4)
                        return [first, second, last]
                    }
                    #expect(receipts.map(\.number) == [1, 2, 3])
                    #expect(receipts.map(\.level) == [.stored, .stored, .queued])
                    #expect(receipts[1].position?.channel.lane == 0)
                    #expect((1...4).contains(receipts[0].position?.channel.lane ?? 0))
                    #expect(receipts[0].position?.epoch == node.startEpoch)
                    let events = try await node.subscribe(to: ["orders.>"], from: .beginning) {
                        events in
                        var all: [RecordedEvent] = []
                        for try await (event, _) in events {
                            all.append(event)
                            if all.count == 3 { break }
                        }
                        return all
                    }
                    let order = try #require(events.first { $0.key == "c-9" })
                    #expect(order.position == receipts[0].position)
                    #expect(order.eventID == EventID(source: "martlet:web/1", id: "1"))
                    #expect(try order.decode(as: OrderPlaced.self).id == 7)
                    #expect(Set(events.map(\.id)) == ["1", "2", "3"])
                }
            }
        }
    }

    /// A process that takes the place of another goes on behind what is stored.
    @Test func theNextProcessGoesOn() async throws {
        try await within {
            try await withFolder { folder in
                for _ in 0..<3 {
                    try await withStore(in: folder) { _, address in
                        for _ in 0..<2 {
                            try await withProducer(named: "import", at: address) { producer in
                                let rows = (0..<60).map { OrderPlaced(id: $0) }
                                for row in rows.dropFirst(Int(producer.next - 1)).prefix(10) {
                                    try await producer.submit(row, until: .queued)
                                }
                                try await producer.flush()
                            }
                        }
                    }
                }
                let ids = try await stored(in: folder).map {
                    try $0.decode(as: OrderPlaced.self).id
                }
                #expect(ids == Array(0..<60))
            }
        }
    }

    /// The node dies and comes back again and again under a producer that goes on.
    @Test func aProducerOutlivesItsNode() async throws {
        try await within {
            try await withFolder { folder in
                let address = try Endpoint("tcp://127.0.0.1:\(freePort())")
                let isOver = Flag()
                let submitting = Task {
                    // On a busy machine the node may be away for long.
                    try await withProducer(
                        named: "import", at: address, timeout: .seconds(200)
                    ) { producer in
                        var count = 0
                        while !isOver.isSet {
                            try await producer.submit(
                                OrderPlaced(id: count), key: "\(count % 7)",
                                until: count.isMultiple(of: 100) ? .stored : .queued)
                            count += 1
                        }
                        return count
                    }
                }
                var count = 0
                for life in 1...3 {
                    count = try await withStore(in: folder, at: address) { node, _ in
                        try await node.subscribe(to: ["orders.>"]) { events in
                            for try await _ in events { return }
                        }
                        guard life == 3 else { return 0 }
                        isOver.set()
                        return try await submitting.value
                    }
                }
                let events = try await stored(in: folder)
                #expect(Set(events.map(\.id)).count == events.count)
                let ids = try events.map { try $0.decode(as: OrderPlaced.self).id }
                #expect(ids.sorted() == Array(0..<count))
                for key in Set(events.map(\.key)) {
                    let own = try events.filter { $0.key == key }.map {
                        try $0.decode(as: OrderPlaced.self).id
                    }
                    #expect(own == own.sorted())
                }
            }
        }
    }

    /// Of two processes of one name the later one goes on, and the other is told.
    @Test func aProducerIsReplaced() async throws {
        try await within {
            try await withFolder { folder in
                try await withStore(in: folder) { _, address in
                    let refused = Seen<MartletError.Code>()
                    let error = await #expect(throws: MartletError.self) {
                        try await withProducer(named: "web", at: address) { first in
                            try await first.submit(OrderPlaced(id: 1))
                            try await withProducer(named: "web", at: address) { second in
                                guard second.next == 2 else { return }
                                try await second.submit(OrderPlaced(id: 2))
                            }
                            do throws(MartletError) {
                                try await first.submit(OrderPlaced(id: 3))
                            } catch { refused.add(error.code) }
                        }
                    }
                    #expect(refused.all == [.wrongState])
                    #expect(error?.code == .wrongState)
                }
                #expect(try await stored(in: folder).count == 2)
            }
        }
    }

    @Test func whatCannotBeSubmittedIsRefused() async throws {
        try await within {
            try await withFolder { folder in
                try await withStore(in: folder) { _, address in
                    try await withProducer(named: "web", at: address) { producer in
                        let live = try EventDefinition(topic: "metrics.load")
                        let unknown = await #expect(throws: MartletError.self) {
                            try await producer.submit(Bytes(utf8: "1"), as: live)
                        }
                        #expect(unknown?.message.contains("orders") == true)
                        let large = Bytes([UInt8](repeating: 0, count: Limits.eventBytesMax - 10))
                        let kind = try EventDefinition(topic: "orders.placed")
                        let refused = await #expect(throws: MartletError.self) {
                            try await producer.submit(large, as: kind)
                        }
                        #expect(refused?.code == .messageTooLarge)
                        // Nothing was numbered, and it goes on.
                        let most = large[0..<(Limits.eventBytesMax - Limits.submissionMargin)]
                        #expect(try await producer.submit(most, as: kind).number == 1)
                    }
                }
                #expect(try await stored(in: folder).count == 1)
            }
        }
    }

    private func refusal(by configuration: NodeConfiguration) async throws -> MartletError? {
        try await withNode(configuration) { node in
            let address = try #require(node.endpoint)
            return await #expect(throws: MartletError.self) {
                try await withProducer(named: "web", at: address) { _ in }
            }
        }
    }

    @Test func nodesThatTakeNothingSaySo() async throws {
        try await within {
            var configuration = NodeConfiguration(name: "n", listening: "tcp://127.0.0.1:0")
            #expect(try await refusal(by: configuration)?.code == .wrongState)
            try await withFolder { folder in
                configuration.journal = folder
                configuration.streams = [try .durable("orders")]
                configuration.acceptsProducers = false
                #expect(try await refusal(by: configuration)?.code == .wrongState)
            }
            let nobody = try Endpoint("tcp://127.0.0.1:\(freePort())")
            let late = await #expect(throws: MartletError.self) {
                try await withProducer(named: "web", at: nobody, timeout: .milliseconds(200)) {
                    _ in
                }
            }
            #expect(late?.code == .timedOut)
            await #expect(throws: MartletError.self) {
                try await withProducer(named: "a b", at: nobody) { _ in }
            }
        }
    }

    /// What was submitted is stored although its task is cancelled, and what `body` throws comes
    /// out.
    @Test func leavingLosesNothing() async throws {
        struct Stop: Error {}
        try await within {
            try await withFolder { folder in
                try await withStore(in: folder) { _, address in
                    await #expect(throws: Stop.self) {
                        try await withProducer(named: "web", at: address) { producer in
                            try await producer.submit(OrderPlaced(id: 1), until: .queued)
                            throw Stop()
                        }
                    }
                    let task = Task {
                        try await withProducer(named: "web", at: address) { producer in
                            withUnsafeCurrentTask { unsafe $0?.cancel() }
                            do throws(MartletError) {
                                // The node may have been quicker.
                                let receipt = try await producer.submit(OrderPlaced(id: 2))
                                #expect(receipt.position != nil)
                            } catch { #expect(error.code == .cancelled) }
                        }
                    }
                    try await task.value
                }
                #expect(try await stored(in: folder).count == 2)
            }
        }
    }
}
