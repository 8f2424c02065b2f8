// Samples of README.md and Docs/routing.md. Run it: swift run Routing

import MartletRouting

try patterns()
try content()
try rules()
try lanes()

func patterns() throws {
    // begin patterns
    var readers = TopicMatcher<String>()
    let audit = readers.add("orders.>", "audit")
    readers.add("orders.*", "billing")
    readers.add("sensors.*.temperature", "heating")

    print(readers.matches("orders.placed"))
    readers.remove(audit)
    print(readers.matches("orders.eu.placed"))
    // end patterns
}

func sample() throws -> CloudEvent {
    try CloudEvent(
        id: "A-17", source: "/shop", type: "orders.placed", contentType: .json,
        attributes: EventAttributes(["region": "eu", "partitionkey": "c-9"]),
        data: Bytes(utf8: #"{"customer": {"id": "c-9"}, "items": [{"price": 19.99}]}"#))
}

func content() throws {
    // begin expression
    let expression = try Expression("region IN ('eu', 'uk') AND data.items[0].price >= 10")
    let event = try sample()
    print(expression.matches(event))

    let evaluation = try Expression("LEFT(subject, 3)").evaluate(event)
    print(evaluation.value, evaluation.error?.kind.rawValue ?? "-")
    // end expression

    // begin filter
    let filter = try Filter.any([
        .prefix(["type": "invoices."]),
        .all([.exact(["region": "us"]), .sql("data.items[0].price > 100")]),
    ])
    print(filter.matches(event), filter.explain(event))
    // end filter

    // begin mistake
    do {
        _ = try Filter.sql("type = 'orders.placed' AND LENGHT(id) > 3")
    } catch {
        print(error.message)
    }
    // end mistake
}

func rules() throws {
    // begin rules
    let table = try RuleTable {
        Rule(
            "large", topics: ["orders.placed"], when: try .sql("data.items[0].price > 10"),
            then: .set("priority", "high"), .copy(to: "audit.orders"))
        Rule("tests", when: try .exact(["source": "/test"]), then: .drop)
    }
    let event = try sample()
    for output in try table.route(event).outputs {
        print(output.topic, try output.cloudEvent().attributes)
    }
    // end rules

    // begin explain
    let explanation = try table.explain(
        event, partitioning: Partitioning(16), patterns: ["audit.>"])
    for report in explanation.rules { print(report.rule, report.outcome, report.reason) }
    // end explain
}

struct Order {
    var customer: String
}

func lanes() throws {
    // begin lanes
    let partitioning = try Partitioning(16)
    print(partitioning.lane(ofKey: "c-10"))
    print(partitioning.lane(of: Order(customer: "c-10"), by: \.customer))

    let byCustomer = try Partitioning(16, by: .payload("data.customer.id"))
    print(byCustomer.lane(of: try sample()))
    // end lanes

    // begin plan
    let before = try Assignment(of: "orders", partitions: 8, to: ["a", "b", "c"])
    let after = try Assignment(of: "orders", partitions: 8, to: ["a", "b"])
    print(before.lanes(of: "a"))
    print(try AssignmentPlan(from: before, to: after))
    // end plan
}
