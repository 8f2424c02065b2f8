import Foundation
import MartletSockets
import MartletTestKit
import Testing

@testable import Martlet

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
                        // Its reader is not done with the last event when it closes.
                        configuration.drainTimeout = .seconds(1)
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
                let forwarders = [try FaultProxy(to: address), try FaultProxy(to: address)]
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

    /// A node that comes back under another address is found by its name, and read from where it
    /// was.
    @Test func aNamedPeerMayMove() async throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("martlet-moved-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let streams = [try StreamDefinition.durable("orders")]
        @Sendable func publish(
            _ ids: ClosedRange<Int>, _ body: (Endpoint) async throws -> Void
        ) async throws {
            try await withNode(
                named: "publisher", listening: "tcp://127.0.0.1:0", journal: folder,
                streams: streams
            ) { publisher in
                let orders = try publisher.publisher(of: OrderPlaced.self)
                for id in ids { try await orders.publish(OrderPlaced(id: id), until: .stored) }
                try await body(try #require(publisher.endpoint))
            }
        }
        try await within {
            let name: Endpoint = "tcp://publisher:5550"
            try await withNode(named: "reader", peers: ["tcp://127.0.0.1:1"]) { reader in
                @Sendable func found(at endpoint: Endpoint) async throws {
                    try await reader.loop.withDriver(NodeEngine.self) {
                        (engine, loop) throws(MartletError) in
                        engine.add(peers: [endpoint], from: .named, foundUnder: name, on: loop)
                    }
                    reader.loop.notify()
                }
                let seen = Seen<Int>()
                try await withThrowingTaskGroup { group in
                    group.addTask {
                        try await reader.subscribe(
                            to: OrderPlaced.self, from: .beginning,
                            onGap: { Issue.record("\($0)") }
                        ) { events in
                            for try await (order, _) in events {
                                seen.add(order.id)
                                if order.id == 6 { break }
                            }
                        }
                    }
                    for ids in [1...3, 4...6] {
                        try await publish(ids) { endpoint in
                            try await found(at: endpoint)
                            try await seen.wait(for: ids.upperBound)
                        }
                    }
                    try await group.waitForAll()
                }
                #expect(seen.all == [1, 2, 3, 4, 5, 6])
                let named = try await reader.peerStatus().filter { $0.name == "publisher" }
                #expect(named.count == 1)
            }
        }
    }
}
