import Testing

@testable import Martlet

/// Publish here, subscribe there, over real sockets.
@Suite(.timeLimit(.minutes(5))) struct FanoutTests {
    @Test func everyEventAfterTheBeginningComes() async throws {
        try await withPair { publisher, reader in
            let orders = try publisher.publisher(of: OrderPlaced.self, key: { $0.customer })
            try await reader.subscribe(to: OrderPlaced.self) { events in
                for id in 1...1_000 { try await orders.publish(OrderPlaced(id: id)) }
                var next = 1
                for try await (order, delivery) in events {
                    #expect(order.id == next)
                    #expect(delivery.missed == 0)
                    #expect(delivery.key == "c-1")
                    next += 1
                    if next > 1_000 { break }
                }
                #expect(next == 1_001)
            }
        }
    }

    @Test func receiptsSayWhereEventsStand() async throws {
        try await withPair { publisher, reader in
            let orders = try publisher.publisher(of: OrderPlaced.self)
            let first = try await orders.publish(OrderPlaced(id: 1), id: "A-17")
            let second = try #require(try orders.offer(OrderPlaced(id: 2)))
            #expect(first.sequence == 1)
            #expect(second.position.sequence == 2)
            #expect(second.position.channel.node == publisher.id)
            #expect(second.position.channel.stream == "orders")
            try await reader.subscribe(to: OrderPlaced.self, from: .beginning) { events in
                var iterator = events.makeAsyncIterator()
                let one = try #require(try await iterator.next())
                let two = try #require(try await iterator.next())
                #expect(one.delivery.id == "A-17")
                #expect(two.delivery.position == second.position)
                #expect(two.delivery.source == "martlet:\(publisher.id)")
            }
        }
    }

    /// A subscription that is in force gets every later event, however it joins.
    @Test func joiningUnderLoadLosesNothing() async throws {
        try await withNode(named: "publisher", listening: "tcp://127.0.0.1:0") { publisher in
            let endpoint = try #require(publisher.endpoint)
            let orders = try publisher.publisher(of: OrderPlaced.self)
            let load = Task {
                var id = 0
                while !Task.isCancelled {
                    id += 1
                    try await orders.publish(OrderPlaced(id: id))
                    if id.isMultiple(of: 20) { try? await Task.sleep(for: .milliseconds(1)) }
                }
            }
            defer { load.cancel() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<10 {
                    group.addTask {
                        try await withNode(named: "reader", peers: [endpoint]) { reader in
                            for _ in 0..<100 { try await Self.join(reader, under: orders) }
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    /// Subscribes, publishes, and reads without a hole up to what was published.
    private static func join(
        _ reader: Node, under orders: Publisher<OrderPlaced>
    ) async throws {
        try await within {
            try await reader.subscribe(to: OrderPlaced.self) { events in
                let mark = try await orders.publish(OrderPlaced(id: -1))
                var last: UInt64?
                for try await (_, delivery) in events {
                    let sequence = delivery.position.sequence
                    #expect(last.map { $0 + 1 == sequence } ?? (sequence <= mark.sequence))
                    #expect(delivery.missed == 0)
                    last = sequence
                    if sequence == mark.sequence { break }
                }
                #expect(last == mark.sequence)
            }
        }
    }

    @Test func keysKeepTheirOrderAndLanesSpread() async throws {
        let stream = try StreamDefinition.live("orders", partitions: 4)
        try await withPair(streams: [stream]) { publisher, reader in
            let orders = try publisher.publisher(of: OrderPlaced.self, key: { $0.customer })
            try await reader.subscribe(to: OrderPlaced.self) { events in
                for id in 1...400 {
                    try await orders.publish(OrderPlaced(id: id, customer: "c-\(id % 20)"))
                }
                var last: [String: Int] = [:]
                var lanes: Set<Int> = []
                var count = 0
                for try await (order, delivery) in events {
                    #expect(order.id > last[order.customer] ?? 0)
                    last[order.customer] = order.id
                    lanes.insert(delivery.position.channel.lane)
                    count += 1
                    if count == 400 { break }
                }
                #expect(lanes == [1, 2, 3, 4])
            }
        }
    }

    @Test func patternsAndFiltersChoose() async throws {
        try await withPair { publisher, reader in
            let names = [
                "orders.placed", "orders.paid.card", "orders.paid.cash", "other.paid.card",
            ]
            let filter = try Filter.sql("subject = 'yes'")
            try await reader.subscribe(to: ["orders.paid.>"], where: filter) { events in
                for round in 0..<3 {
                    for name in names {
                        let kind = try EventDefinition(topic: Topic(name), contentType: .text)
                        let subject = round == 1 ? "yes" : "no"
                        try await publisher.publisher(of: kind).publish(
                            Bytes(utf8: name), attributes: EventAttributes(subject: subject))
                    }
                }
                var seen: [String] = []
                for try await (event, _) in events {
                    seen.append(event.topic.text)
                    if seen.count == 2 { break }
                }
                #expect(seen == ["orders.paid.card", "orders.paid.cash"])
            }
        }
    }

    /// A pattern that names no stream reads them all, those that begin later included.
    @Test func allStreamsAtOnce() async throws {
        try await withPair { publisher, reader in
            try await reader.subscribe(to: ["*.made"]) { events in
                for name in ["a.made", "b.made", "b.lost", "c.made"] {
                    let kind = try EventDefinition(topic: Topic(name), contentType: .text)
                    try await publisher.publisher(of: kind).publish(Bytes(utf8: name))
                }
                var seen: Set<String> = []
                for try await (event, _) in events {
                    seen.insert(event.topic.text)
                    if seen.count == 3 { break }
                }
                #expect(seen == ["a.made", "b.made", "c.made"])
            }
        }
    }

    @Test func topicsMayDependOnTheEvent() async throws {
        try await withPair { publisher, reader in
            let orders = try publisher.publisher(
                of: OrderPlaced.self, topic: { try Topic("orders.\($0.customer)") })
            try await reader.subscribe(to: OrderPlaced.self, topics: ["orders.*"]) { events in
                for id in 1...50 {
                    try await orders.publish(OrderPlaced(id: id, customer: "c-\(id % 7)"))
                }
                var count = 0
                for try await (order, delivery) in events {
                    #expect(delivery.topic.text == "orders.\(order.customer)")
                    count += 1
                    if count == 50 { break }
                }
            }
            let elsewhere = try publisher.publisher(of: OrderPlaced.self, topic: { _ in "sales.x" })
            await #expect(throws: MartletError.self) {
                try await elsewhere.publish(OrderPlaced(id: 1))
            }
        }
    }

    /// Several publishers at one subscription, each in its own order.
    @Test func manyPublishersAtOnce() async throws {
        try await within {
            try await withNode(named: "a", listening: "tcp://127.0.0.1:0") { one in
                try await withNode(named: "b", listening: "tcp://127.0.0.1:0") { two in
                    let peers = try [#require(one.endpoint), #require(two.endpoint)]
                    try await withNode(named: "reader", peers: peers) { reader in
                        try await reader.subscribe(to: OrderPlaced.self) { events in
                            for node in [one, two] {
                                let orders = try node.publisher(of: OrderPlaced.self)
                                for id in 1...100 { try await orders.publish(OrderPlaced(id: id)) }
                            }
                            var next: [NodeID: Int] = [:]
                            var count = 0
                            for try await (order, delivery) in events {
                                let node = delivery.position.channel.node
                                #expect(order.id == next[node, default: 0] + 1)
                                next[node] = order.id
                                count += 1
                                if count == 200 { break }
                            }
                            #expect(next == [one.id: 100, two.id: 100])
                        }
                    }
                }
            }
        }
    }

    @Test func subscriptionsOfOneNodeShareAPublisher() async throws {
        try await withPair { publisher, reader in
            let orders = try publisher.publisher(of: OrderPlaced.self)
            for id in 1...10 { try await orders.publish(OrderPlaced(id: id)) }
            try await reader.subscribe(to: OrderPlaced.self, from: .beginning) { all in
                var iterator = all.makeAsyncIterator()
                #expect(try await iterator.next()?.event.id == 1)
                try await reader.subscribe(to: OrderPlaced.self) { late in
                    try await orders.publish(OrderPlaced(id: 11))
                    for try await (order, _) in late {
                        #expect(order.id == 11)
                        break
                    }
                }
                for id in 2...11 { #expect(try await iterator.next()?.event.id == id) }
            }
        }
    }

    @Test func batchesComeWhole() async throws {
        try await withPair { publisher, reader in
            let orders = try publisher.publisher(of: OrderPlaced.self)
            try await reader.subscribe(to: OrderPlaced.self) { events in
                for id in 1...500 { try await orders.publish(OrderPlaced(id: id)) }
                var next: UInt64 = 1
                for try await batch in events.batches {
                    for event in batch {
                        #expect(event.sequence == next)
                        next += 1
                    }
                    if next > 500 { break }
                }
            }
        }
    }

    @Test func whereASubscriptionBegins() async throws {
        try await withPair { publisher, reader in
            let orders = try publisher.publisher(of: OrderPlaced.self)
            var receipts: [Receipt] = []
            for id in 1...10 {
                let time = try #require(Timestamp(microseconds: Int64(id) * 1_000))
                receipts.append(try await orders.publish(OrderPlaced(id: id), time: time))
            }
            let time = try #require(Timestamp(microseconds: 4_500))
            for (start, first) in [
                (Start.beginning, 1), (.after([receipts[6].position]), 8), (.time(time), 5),
                (.after([]), 1),
            ] {
                try await reader.subscribe(to: OrderPlaced.self, from: start) { events in
                    for try await (order, _) in events {
                        #expect(order.id == first, "\(start)")
                        break
                    }
                }
            }
        }
    }

    /// An answer of many small frames must fit into what libzmq queues for a peer, in all lanes at
    /// once, or it never arrives whole.
    @Test func manySmallFramesInManyLanesAreFetched() async throws {
        // One event fills a frame.
        let stream = try StreamDefinition.live("orders", ringBytes: 32 << 20, frameBytes: 1_024)
        let longName = String(repeating: "c", count: 900)
        try await withPair(streams: [stream]) { publisher, reader in
            let orders = try publisher.publisher(of: OrderPlaced.self, key: \.customer)
            let count = 12_000
            for id in 1...count {
                try await orders.publish(OrderPlaced(id: id, customer: "\(longName)\(id % 200)"))
            }
            // Before anybody reads, the last of them has left.
            let core = try #require(publisher.core)
            while !core.isIdle { await Task.yield() }
            try await reader.subscribe(to: OrderPlaced.self, from: .beginning) { events in
                var seen: Set<Int> = []
                for try await (order, _) in events {
                    #expect(seen.insert(order.id).inserted)
                    if seen.count == count { break }
                }
                #expect(events.fetchedCount == UInt64(count))
            }
        }
    }

    /// A node without a journal is another one after a restart: what it had is gone, and is said to
    /// be, also to a subscription that only now begins behind it.
    @Test func positionsOfANodeThatHasGoneAreReported() async throws {
        try await within {
            let path = "ipc:///tmp/martlet-gone-\(UInt64.random(in: 0 ... .max))"
            let endpoint = try Endpoint(path)
            let position = try await withNode(named: "first", listening: endpoint) { node in
                let orders = try node.publisher(of: OrderPlaced.self)
                return try await orders.publish(OrderPlaced(id: 1)).position
            }
            try await withNode(named: "second", listening: endpoint) { node in
                let orders = try node.publisher(of: OrderPlaced.self)
                try await orders.publish(OrderPlaced(id: 2))
                let gaps = Seen<Gap>()
                try await withNode(named: "reader", peers: [endpoint]) { reader in
                    try await reader.subscribe(
                        to: OrderPlaced.self, from: .after([position]), onGap: { gaps.add($0) }
                    ) { events in
                        for try await (order, _) in events {
                            #expect(order.id == 2)
                            break
                        }
                    }
                }
                #expect(gaps.all.map(\.reason) == [.instanceGone])
                #expect(gaps.all.first?.first == position.sequence + 1)
                #expect(gaps.all.first?.last == nil)
            }
        }
    }

    /// Who has ended a subscription does not hold up what is published after.
    @Test func whoNoLongerReadsIsNotWaitedFor() async throws {
        let stream = try StreamDefinition.live(
            "orders", ringBytes: 1_048_576, whenReadersLag: .wait)
        try await withPair(streams: [stream]) { publisher, reader in
            let orders = try publisher.publisher(of: OrderPlaced.self)
            try await reader.subscribe(to: OrderPlaced.self) { events in
                try await orders.publish(OrderPlaced(id: 1))
                for try await _ in events { break }
            }
            for id in 1...1_000 { try await orders.publish(OrderPlaced(id: id)) }
            let isGone = publisher.core.map { core in { core.presence.readers == 0 } } ?? { true }
            while !isGone() { await Task.yield() }
        }
    }
}
