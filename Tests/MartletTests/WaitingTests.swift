import Martlet
import Testing

/// Streams that wait for their readers.
@Suite(.timeLimit(.minutes(5))) struct WaitingTests {
    /// A reader that stands still holds up its stream, and no other of the same node.
    @Test func aStreamThatIsHeldUpHoldsUpNoOther() async throws {
        let streams = try [
            StreamDefinition.live("orders", whenReadersLag: .wait),
            .live("audit", whenReadersLag: .wait),
        ]
        try await withPair(streams: streams) { publisher, reader in
            let orders = try publisher.publisher(
                of: EventDefinition(topic: "orders.placed", contentType: .bytes))
            let notes = try publisher.publisher(
                of: EventDefinition(topic: "audit.note", contentType: .bytes))
            try await reader.subscribe(to: ["orders.>"]) { standing in
                try await reader.subscribe(to: ["audit.>"]) { moving in
                    let large = Bytes([UInt8](repeating: 1, count: 100_000))
                    let isHeldUp = try (0..<1_000).contains { _ in
                        try orders.offer(large) == nil
                    }
                    #expect(isHeldUp)
                    for _ in 0..<1_000 { try await notes.publish(Bytes([2])) }
                    var iterator = moving.makeAsyncIterator()
                    for sequence in UInt64(1)...1_000 {
                        let (event, delivery) = try #require(try await iterator.next())
                        #expect(event.sequence == sequence && delivery.missed == 0)
                    }
                }
                // What was held up is all there.
                var iterator = standing.makeAsyncIterator()
                #expect(try await iterator.next()?.event.sequence == 1)
            }
        }
    }

    /// Draining says whether everybody has what was published, and ends in time if not.
    @Test func drainingSaysWhetherAllIsRead() async throws {
        try await withPair { publisher, reader in
            let orders = try publisher.publisher(of: OrderPlaced.self)
            #expect(await publisher.drain(within: .seconds(10)))
            try await reader.subscribe(to: OrderPlaced.self) { events in
                try await orders.publish(OrderPlaced(id: 1))
                #expect(await !publisher.drain(within: .milliseconds(50)))
                var iterator = events.makeAsyncIterator()
                #expect(try await iterator.next()?.event.id == 1)
                // Asking for another is saying that the first is done with.
                async let draining = publisher.drain(within: .seconds(20))
                async let next = iterator.next()
                #expect(await draining)
                try await orders.publish(OrderPlaced(id: 2))
                #expect(try await next?.event.id == 2)
            }
        }
    }
}
