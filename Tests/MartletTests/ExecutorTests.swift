import Synchronization
import Testing

@testable import Martlet

/// Tasks on the node's own thread.
@Suite(.timeLimit(.minutes(5))) struct ExecutorTests {
    @Test(arguments: [Duration.zero, .milliseconds(1)])
    func everyEventComesToATaskThere(spinTime: Duration) async throws {
        try await within {
            try await withNode(named: "publisher", listening: "tcp://127.0.0.1:0") { publisher in
                let endpoint = try #require(publisher.endpoint)
                let orders = try publisher.publisher(of: OrderPlaced.self)
                var configuration = NodeConfiguration(name: "reader", peers: [endpoint])
                configuration.spinTime = spinTime
                try await withNode(configuration) { reader in
                    try await withTaskExecutorPreference(reader.executor) {
                        try await reader.subscribe(to: OrderPlaced.self) { events in
                            for id in 1...5_000 { try await orders.publish(OrderPlaced(id: id)) }
                            var next = 1
                            for try await (order, delivery) in events {
                                #expect(order.id == next && delivery.missed == 0)
                                next += 1
                                if next > 5_000 { break }
                            }
                        }
                    }
                }
            }
        }
    }

    /// It publishes, waits for room and reads what it has published, all on one thread.
    @Test func aNodeThatReadsItselfNeedsNoOther() async throws {
        try await within {
            let stream = try StreamDefinition.live("orders", whenReadersLag: .wait)
            try await withNode(
                named: "both", listening: "tcp://127.0.0.1:0", streams: [stream]
            ) { node in
                try await withTaskExecutorPreference(node.executor) {
                    let events = try node.publisher(
                        of: try EventDefinition(topic: "orders.placed", contentType: .bytes))
                    try await node.subscribe(to: ["orders.>"]) { own in
                        async let sum = Self.sequences(of: own, upTo: 2_000)
                        let payload = Bytes([UInt8](repeating: 7, count: 20_000))
                        for _ in 0..<2_000 { try await events.publish(payload) }
                        #expect(try await sum == 2_001_000)
                    }
                }
            }
        }
    }

    private static func sequences(
        of events: Subscription<RecordedEvent>, upTo last: UInt64
    ) async throws -> UInt64 {
        var sum: UInt64 = 0
        for try await (event, _) in events {
            sum += event.sequence
            if event.sequence == last { break }
        }
        return sum
    }

    @Test(arguments: [Duration.seconds(-1), .milliseconds(11)])
    func longSpinsAreRefused(spinTime: Duration) async {
        var configuration = NodeConfiguration(name: "reader", peers: ["tcp://127.0.0.1:1"])
        configuration.spinTime = spinTime
        await #expect(throws: MartletError.self) { try await withNode(configuration) { _ in } }
    }

    /// Frames that are not full leave an interval apart, but for a few after a silence.
    @Test func framesLeaveEvenlyUnderLoadAndAtOnceAfterASilence() {
        let interval = PublishingPace.interval
        var due: UInt64 = 0
        var left: [UInt64] = []
        for moment in UInt64(1_000)...2_000 where moment >= due {
            left.append(moment)
            due = PublishingPace.due(after: moment, whenDueAt: due)
        }
        let burst = Int(PublishingPace.burst)
        #expect(Array(left.prefix(burst)) == Array(1_000..<1_000 + PublishingPace.burst))
        for (one, next) in zip(left.dropFirst(burst), left.dropFirst(burst + 1)) {
            #expect(next - one == interval)
        }
        // Full frames, which never wait, do not make those wait that come after them.
        for _ in 0..<1_000 { due = PublishingPace.due(after: 3_000, whenDueAt: due) }
        #expect(due == 3_000 + interval)
    }
}
