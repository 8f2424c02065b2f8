import Martlet
import Testing

/// Publish here, subscribe there, over real sockets.
@Suite(.timeLimit(.minutes(2))) struct FanoutTests {
    @Test func everyEventAfterTheBeginningComes() async throws {
        try await withPair { publisher, reader in
            let orders = try publisher.publisher(of: OrderPlaced.self, key: \.customer)
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
}
