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
    let pulling = Task { try await pull() }
    try await push()
    pulling.cancel()
    try await pulling.value
    try await wait(for: OrderPlaced(id: "A-100", customer: "c-1", cents: 0), orders)
    try await tidy(node)
    working.cancel()
    watching.cancel()
    try await working.value
    look(at: node)
}

/// Publishes, and waits for what becomes of it.
func wait(for order: OrderPlaced, _ orders: Publisher<OrderPlaced>) async throws {
    // begin handled
    let receipt = try await orders.publish(order, until: .handled(by: "billing"))
    switch receipt.outcome {
    case .handled: print("\(order.id) is paid")
    case .setAside(_, let text): print("\(order.id) was given up: \(text)")
    default: print("\(order.id): \(receipt)")
    }
    // end handled
}

struct Reading: Event {
    static let topic: Topic = "readings.new"
    var number: Int
}

func store(_ reading: Reading) {}

/// Spreads work that need not arrive.
func push() async throws {
    // begin pushed
    try await withNode(
        named: "meters", listening: "tcp://127.0.0.1:5560", streams: [.pushed("readings")]
    ) { node in
        let readings = try node.publisher(of: Reading.self)
        for number in 0..<1_000 { try await readings.publish(Reading(number: number)) }
        print(node.pushes)
    }
    // end pushed
}

/// Takes its share of it.
func pull() async throws {
    // begin pull
    let pool = WorkerPool.atMostOnce(of: Reading.self, width: 4) { reading, _ in store(reading) }
    try await withNode(named: "store-1", peers: ["tcp://127.0.0.1:5560"]) { node in
        try await node.run(pool)
    }
    // end pull
}

/// Looks at what was given up.
func tidy(_ node: Node) async throws {
    // begin letters
    for letter in try await node.deadLetters(LetterSelection(group: "billing")) {
        print("\(letter.number): \(letter.eventTopic), \(letter.attempts) attempts: \(letter.text)")
    }
    try await node.retryDeadLetters(LetterSelection(group: "billing", topics: "orders.*"))
    try await node.purgeDeadLetters(LetterSelection(group: "billing"))
    // end letters
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
