import Martlet
import Testing

/// Cursors: what a reader remembers.
@Suite(.timeLimit(.minutes(5))) struct CursorTests {
    /// Runs a durable publisher with so many events, and a body that reads there.
    private func withOrders(
        _ count: Int, _ body: @escaping @Sendable (Endpoint, String) async throws -> Void
    ) async throws {
        try await within {
            try await withFolder { folder in
                try await withNode(
                    named: "publisher", listening: "tcp://127.0.0.1:0",
                    journal: folder + "/publisher", streams: [.durable("orders", partitions: 3)]
                ) { publisher in
                    let orders = try publisher.publisher(of: OrderPlaced.self)
                    for id in 0..<count { try await orders.publish(OrderPlaced(id: id)) }
                    try await body(try #require(publisher.endpoint), folder + "/reader")
                }
            }
        }
    }

    private func read(
        _ count: Int, at address: Endpoint, journal: String, from start: Start = .cursor("ledger")
    ) async throws -> [Int] {
        try await withNode(named: "reader", peers: [address], journal: journal) { reader in
            try await reader.subscribe(to: OrderPlaced.self, from: start) { events in
                var ids: [Int] = []
                for try await (order, _) in events {
                    // The last one is not handled: the loop is left with it.
                    if ids.count == count { break }
                    ids.append(order.id)
                }
                return ids
            }
        }
    }

    /// A reader goes on where it was, from life to life: within a frame too.
    @Test func aReaderGoesOnWhereItWas() async throws {
        try await withOrders(50) { address, journal in
            var ids: [Int] = []
            for count in [1, 7, 20, 15] {
                ids += try await read(count, at: address, journal: journal)
            }
            #expect(ids == Array(0..<43))
        }
    }

    /// By hand: what was not said to be handled comes again.
    @Test func cursorsCanBeMovedByHand() async throws {
        try await withOrders(20) { address, journal in
            try await withNode(named: "reader", peers: [address], journal: journal) { reader in
                for round in 0..<3 {
                    let start = try reader.cursor(named: "mine")
                    try await reader.subscribe(
                        to: OrderPlaced.self, from: .after(start)
                    ) { events in
                        var count = 0
                        for try await (order, delivery) in events {
                            #expect(order.id == round * 2 + count)
                            count += 1
                            if count == 2 {
                                try await reader.move(cursor: "mine", to: [delivery.position])
                            }
                            if count == 4 { break }
                        }
                    }
                }
                let beyond = Position(
                    channel: Channel(node: reader.id, stream: "orders", lane: 0),
                    epoch: reader.startEpoch, sequence: .max)
                await #expect(throws: MartletError.self) {
                    try await reader.move(cursor: "mine", to: [beyond])
                }
                #expect(try reader.cursorNames() == ["mine"])
                try await reader.forget(cursor: "mine")
                #expect(try reader.cursorNames() == [])
            }
        }
    }

    @Test func aCursorHasOneSubscription() async throws {
        try await withOrders(1) { address, journal in
            try await withNode(named: "reader", peers: [address], journal: journal) { reader in
                try await reader.subscribe(
                    to: OrderPlaced.self, from: .cursor("ledger")
                ) { _ in
                    await #expect(throws: MartletError.self) {
                        try await reader.subscribe(
                            to: OrderPlaced.self, from: .cursor("ledger")
                        ) { _ in }
                    }
                    await #expect(throws: MartletError.self) {
                        try await reader.move(cursor: "ledger", to: [])
                    }
                }
            }
            await #expect(throws: MartletError.self) {
                try await withNode(named: "reader", peers: [address]) { reader in
                    try await reader.subscribe(
                        to: OrderPlaced.self, from: .cursor("ledger")
                    ) { _ in }
                }
            }
        }
    }

    /// The cursor is stored while events are handled, not only at the end.
    @Test func cursorsAreStoredInBetween() async throws {
        try await withOrders(1_500) { address, journal in
            try await withNode(named: "reader", peers: [address], journal: journal) { reader in
                try await reader.subscribe(
                    to: OrderPlaced.self, from: .cursor("ledger")
                ) { events in
                    var iterator = events.makeAsyncIterator()
                    for _ in 0..<1_400 { _ = try await iterator.next() }
                    while try reader.cursor(named: "ledger").first?.sequence ?? 0 < 1_000 {
                        await Task.yield()
                    }
                    // What was handled since is stored before long, without another event.
                    while try reader.cursor(named: "ledger").first?.sequence != 1_399 {
                        await Task.yield()
                    }
                }
            }
        }
    }
}
