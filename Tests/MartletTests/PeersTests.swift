import Martlet
import Testing

/// How nodes find each other.
@Suite(.timeLimit(.minutes(5))) struct PeersTests {
    /// A host name stands for its addresses. Where nobody answers, nothing is held up for long.
    @Test func aPeerMayHaveAName() async throws {
        try await within {
            try await withNode(named: "publisher", listening: "tcp://127.0.0.1:0") { publisher in
                let port = try #require(publisher.endpoint?.port)
                let orders = try publisher.publisher(of: OrderPlaced.self)
                var configuration = NodeConfiguration(
                    name: "reader", peers: [try Endpoint("tcp://localhost:\(port)")])
                configuration.peerPatience = .milliseconds(200)
                try await withNode(configuration) { reader in
                    try await reader.subscribe(to: OrderPlaced.self) { events in
                        try await orders.publish(OrderPlaced(id: 1))
                        for try await (order, _) in events {
                            #expect(order.id == 1)
                            break
                        }
                        let connected = try await reader.peerStatus().filter {
                            if case .connected = $0.state { true } else { false }
                        }
                        #expect(connected.map(\.name) == ["publisher"])
                    }
                }
            }
        }
    }

    /// A node tells newcomers of those that it knows, also by their names, and they are read from
    /// at once.
    @Test func aSeedLeadsToOthers() async throws {
        try await within {
            try await withNode(named: "seed", listening: "tcp://127.0.0.1:0") { seed in
                let address = try #require(seed.endpoint)
                try await withNode(named: "reader", peers: [address]) { reader in
                    try await reader.subscribe(to: OrderPlaced.self) { events in
                        var configuration = NodeConfiguration(
                            name: "newcomer", listening: "tcp://127.0.0.1:0", peers: [address])
                        configuration.advertisedHost = "localhost"
                        try await withNode(configuration) { newcomer in
                            let orders = try newcomer.publisher(of: OrderPlaced.self)
                            // Before anybody else has heard of it.
                            try await orders.publish(OrderPlaced(id: 1))
                            try await orders.waitForSubscribers()
                            try await orders.publish(OrderPlaced(id: 2))
                            var ids: [Int] = []
                            for try await (order, _) in events {
                                ids.append(order.id)
                                if order.id == 2 { break }
                            }
                            #expect(ids == [1, 2])
                        }
                    }
                }
            }
        }
    }

    /// A node with two addresses is one peer, and is read on through the other when one fails:
    /// nothing is lost, and nothing comes twice.
    @Test func aPeerMayHaveTwoAddresses() async throws {
        try await within {
            try await withNode(named: "publisher", listening: "tcp://127.0.0.1:0") { publisher in
                let address = try #require(publisher.endpoint)
                let port = try #require(address.port)
                let forwarders = [try Forwarder(to: port), try Forwarder(to: port)]
                let orders = try publisher.publisher(of: OrderPlaced.self)
                try await withNode(
                    named: "reader", peers: forwarders.map(\.endpoint)
                ) { reader in
                    try await reader.subscribe(
                        to: OrderPlaced.self, onGap: { Issue.record("\($0)") }
                    ) { events in
                        var ids = events.makeAsyncIterator()
                        for id in 1...3 {
                            try await orders.publish(OrderPlaced(id: id))
                            #expect(try await ids.next()?.event.id == id)
                        }
                        // Who is found to be the same is one from then on.
                        while try await reader.peerStatus().count > 1 {
                            try await Task.sleep(for: .milliseconds(10))
                        }
                        let before = try #require(try await reader.peerStatus().first?.endpoint)
                        try #require(forwarders.first { $0.endpoint == before }).stop()
                        while try await reader.peerStatus().first?.endpoint == before {
                            try await Task.sleep(for: .milliseconds(10))
                        }
                        for id in 4...6 {
                            try await orders.publish(OrderPlaced(id: id))
                            #expect(try await ids.next()?.event.id == id)
                        }
                    }
                }
            }
        }
    }
}
