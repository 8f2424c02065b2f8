import Martlet
import Testing

/// A node reads what it publishes.
@Suite(.timeLimit(.minutes(5))) struct OwnEventsTests {
    /// A node that publishes and subscribes gets its own events too, alone or beside others.
    @Test(arguments: ["tcp://127.0.0.1:0", "tcp://*:0", "ipc"])
    func aNodeReadsItself(place: String) async throws {
        let path = "ipc:///tmp/martlet-own-\(UInt64.random(in: 0 ... .max))"
        let endpoint = try Endpoint(place == "ipc" ? path : place)
        try await within {
            try await withNode(named: "both", listening: endpoint) { node in
                let orders = try node.publisher(of: OrderPlaced.self)
                try await node.subscribe(to: OrderPlaced.self) { events in
                    #expect(try await node.peerStatus().isEmpty)
                    var iterator = events.makeAsyncIterator()
                    try await orders.publish(OrderPlaced(id: 1))
                    #expect(try await iterator.next()?.event.id == 1)
                    let dialled = try #require(node.endpoint)
                    let port = dialled.port.map { try? Endpoint("tcp://127.0.0.1:\($0)") }
                    let peer = (port ?? dialled) ?? dialled
                    try await withNode(named: "other", peers: [peer]) { other in
                        try await other.subscribe(to: OrderPlaced.self) { others in
                            var otherIterator = others.makeAsyncIterator()
                            try await orders.publish(OrderPlaced(id: 2))
                            #expect(try await iterator.next()?.event.id == 2)
                            #expect(try await otherIterator.next()?.event.id == 2)
                        }
                    }
                }
            }
        }
    }

    /// Each subscription greets anew, before the one before has been answered.
    @Test func manySubscriptionsAtOnce() async throws {
        try await within {
            try await withNode(named: "both", listening: "tcp://127.0.0.1:0") { node in
                let orders = try node.publisher(of: OrderPlaced.self)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<20 {
                        group.addTask {
                            for _ in 0..<10 {
                                try await node.subscribe(to: OrderPlaced.self) { events in
                                    let receipt = try await orders.publish(OrderPlaced(id: 1))
                                    for try await (_, delivery) in events
                                    where delivery.position == receipt.position { break }
                                }
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }
}
