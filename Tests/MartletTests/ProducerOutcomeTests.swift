import Martlet
import MartletTestKit
import Testing

/// Producers that wait for what groups make of their events.
@Suite struct ProducerOutcomeTests {
    struct Invoice: Codable, Sendable, Equatable {
        var number: Int
    }

    private static let billing = WorkerPool(
        of: OrderPlaced.self, group: "billing", width: 4,
        retry: .exponential(from: .milliseconds(1), attempts: 2)
    ) { order, _ in
        guard order.id != 13 else { throw Rejection("unlucky") }
        return Invoice(number: order.id * 10)
    }

    private func withStore(
        _ body: @escaping @Sendable (Node, Endpoint) async throws -> Void
    ) async throws {
        try await within {
            try await withFolder { folder in
                try await withNode(
                    named: "store", listening: "tcp://127.0.0.1:0", journal: folder,
                    streams: [.durable("orders", partitions: 4), .durable("other")]
                ) { node in
                    let work = Task { try await node.run(Self.billing) }
                    try await node.waitForWorkers(of: "billing")
                    try await body(node, try #require(node.endpoint))
                    work.cancel()
                    try await work.value
                }
            }
        }
    }

    @Test func whatBecomesOfAnEventTravelsBack() async throws {
        try await withStore { _, address in
            try await withProducer(named: "web/1", at: address) { producer in
                let done = try await producer.submit(
                    OrderPlaced(id: 7), key: "c", until: .handled(by: "billing"))
                #expect(done.number == 1)
                #expect(try done.outcome?.value(Invoice.self) == Invoice(number: 70))
                let rejected = try await producer.submit(
                    OrderPlaced(id: 13), key: "c", until: .handled(by: "billing"))
                #expect(rejected.outcome == .setAside(.rejected, text: "unlucky"))
                let skipped = try await producer.submit(
                    Bytes(), as: EventDefinition(topic: "other.things"),
                    until: .handled(by: "billing"))
                #expect(skipped.outcome == .skipped)
                let error = await #expect(throws: MartletError.self) {
                    try await producer.submit(
                        OrderPlaced(id: 8), until: .handled(by: "nobody"))
                }
                #expect(error?.code == .wrongState)
                #expect(error?.message.contains("nobody") == true)
            }
        }
    }

    @Test func manyProducersWaitAtOnce() async throws {
        try await withStore { _, address in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for name in 0..<4 {
                    group.addTask {
                        try await withProducer(named: "p-\(name)", at: address) { producer in
                            for id in 100..<150 {
                                let receipt = try await producer.submit(
                                    OrderPlaced(id: id), key: "k\(id % 5)",
                                    until: .handled(by: "billing"))
                                #expect(
                                    try receipt.outcome?.value(Invoice.self).number == id * 10)
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    /// The connection breaks while the group is at work: the producer asks again.
    @Test func anOutcomeOutlivesTheConnection() async throws {
        try await within {
            try await withFolder { folder in
                try await withNode(
                    named: "store", listening: "tcp://127.0.0.1:0", journal: folder,
                    streams: [.durable("orders")]
                ) { node in
                    let (begun, gate) = (Seen<Int>(), AsyncStream<Void>.makeStream())
                    let slow = WorkerPool(of: OrderPlaced.self, group: "slow", width: 1) {
                        order, _ in
                        begun.add(order.id)
                        for await _ in gate.stream {}
                        return Invoice(number: order.id)
                    }
                    let work = Task { try await node.run(slow) }
                    try await node.waitForWorkers(of: "slow")
                    let forwarder = try FaultProxy(to: try #require(node.endpoint))
                    try await withProducer(named: "web", at: forwarder.endpoint) { producer in
                        let waiting = Task {
                            try await producer.submit(
                                OrderPlaced(id: 5),
                                until: .handled(by: "slow", within: .seconds(200)))
                        }
                        try await begun.wait(for: 1)
                        forwarder.cut()
                        gate.continuation.finish()
                        let receipt = try await waiting.value
                        #expect(try receipt.outcome?.value(Invoice.self).number == 5)
                    }
                    work.cancel()
                    try await work.value
                }
            }
        }
    }
}
