import Foundation
import Martlet
import Testing

/// Streams that outlive their node.
@Suite(.timeLimit(.minutes(5))) struct DurableTests {
    /// What was published in several lives of a node is one history, which a reader gets from any
    /// point on.
    @Test func aHistoryGoesOnAfterARestart() async throws {
        try await withFolder { folder in
            var positions: [Position] = []
            for life in 0..<3 {
                try await withNode(
                    named: "publisher", listening: "tcp://127.0.0.1:0", journal: folder,
                    streams: [.durable("orders", partitions: 4)]
                ) { publisher in
                    let orders = try publisher.publisher(of: OrderPlaced.self)
                    for id in 0..<10 {
                        let receipt = try await orders.publish(
                            OrderPlaced(id: life * 10 + id), until: .stored)
                        #expect(receipt.level == .stored)
                        positions.append(receipt.position)
                    }
                    let address = try #require(publisher.endpoint)
                    for start in [0, positions.count / 2, positions.count - 1] {
                        let from: Start = start == 0 ? .beginning : .after([positions[start - 1]])
                        let ids = try await read(positions.count - start, from: from, at: address)
                        #expect(ids == Array(start..<positions.count))
                    }
                }
            }
            #expect(Set(positions.map(\.epoch)).count == 3)
            #expect(positions.map(\.sequence) == Array(1...30))
            #expect(Set(positions.map(\.channel.node)).count == 1)
        }
    }

    private func read(_ count: Int, from start: Start, at address: Endpoint) async throws -> [Int] {
        try await within {
            try await withNode(named: "reader", peers: [address]) { reader in
                try await reader.subscribe(
                    to: OrderPlaced.self, from: start, onGap: { Issue.record("\($0)") }
                ) { events in
                    var ids: [Int] = []
                    for try await (order, _) in events {
                        ids.append(order.id)
                        if ids.count == count { break }
                    }
                    return ids
                }
            }
        }
    }

    /// A reader that stays while its publisher dies and comes back misses nothing, and gets nothing
    /// twice.
    @Test func readersOutliveTheirPublisher() async throws {
        try await withFolder { folder in
            let port = try freePort()
            let address = try Endpoint("tcp://127.0.0.1:\(port)")
            try await within {
                try await withNode(named: "reader", peers: [address]) { reader in
                    let reading = Task {
                        try await reader.subscribe(
                            to: OrderPlaced.self, from: .beginning, onGap: { Issue.record("\($0)") }
                        ) { events in
                            var ids: [Int] = []
                            for try await (order, _) in events {
                                ids.append(order.id)
                                if ids.count == 300 { break }
                            }
                            return ids
                        }
                    }
                    for life in 0..<3 {
                        try await withNode(
                            named: "publisher", listening: address, journal: folder,
                            streams: [.durable("orders")]
                        ) { publisher in
                            let orders = try publisher.publisher(of: OrderPlaced.self)
                            if life == 1 { try await orders.waitForSubscribers() }
                            for id in 0..<100 {
                                try await orders.publish(OrderPlaced(id: life * 100 + id))
                            }
                        }
                    }
                    // What was stored last may not have been read when the node closed.
                    try await withNode(
                        named: "publisher", listening: address, journal: folder
                    ) { _ in
                        let ids = try await reading.value
                        #expect(ids == Array(0..<300))
                    }
                }
            }
        }
    }

    /// What was accepted is stored when a node closes, also where readers hold their stream up; and
    /// draining waits for the disk alone where nobody reads.
    @Test func closingStoresEverything() async throws {
        try await withFolder { folder in
            var configuration = NodeConfiguration(
                name: "n", listening: "tcp://127.0.0.1:0",
                streams: [try .durable("orders", whenReadersLag: .wait)])
            configuration.journal = folder
            configuration.drainTimeout = .milliseconds(100)
            let large = Bytes([UInt8](repeating: 1, count: 100_000))
            var accepted = 0
            try await withNode(configuration) { node in
                let orders = try node.publisher(
                    of: EventDefinition(topic: "orders.placed", contentType: .bytes))
                try await orders.publish(large)
                #expect(await node.drain(within: .seconds(20)))
                accepted = 1
                try await node.subscribe(to: ["orders.>"]) { _ in
                    // Nobody reads, so that what is published waits.
                    while accepted < 150, try orders.offer(large) != nil { accepted += 1 }
                }
            }
            try await withJournal(at: folder) { journal in
                #expect(journal.channels.map(\.next) == [UInt64(accepted) + 1])
            }
        }
    }

    /// What is too old goes; the numbers go on, and readers that ask for it are told.
    @Test func oldEventsExpire() async throws {
        try await withFolder { folder in
            for life in 0..<2 {
                try await withNode(
                    named: "n", listening: "tcp://127.0.0.1:0", journal: folder,
                    streams: [
                        .durable("orders", retention: life == 0 ? .forever : .age(.microseconds(1)))
                    ]
                ) { node in
                    let orders = try node.publisher(of: OrderPlaced.self)
                    for id in 0..<5 {
                        try await orders.publish(OrderPlaced(id: id), until: .stored)
                    }
                    guard life == 1 else { return }
                    let gaps = Seen<Gap>()
                    let old = Position(
                        channel: Channel(node: node.id, stream: "orders", lane: 0),
                        epoch: node.startEpoch, sequence: 0)
                    let ids = try await node.subscribe(
                        to: OrderPlaced.self, from: .after([old]), onGap: { gaps.add($0) }
                    ) { events in
                        var sequences: [UInt64] = []
                        for try await (_, delivery) in events {
                            sequences.append(delivery.position.sequence)
                            if sequences.count == 5 { break }
                        }
                        return sequences
                    }
                    #expect(ids == [6, 7, 8, 9, 10])
                    #expect(gaps.all.map(\.reason) == [.expired])
                    #expect(gaps.all.first?.last == 5)
                }
            }
            try await withJournal(at: folder) { journal in
                #expect(journal.channels.map(\.first) == [6])
                #expect(journal.channels.map(\.next) == [11])
            }
            #expect(throws: MartletError.self) {
                try StreamDefinition.durable("orders", retention: .age(.zero))
            }
        }
    }

    @Test func aStreamIsStoredOrNot() async throws {
        try await withFolder { folder in
            await #expect(throws: MartletError.self) {
                try await withNode(
                    named: "n", listening: "tcp://127.0.0.1:0", streams: [.durable("orders")]
                ) { _ in }
            }
            try await withNode(
                named: "n", listening: "tcp://127.0.0.1:0", journal: folder,
                streams: [.durable("orders", partitions: 4)]
            ) { node in
                let notes = try node.publisher(
                    of: EventDefinition(topic: "notes.new", contentType: .text))
                await #expect(throws: MartletError.self) {
                    try await notes.publish(Bytes(utf8: "x"), until: .stored)
                }
                await #expect(throws: MartletError.self) {
                    try await withNode(named: "m", journal: folder) { _ in }
                }
            }
            for stream in try [
                StreamDefinition.durable("orders", partitions: 5), .live("orders"),
            ] {
                await #expect(throws: MartletError.self) {
                    try await withNode(
                        named: "n", listening: "tcp://127.0.0.1:0", journal: folder,
                        streams: [stream]
                    ) { _ in }
                }
            }
        }
    }

    /// Many tasks wait for the disk at once; every event is stored once.
    @Test func manyTasksWaitForTheDisk() async throws {
        try await withFolder { folder in
            try await withNode(
                named: "n", listening: "tcp://127.0.0.1:0", journal: folder,
                streams: [.durable("orders")]
            ) { node in
                let orders = try node.publisher(of: OrderPlaced.self, key: \.customer)
                let positions = try await withThrowingTaskGroup(of: Position.self) { group in
                    for id in 0..<500 {
                        group.addTask {
                            let order = OrderPlaced(id: id, customer: "c-\(id % 20)")
                            return try await orders.publish(order, until: .stored).position
                        }
                    }
                    return try await group.reduce(into: Set()) { $0.insert($1) }
                }
                #expect(positions.count == 500)
            }
        }
    }
}

/// A folder that is gone afterwards.
func withFolder<Result>(_ body: (String) async throws -> Result) async throws -> Result {
    let folder = NSTemporaryDirectory() + "martlet-node-\(UUID())"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body(folder)
}
