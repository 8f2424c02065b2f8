import MartletSockets
import Testing

@testable import Martlet

/// Peers that do not behave, over real sockets: they get BYE or silence, are counted, and nobody
/// else notices.
@Suite(.timeLimit(.minutes(5))) struct HostileTests {
    /// What every message begins with (Docs/protocol.md).
    static func head(kind: UInt8) -> [UInt8] { [0x4D, 0x53, 0x56, 1, kind, 0, 0, 0] }

    /// A HELLO of a node that is called x and reads nothing.
    static func hello(node: UInt64, versions: ClosedRange<UInt8> = 1...1) -> [UInt8] {
        var bytes = head(kind: 1) + [UInt8](repeating: 0, count: 8)
        for shift in stride(from: 0, to: 64, by: 8) {
            bytes.append(UInt8(truncatingIfNeeded: node >> UInt64(shift)))
        }
        bytes += [UInt8](repeating: 7, count: 8) + [UInt8](repeating: 1, count: 8)
        bytes += [UInt8](repeating: 9, count: 8) + [versions.lowerBound, versions.upperBound]
        return bytes + [1, 0x78, 0, 0]
    }

    static let nonsense = [
        Multipart(Bytes()),
        // Another protocol.
        Multipart(Bytes(utf8: "GET / HTTP/1.1")),
        // A kind that nobody knows.
        Multipart(Bytes(head(kind: 250) + [UInt8](repeating: 0, count: 8))),
        // Cut short, and of another version.
        Multipart(Bytes(Array(hello(node: 3).prefix(30)))),
        Multipart(Bytes(hello(node: 3, versions: 9...12))),
        // Of a session that nobody has begun.
        Multipart(Bytes(head(kind: 3) + Array(repeating: 1, count: 24))),
        // Many parts, and a large one.
        Multipart(first: Bytes([1]), rest: Array(repeating: Bytes([2]), count: 62)),
        Multipart(Bytes([UInt8](repeating: 0xFF, count: 1 << 20))),
    ]

    /// A reader that subscribes, beside a peer that does not behave. Events are published by
    /// number, and every one must come.
    static func beside(
        _ body:
            @escaping @Sendable (
                _ endpoint: Endpoint, _ publishNext: () async throws -> Void, _ publisher: Node
            ) async throws -> Void
    ) async throws {
        try await withPair { publisher, reader in
            let endpoint = try #require(publisher.endpoint)
            let orders = try publisher.publisher(of: OrderPlaced.self)
            try await reader.subscribe(to: OrderPlaced.self) { events in
                var iterator = events.makeAsyncIterator()
                var number = 0
                try await body(
                    endpoint,
                    {
                        number += 1
                        try await orders.publish(OrderPlaced(id: number))
                        let next = try await iterator.next()
                        #expect(next?.event.id == number && next?.delivery.missed == 0)
                    }, publisher)
            }
        }
    }

    @Test func nonsenseIsAnsweredOrIgnoredAndNobodyElseNotices() async throws {
        try await Self.beside { endpoint, publishNext, _ in
            try await withSocketLoop { loop in
                let hostile = try await loop.link(Dealer.self)
                try await hostile.connect(to: endpoint)
                for message in Self.nonsense {
                    try await hostile.send(message)
                    try await publishNext()
                }
                // What is no message at all, the node says that it is none.
                let answers = try #require(try await hostile.receive())
                #expect(answers.first?.first.array().prefix(3) == [0x4D, 0x53, 0x56])
            }
        }
    }

    @Test func partsBeyondTheBoundsAreDropped() async throws {
        try await Self.beside { endpoint, publishNext, _ in
            let hostile = try Context().socket(Dealer.self)
            try hostile.set(.sendTimeout, to: .seconds(5))
            try hostile.connect(to: endpoint)
            let large = Bytes([UInt8](repeating: 1, count: 3 << 20))
            for _ in 1...20 {
                for _ in 1..<1_000 { try hostile.send(Message([1]), more: true) }
                try hostile.send(Message([1]))
                // libzmq ends the connection that brings it, and makes another.
                try hostile.send(Multipart(large))
                try await publishNext()
            }
        }
    }

    /// Each HELLO takes the place of the one before on its socket, and of its node.
    @Test func floodsOfGreetingsAreBounded() async throws {
        try await Self.beside { endpoint, publishNext, publisher in
            try await withSocketLoop { loop in
                let hostile = try await loop.link(Dealer.self)
                try await hostile.connect(to: endpoint)
                let reading = Task { for try await _ in hostile.messages {} }
                for node in 1...10_000 {
                    try await hostile.send(Multipart(Bytes(Self.hello(node: UInt64(node)))))
                }
                for _ in 1...10 { try await publishNext() }
                let sessions = publisher.core?.presence.sessions ?? .max
                #expect((1...2).contains(sessions))
                reading.cancel()
            }
        }
    }
}
