import Martlet
import Testing

/// What goes wrong, and what is said about it.
@Suite(.timeLimit(.minutes(5))) struct FailureTests {
    @Test func nodesThatCannotWork() async throws {
        await #expect(throws: MartletError.self) {
            try await withNode(named: "") { _ in }
        }
        await #expect(throws: MartletError.self) {
            let stream = try StreamDefinition.live("orders")
            try await withNode(
                named: "a", listening: "tcp://127.0.0.1:0", streams: [stream, stream]
            ) { _ in }
        }
        try await withNode(named: "reader") { node in
            #expect(throws: MartletError.self) { try node.publisher(of: OrderPlaced.self) }
            await #expect(throws: MartletError.self) {
                try await node.subscribe(to: OrderPlaced.self) { _ in }
            }
        }
        try await withNode(named: "first", listening: "tcp://127.0.0.1:0") { node in
            let endpoint = try #require(node.endpoint)
            let error = await #expect(throws: MartletError.self) {
                try await withNode(named: "second", listening: endpoint) { _ in }
            }
            #expect(error?.code == .addressInUse)
        }
    }

    @Test func whatCannotBeReadIsSaid() async throws {
        try await withPair { publisher, reader in
            let kind = try EventDefinition(topic: "orders.placed", contentType: .json)
            let raw = try publisher.publisher(of: kind)
            let seen = Seen<String>()
            try await reader.subscribe(
                to: OrderPlaced.self, onUnreadable: { event, _ in seen.add(event.id) }
            ) { events in
                try await raw.publish(Bytes(utf8: "nonsense"), id: "bad")
                try await raw.publish(Bytes(utf8: #"{"id":7,"customer":"c"}"#))
                for try await (order, _) in events {
                    #expect(order.id == 7)
                    break
                }
            }
            #expect(seen.all == ["bad"])
            let error = await #expect(throws: MartletError.self) {
                try await reader.subscribe(to: OrderPlaced.self, from: .beginning) { events in
                    for try await _ in events { Issue.record("nothing of this can be read") }
                }
            }
            #expect(error?.code == .notDecodable)
        }
    }

    @Test func aRingThatIsOutrunIsReported() async throws {
        let stream = try StreamDefinition.live("orders", ringBytes: 1_048_576)
        try await withPair(streams: [stream]) { publisher, reader in
            let kind = try EventDefinition(topic: "orders.big", contentType: .bytes)
            let big = try publisher.publisher(of: kind)
            let gaps = Seen<Gap>()
            try await reader.subscribe(to: ["orders.big"], onGap: { gaps.add($0) }) { events in
                let payload = Bytes([UInt8](repeating: 7, count: 50_000))
                var iterator = events.makeAsyncIterator()
                try await big.publish(payload)
                #expect(try await iterator.next()?.event.sequence == 1)
                // The reader's buffer and the ring hold a few of them.
                for _ in 2...1_000 { try await big.publish(payload) }
                var next: UInt64 = 2
                var missed: UInt64 = 0
                while next <= 1_000, let (event, delivery) = try await iterator.next() {
                    #expect(event.sequence == next + delivery.missed)
                    missed += delivery.missed
                    next = event.sequence + 1
                }
                #expect(missed > 0)
                let named = gaps.all.reduce(0) { $0 + ($1.last ?? 0) - $1.first + 1 }
                #expect(named == missed)
                #expect(gaps.all.allSatisfy { $0.reason == .expired })
            }
        }
    }

    @Test(arguments: [Buffering.dropOldest, .keepLatest])
    func readersMayDoWithout(buffering: Buffering) async throws {
        try await withPair { publisher, reader in
            let kind = try EventDefinition(topic: "orders.big", contentType: .bytes)
            let big = try publisher.publisher(of: kind)
            let gaps = Seen<Gap>()
            try await reader.subscribe(
                to: ["orders.big"], buffering: buffering, onGap: { gaps.add($0) }
            ) { events in
                let payload = Bytes([UInt8](repeating: 7, count: 60_000))
                for _ in 1...300 { try await big.publish(payload) }
                var next: UInt64 = 1
                for try await (event, delivery) in events {
                    #expect(event.sequence == next + delivery.missed)
                    next = event.sequence + 1
                    if event.sequence == 300 { break }
                }
            }
            #expect(gaps.all.allSatisfy { $0.reason == .dropped })
        }
    }

    @Test func whoMustNotFallBehindFails() async throws {
        try await withPair { publisher, reader in
            let kind = try EventDefinition(topic: "orders.big", contentType: .bytes)
            let big = try publisher.publisher(of: kind)
            let error = await #expect(throws: MartletError.self) {
                try await reader.subscribe(to: ["orders.big"], buffering: .fail) { events in
                    let payload = Bytes([UInt8](repeating: 7, count: 60_000))
                    try await big.publish(payload)
                    // More comes with every event than is read.
                    for try await _ in events {
                        for _ in 1...30 { try await big.publish(payload) }
                    }
                }
            }
            #expect(error?.code == .full)
        }
    }

    /// A publisher without a memory of its own is another node when it comes back.
    @Test func aPublisherComesBack() async throws {
        try await within {
            let endpoint = try Endpoint("tcp://127.0.0.1:\(freePort())")
            let gaps = Seen<Gap>()
            try await withNode(named: "reader", peers: [endpoint]) { reader in
                let ready = Task {
                    try await reader.subscribe(
                        to: OrderPlaced.self, from: .beginning, onGap: { gaps.add($0) }
                    ) { events in
                        var ids: [Int] = []
                        for try await (order, _) in events {
                            ids.append(order.id)
                            if order.id == 20 { break }
                        }
                        return ids
                    }
                }
                for start in [1, 11] {
                    try await withNode(named: "p", listening: endpoint) { node in
                        let orders = try node.publisher(of: OrderPlaced.self)
                        try await orders.waitForSubscribers()
                        for id in start..<start + 10 {
                            try await orders.publish(OrderPlaced(id: id))
                        }
                    }
                }
                #expect(try await ready.value == Array(1...20))
            }
            #expect(gaps.all.map(\.reason) == [.instanceGone])
            #expect(gaps.all.first?.first == 11)
        }
    }

    /// Closing a node gives readers what was published.
    @Test func closingDrains() async throws {
        try await within {
            try await withNode(named: "p", listening: "tcp://127.0.0.1:0") { holder in
                let endpoint = try #require(holder.endpoint)
                let count = Task {
                    try await withNode(named: "reader", peers: [endpoint]) { reader in
                        try await reader.subscribe(to: OrderPlaced.self, from: .beginning) {
                            events in
                            var count = 0
                            for try await _ in events {
                                count += 1
                                if count == 2_000 { break }
                            }
                            return count
                        }
                    }
                }
                let orders = try holder.publisher(of: OrderPlaced.self)
                try await orders.waitForSubscribers()
                for id in 1...2_000 { try await orders.publish(OrderPlaced(id: id)) }
                #expect(try await count.value == 2_000)
            }
        }
    }

    @Test func publishingOnAClosedNodeThrows() async throws {
        let orders = try await withNode(named: "p", listening: "tcp://127.0.0.1:0") {
            try $0.publisher(of: OrderPlaced.self)
        }
        let error = await #expect(throws: MartletError.self) {
            try await orders.publish(OrderPlaced(id: 1))
        }
        #expect(error?.code == .closed)
    }

    @Test func waitingCanBeCancelled() async throws {
        try await withNode(named: "alone", listening: "tcp://127.0.0.1:0") { node in
            let orders = try node.publisher(of: OrderPlaced.self)
            let subscribers = Task { try await orders.waitForSubscribers() }
            subscribers.cancel()
            let error = await #expect(throws: MartletError.self) { try await subscribers.value }
            #expect(error?.code == .cancelled)
        }
        let nobody = try Endpoint("ipc:///tmp/martlet-nobody-\(UInt64.random(in: 0 ... .max))")
        try await withNode(named: "reader", peers: [nobody]) { node in
            let subscription = Task { try await node.subscribe(to: OrderPlaced.self) { _ in } }
            subscription.cancel()
            let error = await #expect(throws: MartletError.self) { try await subscription.value }
            #expect(error?.code == .cancelled)
        }
    }

    /// Publishers of a stream that waits go no faster than its reader. In a process of its own: who
    /// does not get to run for a second is left behind, and other tests block the pool for longer.
    @Test func aStreamMayWaitForItsReaders() async throws {
        await #expect(processExitsWith: .success) {
            let stream = try StreamDefinition.live(
                "orders", ringBytes: 1_048_576, whenReadersLag: .wait)
            try await withPair(streams: [stream]) { publisher, reader in
                let kind = try EventDefinition(topic: "orders.big", contentType: .bytes)
                let big = try publisher.publisher(of: kind)
                try await reader.subscribe(
                    to: ["orders.big"], onGap: { Issue.record("\($0)") }
                ) { events in
                    let payload = Bytes([UInt8](repeating: 7, count: 50_000))
                    let publishing = Task {
                        for _ in 1...2_000 { try await big.publish(payload) }
                    }
                    var next: UInt64 = 1
                    for try await (event, _) in events {
                        #expect(event.sequence == next)
                        next += 1
                        if next > 2_000 { break }
                    }
                    try await publishing.value
                }
            }
        }
    }

    /// A publisher that is not there when a subscription comes into force is read from its first
    /// event on when it comes, though it does not wait for anybody.
    @Test func whoComesLaterIsReadFromItsFirstEvent() async throws {
        try await within {
            let endpoints = try (1...2).map { _ in
                try Endpoint("ipc:///tmp/martlet-late-\(UInt64.random(in: 0 ... .max))")
            }
            var configuration = NodeConfiguration(name: "reader", peers: endpoints)
            configuration.peerPatience = .milliseconds(100)
            let reading = configuration
            try await withNode(named: "first", listening: endpoints[0]) { _ in
                try await withNode(reading) { reader in
                    try await reader.subscribe(to: OrderPlaced.self) { events in
                        try await withNode(named: "late", listening: endpoints[1]) { node in
                            let orders = try node.publisher(of: OrderPlaced.self)
                            for id in 1...100 { try await orders.publish(OrderPlaced(id: id)) }
                            var next = 1
                            for try await (order, _) in events {
                                #expect(order.id == next)
                                next += 1
                                if next > 100 { break }
                            }
                        }
                    }
                }
            }
        }
    }

    /// Kinds of events that were refused leave nothing behind that could be sent.
    @Test func refusedEventsOfManyKindsLeaveNothing() async throws {
        try await withNode(named: "p", listening: "tcp://127.0.0.1:0") { node in
            let longID = String(repeating: "i", count: Limits.identifierBytesMax + 1)
            for number in 1...20 {
                let kind = try EventDefinition(
                    topic: Topic("orders.t\(number)"), contentType: .bytes,
                    source: "/" + String(repeating: "s", count: 4_000))
                let orders = try node.publisher(of: kind)
                await #expect(throws: MartletError.self) {
                    try await orders.publish(Bytes(), id: longID)
                }
            }
            let orders = try node.publisher(of: OrderPlaced.self)
            #expect(try await orders.publish(OrderPlaced(id: 1)).sequence == 1)
        }
    }

    /// Whoever leaves a loop has not handled the event at hand; another one begins with it.
    @Test func anotherLoopGoesOn() async throws {
        try await withPair { publisher, reader in
            let orders = try publisher.publisher(of: OrderPlaced.self)
            for id in 1...60 { try await orders.publish(OrderPlaced(id: id)) }
            try await reader.subscribe(to: OrderPlaced.self, from: .beginning) { events in
                var seen: [Int] = []
                for _ in 1...6 {
                    for try await (order, _) in events {
                        seen.append(order.id)
                        if order.id.isMultiple(of: 10) { break }
                    }
                }
                // Each loop ends at the event that the next one begins with: here, at once.
                #expect(seen == Array(1...10) + [10, 10, 10, 10, 10])
                for try await batch in events.batches {
                    #expect(batch.first { _ in true }?.sequence == 10)
                    break
                }
                var rest: [Int] = []
                for try await (order, _) in events {
                    rest.append(order.id)
                    if order.id == 60 { break }
                }
                #expect(rest == Array(10...60))
            }
        }
    }

    @Test func aBatchThatBeginsWithinAFrameIsASequence() async throws {
        try await withPair { publisher, reader in
            let orders = try publisher.publisher(of: OrderPlaced.self)
            var positions: [Position] = []
            for id in 1...50 {
                positions.append(try await orders.publish(OrderPlaced(id: id)).position)
            }
            try await reader.subscribe(
                to: [TopicPattern(OrderPlaced.topic)], from: .after([positions[24]])
            ) { events in
                var seen: [UInt64] = []
                for try await batch in events.batches {
                    seen += Array(batch).map(\.sequence)
                    if seen.last == 50 { break }
                }
                #expect(seen == Array(26...50))
            }
        }
    }
}
