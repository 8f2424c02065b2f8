import Martlet
import MartletSockets
import Testing

@testable import MartletTestKit

/// A network that does as it is told, and nodes on both sides of it.
@Suite(.timeLimit(.minutes(5))) struct FaultProxyTests {
    /// Everything that was put into a pipe, as it comes out within a second.
    static func carried(
        _ pieces: [[UInt8]], _ faults: NetworkFaults, seed: UInt64 = 1
    ) -> [UInt8] {
        var pipe = FaultyPipe(seed: seed)
        for piece in pieces { pipe.take(piece, faults, at: .zero) }
        pipe.close()
        var bytes: [UInt8] = []
        while let ready = pipe.ready(at: .seconds(1)) {
            bytes += ready
            pipe.sent(ready.count)
        }
        #expect(pipe.isDone)
        return bytes
    }

    static let pieces = (0..<100).map { [UInt8](repeating: UInt8($0), count: 10) }

    @Test func faultsAreWhatTheyAreCalled() {
        let whole = Self.pieces.flatMap { $0 }
        #expect(Self.carried(Self.pieces, .none) == whole)
        var faults = NetworkFaults()
        faults.flippedShare = 1
        let flipped = Self.carried(Self.pieces, faults)
        let bits = zip(flipped, whole).reduce(0) { $0 + ($1.0 ^ $1.1).nonzeroBitCount }
        #expect(flipped.count == whole.count)
        #expect(bits == 100)
        faults = .none
        faults.swappedShare = 0.5
        let swapped = Self.carried(Self.pieces, faults)
        #expect(swapped != whole)
        #expect(swapped.sorted() == whole.sorted())
        faults = .none
        faults.cutShare = 0.1
        let cut = Self.carried(Self.pieces, faults)
        #expect(cut.count < whole.count)
        #expect(whole.starts(with: cut))
        // The same at every run.
        #expect(cut == Self.carried(Self.pieces, faults))
        #expect(cut != Self.carried(Self.pieces, faults, seed: 2))
    }

    @Test func piecesWaitAndKeepTheirOrder() {
        var pipe = FaultyPipe(seed: 1)
        var faults = NetworkFaults()
        faults.delay = .milliseconds(50)
        faults.jitter = .milliseconds(50)
        for piece in Self.pieces { pipe.take(piece, faults, at: .zero) }
        #expect(pipe.ready(at: .milliseconds(49)) == nil)
        #expect(pipe.due(after: .zero).map { $0 >= .milliseconds(50) } == true)
        var bytes: [UInt8] = []
        while let ready = pipe.ready(at: .milliseconds(100)) {
            bytes += ready
            pipe.sent(ready.count)
        }
        #expect(bytes == Self.pieces.flatMap { $0 })
    }

    /// A piece that waits for the next one does not wait for ever.
    @Test func theLastPieceGoesAlone() {
        var pipe = FaultyPipe(seed: 1)
        var faults = NetworkFaults()
        faults.swappedShare = 1
        pipe.take([1, 2, 3], faults, at: .zero)
        #expect(pipe.ready(at: .milliseconds(10)) == nil)
        #expect(pipe.due(after: .milliseconds(10)) != nil)
        #expect(pipe.ready(at: .milliseconds(100)) == [1, 2, 3])
    }

    /// Megabytes go through as they are, and a connection that was cut is made anew.
    @Test func aProxyCarriesConnections() async throws {
        try await within {
            try await withSocketLoop { loop in
                let pull = try await loop.link(Pull.self)
                let target = try await pull.bind(to: "tcp://127.0.0.1:*")
                let proxy = try FaultProxy(to: target)
                defer { proxy.stop() }
                let push = try await loop.link(Push.self)
                try await push.connect(to: proxy.endpoint)
                let large = Bytes((0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
                var messages = pull.messages.makeAsyncIterator()
                try await push.send(Multipart(large))
                #expect(try await messages.next()?.first == large)
                proxy.cut()
                // What a connection has taken goes with it: it is sent until it comes.
                let sending = Task {
                    while !Task.isCancelled {
                        try await push.send(Multipart(Bytes(utf8: "again")))
                        try await Task.sleep(for: .milliseconds(20))
                    }
                }
                #expect(try await messages.next()?.first == Bytes(utf8: "again"))
                sending.cancel()
                _ = try? await sending.value
            }
        }
    }

    /// A publisher and a reader with a proxy before each port: the same ports at another address of
    /// this machine, since readers are told the port of the data. No event may be lost.
    static func withLine(
        _ body:
            @escaping @Sendable (
                _ orders: Publisher<OrderPlaced>, _ events: Subscription<OrderPlaced>,
                _ service: FaultProxy, _ data: FaultProxy
            ) async throws -> Void
    ) async throws {
        let port = try freePort()
        let proxies = try [port, port + 1].map { port in
            try FaultProxy(
                to: Endpoint("tcp://127.0.0.1:\(port)"),
                listening: Endpoint("tcp://127.0.0.2:\(port)"), seed: 3)
        }
        // They carry as long as somebody has them.
        defer { for proxy in proxies { proxy.stop() } }
        try await within {
            try await withNode(
                named: "publisher", listening: Endpoint("tcp://127.0.0.1:\(port)")
            ) { publisher in
                let orders = try publisher.publisher(of: OrderPlaced.self)
                try await withNode(named: "reader", peers: [proxies[0].endpoint]) { reader in
                    try await reader.subscribe(
                        to: OrderPlaced.self, onGap: { Issue.record("\($0)") }
                    ) { events in try await body(orders, events, proxies[0], proxies[1]) }
                }
            }
        }
    }

    /// The connection of the data brings nothing any more, and nobody says so, while the service
    /// answers: a reader takes another one, and misses nothing.
    @Test func aReaderNoticesThatItsDataConnectionIsDead() async throws {
        try await Self.withLine { orders, events, _, data in
            var ids = events.makeAsyncIterator()
            for id in 1...6 {
                if id.isMultiple(of: 3) { data.freeze() }
                try await orders.publish(OrderPlaced(id: id))
                #expect(try await ids.next()?.event.id == id)
            }
        }
    }

    /// Bits that are flipped and pieces that change places or are missing where events are
    /// published: each event comes once, in its order and as it was, since what is damaged is
    /// fetched.
    @Test func readersGetEverythingThroughADamagedLine() async throws {
        let count = 3_000
        try await Self.withLine { orders, events, service, data in
            service.faults.delay = .milliseconds(2)
            data.faults.flippedShare = 0.03
            data.faults.swappedShare = 0.01
            data.faults.cutShare = 0.01
            let publishing = Task {
                for id in 1...count {
                    try await orders.publish(OrderPlaced(id: id))
                    // Many pieces, which are damaged or not.
                    if id.isMultiple(of: 10) { try await Task.sleep(for: .milliseconds(1)) }
                }
                // Connections whose first bytes are damaged take a few seconds each.
                data.faults = .none
            }
            var expected = 1
            for try await (order, _) in events {
                #expect(order.id == expected)
                expected += 1
                if order.id == count { break }
            }
            try await publishing.value
            #expect(events.fetchedCount > 0)
        }
    }
}
