// Samples of Docs/working.md and README.md. Run it: swift run Working

import Martlet

struct OrderPlaced: Event {
    static let topic: Topic = "orders.placed"
    var id: String
    var customer: String
    var cents: Int
}

try await withNode(named: "shop", listening: "tcp://127.0.0.1:5550") { node in
    let orders = try node.publisher(of: OrderPlaced.self, key: \.customer)
    let working = Task { try await work() }
    let watching = Task { try await alert() }
    try await node.waitForSubscribers(to: "martlet")
    for number in 0..<100 {
        try await orders.publish(
            OrderPlaced(id: "A-\(number)", customer: "c-\(number % 7)", cents: number * 100))
    }
    while node.groups.first.map({ $0.tally.handled + $0.tally.dead }) ?? 0 < 100 {
        try await Task.sleep(for: .milliseconds(5))
    }
    working.cancel()
    watching.cancel()
    try await working.value
    look(at: node)
}

func charge(_ order: OrderPlaced, idempotencyKey: String) async throws {}

/// A pool of handlers for the orders of all shops.
func work() async throws {
    // begin pool
    let billing = WorkerPool(of: OrderPlaced.self, group: "billing", width: 8) { order, delivery in
        guard order.cents > 0 else { throw Rejection("nothing to charge") }
        try await charge(order, idempotencyKey: delivery.id)
    }
    try await withNode(named: "billing-1", peers: ["tcp://127.0.0.1:5550"]) { node in
        try await node.run(billing)
    }
    // end pool
}

/// Tells of events that were given up.
func alert() async throws {
    // begin alert
    try await withNode(named: "alerts", peers: ["tcp://127.0.0.1:5550"]) { node in
        try await node.subscribe(to: [TopicPattern(DeadLetter.topic)]) { letters in
            for try await (event, _) in letters {
                let letter = try DeadLetter(event)
                print("\(letter.group) gave up \(letter.eventTopic): \(letter.text)")
            }
        }
    }
    // end alert
}

/// How the groups stand.
func look(at node: Node) {
    // begin groups
    for group in node.groups {
        print(
            "\(group.name): \(group.lag) to do, \(group.tally.handled) handled, "
                + "\(group.tally.repeated) repeated, \(group.tally.dead) given up")
    }
    // end groups
}
