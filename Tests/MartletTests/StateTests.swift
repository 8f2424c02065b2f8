import Martlet
import Testing

/// States that are made of events, together with how far they have got.
@Suite(.timeLimit(.minutes(5))) struct StateTests {
    private struct Refusal: Error {}

    /// Whatever handler fails and whatever life ends, each event counts once.
    @Test func eachEventCountsOnce() async throws {
        try await within {
            try await withFolder { folder in
                try await withNode(
                    named: "publisher", listening: "tcp://127.0.0.1:0",
                    journal: folder + "/journal", streams: [.durable("orders", partitions: 3)]
                ) { publisher in
                    let orders = try publisher.publisher(of: OrderPlaced.self, key: \.customer)
                    for id in 1...300 {
                        try await orders.publish(
                            OrderPlaced(id: id, customer: "c-\(id % 7)"), until: .stored)
                    }
                    let address = try #require(publisher.endpoint)
                    for life in 1...4 {
                        try await Self.keep(
                            at: address, folder + "/totals.sqlite", failingAt: life * 70)
                    }
                }
            }
        }
    }

    /// Counts orders by customer until all are there, or until the handler fails.
    private static func keep(
        at address: Endpoint, _ file: String, failingAt failure: Int
    ) async throws {
        let (counts, count) = AsyncStream<Int64>.makeStream()
        let reading = Task {
            try await withNode(named: "reader", peers: [address]) { node in
                try await node.keepState(
                    of: OrderPlaced.self, in: file, named: "totals",
                    preparing: { transaction in
                        try transaction.execute(
                            "CREATE TABLE IF NOT EXISTS totals (customer PRIMARY KEY, n, sum)")
                    }
                ) { order, delivery, transaction in
                    try transaction.execute(
                        """
                        INSERT INTO totals VALUES (?, 1, ?)
                        ON CONFLICT DO UPDATE SET n = n + 1, sum = sum + excluded.sum
                        """, order.customer, order.id)
                    if order.id == failure, failure < 280 { throw Refusal() }
                    let all = try transaction.query("SELECT sum(n), sum(sum) FROM totals")
                    if case .integer(let number) = all[0][0] { count.yield(number) }
                    // The sum says which: none is missing, and none came twice.
                    if all[0][0] == 300 { #expect(all[0][1] == .integer(300 * 301 / 2)) }
                }
            }
        }
        if failure < 280 {
            await #expect(throws: Refusal.self) { try await reading.value }
            return
        }
        for await number in counts where number == 300 { break }
        reading.cancel()
        _ = try? await reading.value
    }

    @Test func aWrongStatementIsExplained() async throws {
        try await withFolder { folder in
            try await withNode(named: "n", journal: folder) { node in
                let error = await #expect(throws: MartletError.self) {
                    try await node.keepState(
                        of: OrderPlaced.self, in: folder + "/s.sqlite", named: "s",
                        preparing: { try $0.execute("CREATE TABEL t (x)") }
                    ) { _, _, _ in }
                }
                #expect(error?.message.contains("TABEL") == true)
            }
        }
    }
}
