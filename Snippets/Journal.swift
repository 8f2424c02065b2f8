// Samples of Docs/durability.md. Run it: swift run Journal

import Foundation
import Martlet

struct OrderPlaced: Event {
    static let topic: Topic = "orders.placed"
    var id: String
    var customer: String
    var cents: Int
}

let folder = NSTemporaryDirectory() + "martlet-sample-\(UUID().uuidString)"
defer { try? FileManager.default.removeItem(atPath: folder) }
try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
guard FileManager.default.changeCurrentDirectoryPath(folder) else {
    fatalError("there is no \(folder)")
}
try await store()
try await follow()
try await submit()
try await look()

func store() async throws {
    // begin store
    try await withNode(
        named: "shop", listening: "tcp://127.0.0.1:5550", journal: "shop.journal",
        streams: [.durable("orders", retention: .age(.seconds(30 * 86_400)))]
    ) { node in
        let orders = try node.publisher(of: OrderPlaced.self, key: \.customer)
        let order = OrderPlaced(id: "A-17", customer: "c-9", cents: 4_200)
        let receipt = try await orders.publish(order, until: .stored)
        print("on disk as \(receipt.position.sequence)")
    }
    // end store
}

func follow() async throws {
    // The shop again: what it stored is there.
    try await withNode(
        named: "shop", listening: "tcp://127.0.0.1:5550", journal: "shop.journal"
    ) { _ in
        // begin cursor
        try await withNode(
            named: "ledger", peers: ["tcp://127.0.0.1:5550"], journal: "ledger.journal"
        ) { node in
            try await node.subscribe(
                to: OrderPlaced.self, from: .cursor("ledger")
            ) { orders in
                for try await (order, delivery) in orders {
                    print("\(delivery.id): \(order.cents)")
                    break
                }
            }
        }
        // end cursor
    }
}

func keepTotals() async throws {
    // begin state
    try await withNode(named: "totals", peers: ["tcp://127.0.0.1:5550"]) { node in
        try await node.keepState(
            of: OrderPlaced.self, in: "totals.sqlite", named: "totals",
            preparing: { transaction in
                try transaction.execute(
                    "CREATE TABLE IF NOT EXISTS totals (customer TEXT PRIMARY KEY, cents INTEGER)")
            }
        ) { order, _, transaction in
            try transaction.execute(
                """
                INSERT INTO totals VALUES (?, ?)
                ON CONFLICT DO UPDATE SET cents = cents + excluded.cents
                """, order.customer, order.cents)
        }
    }
    // end state
}

func submit() async throws {
    let orders = (1...3).map { OrderPlaced(id: "B-\($0)", customer: "c-9", cents: 900) }
    try await withNode(
        named: "shop", listening: "tcp://127.0.0.1:5550", journal: "shop.journal"
    ) { _ in
        // begin submit
        try await withProducer(named: "import-7", at: "tcp://127.0.0.1:5550") { producer in
            // What another process of this name has submitted is passed by.
            for order in orders.dropFirst(Int(producer.next - 1)) {
                try await producer.submit(order, key: order.customer, until: .queued)
            }
        }
        // end submit
    }
}

func look() async throws {
    // begin history
    try await withJournal(at: "shop.journal") { journal in
        let yesterday = Timestamp(microseconds: Timestamp.now.microseconds - 86_400_000_000)
        let history = journal.events(on: ["orders.>"], from: .time(yesterday ?? .earliest))
        for try await event in history { print(event.time, event.topic) }
    }
    // end history
}
