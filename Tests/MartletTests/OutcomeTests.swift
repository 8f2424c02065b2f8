import Martlet
import Testing

/// Those who publish until a group is done with the event.
@Suite struct OutcomeTests {
    struct Order: Event {
        static let topic: Topic = "orders.new"
        var id: Int
        var cents: Int
    }

    struct Invoice: Codable, Sendable, Equatable {
        var number: Int
    }

    /// Orders of nothing are rejected, those below zero fail each time.
    private static func charge(_ order: Order) throws -> Invoice {
        guard order.cents != 0 else { throw Rejection("nothing to charge") }
        guard order.cents > 0 else { throw MartletError(.failed, "The bank is closed.") }
        return Invoice(number: order.id * 10)
    }

    /// Handlers that wait for something, or for nothing.
    private static func billing(where filter: Filter? = nil, waits: Bool = true) -> WorkerPool {
        let retry = RetryPolicy.exponential(from: .milliseconds(1), attempts: 2)
        guard waits else {
            return WorkerPool(
                of: Order.self, group: "billing", width: 4, where: filter, retry: retry
            ) { order, _ in try charge(order) }
        }
        return WorkerPool(
            of: Order.self, group: "billing", width: 4, where: filter, retry: retry
        ) { order, _ in
            await Task.yield()
            return try charge(order)
        }
    }

    /// A node with a group that has begun.
    private func withShop(
        journal: String? = nil, where filter: Filter? = nil, waits: Bool = true,
        _ body: @escaping @Sendable (Node) async throws -> Void
    ) async throws {
        try await within {
            try await withNode(
                named: "shop", listening: "tcp://127.0.0.1:0", journal: journal,
                streams: journal == nil ? [] : [.durable("orders", partitions: 4)]
            ) { node in
                let work = Task {
                    try await node.run(OutcomeTests.billing(where: filter, waits: waits))
                }
                try await node.waitForWorkers(of: "billing")
                try await body(node)
                work.cancel()
                try await work.value
            }
        }
    }

    @Test(arguments: [false, true], [false, true])
    func whatBecomesOfAnEventIsTold(isDurable: Bool, waits: Bool) async throws {
        try await withFolder { folder in
            try await withShop(journal: isDurable ? folder : nil, waits: waits) { node in
                let orders = try node.publisher(of: Order.self, key: { "c\($0.id % 3)" })
                let done = try await orders.publish(
                    Order(id: 7, cents: 100), until: .handled(by: "billing"))
                #expect(try done.outcome?.value(Invoice.self) == Invoice(number: 70))
                #expect(done.level == .handled(by: "billing"))
                let rejected = try await orders.publish(
                    Order(id: 8, cents: 0), until: .handled(by: "billing"))
                #expect(rejected.outcome == .setAside(.rejected, text: "nothing to charge"))
                let failed = try await orders.publish(
                    Order(id: 9, cents: -1), until: .handled(by: "billing"))
                #expect(failed.outcome == .setAside(.failed, text: "The bank is closed."))
                #expect(throws: MartletError.self) { try failed.outcome?.value(Invoice.self) }
            }
        }
    }

    @Test func manyWaitAtOnce() async throws {
        try await withShop { node in
            let orders = try node.publisher(of: Order.self, key: { "c\($0.id % 7)" })
            try await withThrowingTaskGroup(of: Void.self) { group in
                for id in 1...200 {
                    group.addTask {
                        let receipt = try await orders.publish(
                            Order(id: id, cents: 5), until: .handled(by: "billing"))
                        #expect(try receipt.outcome?.value(Invoice.self).number == id * 10)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test(arguments: [false, true]) func whatAGroupDoesNotWantIsSkipped(
        isDurable: Bool
    ) async throws {
        let filter = try Filter.exact(["subject": "large"])
        try await withFolder { folder in
            try await withShop(journal: isDurable ? folder : nil, where: filter) { node in
                let orders = try node.publisher(of: Order.self)
                let left = try await orders.publish(
                    Order(id: 1, cents: 1), until: .handled(by: "billing"))
                #expect(left.outcome == .skipped)
                let large = try EventAttributes(subject: "large")
                let taken = try await orders.publish(
                    Order(id: 2, cents: 1), until: .handled(by: "billing"), attributes: large)
                #expect(taken.outcome?.isHandled == true)
                // A stream that it does not work for.
                let kind = try EventDefinition(topic: "other.things", contentType: .text)
                let receipt = try await node.publisher(of: kind).publish(
                    Bytes(utf8: "x"), until: .handled(by: "billing"))
                #expect(receipt.outcome == .skipped)
            }
        }
    }

    @Test func aGroupThatNobodyKnowsIsSaidToBeUnknown() async throws {
        try await withShop { node in
            let orders = try node.publisher(of: Order.self)
            let error = await #expect(throws: MartletError.self) {
                try await orders.publish(Order(id: 1, cents: 1), until: .handled(by: "biling"))
            }
            #expect(error?.code == .wrongState)
            #expect(error?.message.contains("biling") == true)
            let receipt = try await orders.publish(Order(id: 2, cents: 1))
            #expect(receipt.sequence == 1)
            await #expect(throws: MartletError.self) {
                try await receipt.reach(.handled(by: "billing"))
            }
        }
    }

    @Test func whoHasWaitedLongEnoughIsTold() async throws {
        try await withShop { node in
            let gate = AsyncStream<Void>.makeStream()
            let stuck = WorkerPool(of: Order.self, group: "stuck", width: 1) { _, _ in
                for await _ in gate.stream {}
            }
            let work = Task { try await node.run(stuck) }
            try await node.waitForWorkers(of: "stuck")
            let orders = try node.publisher(of: Order.self)
            let error = await #expect(throws: MartletError.self) {
                try await orders.publish(
                    Order(id: 1, cents: 1),
                    until: .handled(by: "stuck", within: .milliseconds(50)))
            }
            #expect(error?.code == .timedOut)
            let waiting = Task {
                try await orders.publish(
                    Order(id: 2, cents: 1), until: .handled(by: "stuck"))
            }
            waiting.cancel()
            let cancelled = await #expect(throws: MartletError.self) {
                _ = try await waiting.value
            }
            #expect(cancelled?.code == .cancelled)
            gate.continuation.finish()
            work.cancel()
            try await work.value
        }
    }
}
