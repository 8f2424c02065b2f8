// Samples of README.md, Docs/publishing.md and Docs/subscribing.md. Run it: swift run Fanout

import Martlet

struct OrderPlaced: Event {
    static let topic: Topic = "orders.placed"
    var id: String
    var customer: String
    var region: String = "eu"
    var cents: Int
}

try await publishAndSubscribe()
try await publish()
try await subscribe()

/// The smallest program that publishes, and the smallest that reads, in one process.
func publishAndSubscribe() async throws {
    async let reading: Void = readOrders()
    try await publishOrders()
    try await reading
}

func publishOrders() async throws {
    // begin publish
    try await withNode(named: "shop", listening: "tcp://127.0.0.1:5550") { node in
        let orders = try node.publisher(of: OrderPlaced.self, key: \.customer)
        try await orders.waitForSubscribers()
        for number in 1...1_000 {
            try await orders.publish(
                OrderPlaced(id: "A-\(number)", customer: "c-\(number % 50)", cents: 4_200))
        }
    }
    // end publish
}

func readOrders() async throws {
    // begin subscribe
    try await withNode(named: "billing", peers: ["tcp://127.0.0.1:5550"]) { node in
        try await node.subscribe(to: OrderPlaced.self) { orders in
            var cents = 0
            var count = 0
            for try await (order, delivery) in orders {
                if delivery.missed > 0 { print("\(delivery.missed) lost before \(delivery.id)") }
                cents += order.cents
                count += 1
                if count == 1_000 { break }
            }
            print("\(count) orders, \(cents) cents")
        }
    }
    // end subscribe
}

func publish() async throws {
    // begin configuration
    var configuration = NodeConfiguration(name: "shop", listening: "tcp://127.0.0.1:0")
    configuration.streams = [
        try .live("orders", partitions: 4, ringBytes: 256 << 20),
        try .live("audit", whenReadersLag: .wait),
    ]
    configuration.publishTimeout = .seconds(5)
    // end configuration
    try await withNode(configuration) { node in
        // begin topics
        let orders = try node.publisher(
            of: OrderPlaced.self, topic: { try Topic("orders.\($0.region).placed") },
            key: \.customer)
        // end topics
        let order = OrderPlaced(id: "A-17", customer: "c-9", cents: 4_200)
        // begin receipt
        let receipt = try await orders.publish(
            order, attributes: EventAttributes(subject: "A-17", ["correlationid": "checkout-8"]))
        print(receipt.position)
        // end receipt

        // begin offer
        if try orders.offer(order) == nil {
            print("too much waits to be sent: the order was not taken")
        }
        // end offer

        // begin raw
        let notes = try node.publisher(
            of: EventDefinition(topic: "audit.note", contentType: .text))
        try await notes.publish(Bytes(utf8: "order A-17 looks odd"), key: "A-17")

        let foreign = try CloudEvent(
            id: "77", source: "/legacy", type: "orders.imported", contentType: .json,
            data: Bytes(utf8: #"{"id": "A-0"}"#))
        try await node.publish(foreign)
        // end raw
    }
}

func subscribe() async throws {
    try await withNode(named: "shop", listening: "tcp://127.0.0.1:0") { shop in
        let orders = try shop.publisher(of: OrderPlaced.self, key: \.customer)
        for number in 1...100 {
            try await orders.publish(OrderPlaced(id: "A-\(number)", customer: "c-1", cents: 1))
        }
        guard let endpoint = shop.endpoint else { return }
        try await withNode(named: "billing", peers: [endpoint]) { node in
            let position = try await readSome(node)
            try await readOn(node, from: position)
            try await readAtOnce(node)
            try await readRaw(node)
        }
    }
}

func readSome(_ node: Node) async throws -> Position {
    // begin position
    try await node.subscribe(to: OrderPlaced.self, from: .beginning) { orders in
        var handled = 0
        for try await (_, delivery) in orders {
            handled += 1
            if handled == 40 { return delivery.event.position }
        }
        throw CancellationError()
    }
    // end position
}

func readOn(_ node: Node, from position: Position) async throws {
    // begin gaps
    try await node.subscribe(
        to: OrderPlaced.self, from: .after([position]), buffering: .replay,
        onGap: { gap in print(gap) }
    ) { orders in
        for try await (order, _) in orders where order.id == "A-100" { break }
        print("\(orders.fetchedCount) were fetched")
    }
    // end gaps
}

func readAtOnce(_ node: Node) async throws {
    // begin delay
    try await withTaskExecutorPreference(node.executor) {
        try await node.subscribe(to: OrderPlaced.self, from: .beginning) { orders in
            for try await (order, delivery) in orders where order.id == "A-100" {
                print(delivery.position)
                break
            }
        }
    }
    // end delay
}

func readRaw(_ node: Node) async throws {
    // begin batches
    try await node.subscribe(
        to: ["orders.>", "audit.*"], from: .beginning, where: .sql("data.cents < 100")
    ) { events in
        var count = 0
        for try await batch in events.batches {
            batch.forEach { event in count += event.payloadByteCount > 0 ? 1 : 0 }
            if count >= 100 { break }
        }
        print("\(count) events")
    }
    // end batches
}
