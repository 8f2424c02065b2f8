// An order is created, shipped and delivered: each step is an event, and the handler of one
// publishes the next. All of it is in journals, so that nothing is lost if a process dies between
// two steps. Run it: swift run orders

import Martlet

struct OrderCreated: Event {
    static let topic: Topic = "orders.created"
    var order: String
    var customer: String
}

struct OrderShipped: Event {
    static let topic: Topic = "shipments.shipped"
    var order: String
    var parcel: String
}

struct OrderDelivered: Event {
    static let topic: Topic = "shipments.delivered"
    var order: String
}

/// The record of the orders, as the office sees it.
actor Record {
    /// How far an order is. News of the shop and of the warehouse come in any order, and may come
    /// twice.
    struct Entry {
        var isCreated = false
        var parcel: String?
        var isDelivered = false

        var isComplete: Bool { isCreated && parcel != nil && isDelivered }
    }

    private(set) var entries: [String: Entry] = [:]

    func note(_ order: String, _ change: @Sendable (inout Entry) -> Void) {
        change(&entries[order, default: Entry()])
    }

    var isComplete: Bool { entries.count == 5 && entries.values.allSatisfy(\.isComplete) }
}

let folder = CommandLine.arguments.dropFirst().first ?? "/tmp/martlet-orders-example"
let record = Record()

/// The office keeps the record, and tells the customer at the end.
func office(at addresses: [Endpoint]) async throws {
    let created = WorkerPool(of: OrderCreated.self, group: "office-orders") { order, _ in
        await record.note(order.order) { $0.isCreated = true }
    }
    let shipped = WorkerPool(of: OrderShipped.self, group: "office-shipped") { order, _ in
        await record.note(order.order) { $0.parcel = order.parcel }
    }
    let delivered = WorkerPool(of: OrderDelivered.self, group: "office-delivered") { order, _ in
        await record.note(order.order) { $0.isDelivered = true }
        print("mail: your order \(order.order) is there")
    }
    try await withNode(named: "office", peers: addresses) { node in
        try await withThrowingTaskGroup(of: Void.self) { group in
            for pool in [created, shipped, delivered] {
                group.addTask { try await node.run(pool) }
            }
            try await group.waitForAll()
        }
    }
}

/// The warehouse ships what was ordered: it works for the shop, and publishes itself. An id made of
/// the event's own says which shipment it is, should the warehouse die before it is confirmed.
func warehouse(_ node: Node) async throws {
    let shipments = try node.publisher(of: OrderShipped.self, key: \.order)
    let shipping = WorkerPool(of: OrderCreated.self, group: "warehouse", width: 2) {
        order, delivery in
        try await shipments.publish(
            OrderShipped(order: order.order, parcel: "P-\(order.order.dropFirst(2))"),
            until: .stored, id: "shipped:\(delivery.id)")
    }
    let deliveries = try node.publisher(of: OrderDelivered.self, key: \.order)
    let carrying = WorkerPool(of: OrderShipped.self, group: "carrier", width: 2) {
        order, delivery in
        try await deliveries.publish(
            OrderDelivered(order: order.order), until: .stored, id: "delivered:\(delivery.id)")
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
        for pool in [shipping, carrying] { group.addTask { try await node.run(pool) } }
        try await group.waitForAll()
    }
}

try await withNode(
    named: "shop", listening: "tcp://127.0.0.1:0", journal: folder + "/shop",
    streams: [.durable("orders", partitions: 4)]
) { shop in
    guard let shopAddress = shop.endpoint else { return }
    try await withNode(
        named: "warehouse", listening: "tcp://127.0.0.1:0", peers: [shopAddress],
        journal: folder + "/warehouse", streams: [.durable("shipments", partitions: 4)]
    ) { node in
        guard let warehouseAddress = node.endpoint else { return }
        let work = [
            Task { try await warehouse(node) },
            Task { try await office(at: [shopAddress, warehouseAddress]) },
        ]
        let orders = try shop.publisher(of: OrderCreated.self, key: \.order)
        for number in 1...5 {
            let receipt = try await orders.publish(
                OrderCreated(order: "A-\(number)", customer: "c-\(number % 2)"), until: .stored)
            print("order A-\(number) is \(receipt.level)")
        }
        while await !record.isComplete { try await Task.sleep(for: .milliseconds(10)) }
        for (order, entry) in await record.entries.sorted(by: { $0.key < $1.key }) {
            print("\(order): created, shipped as \(entry.parcel ?? "-"), delivered")
        }
        for task in work { task.cancel() }
        for task in work { try await task.value }
    }
}
