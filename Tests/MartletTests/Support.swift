import Martlet
import Synchronization
import Testing

struct OrderPlaced: Event, Equatable {
    static let topic: Topic = "orders.placed"
    var id: Int
    var customer = "c-1"
}

/// Fails a test that hangs, and says where.
func within<Result: Sendable>(
    _ limit: Duration = .seconds(240), _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        guard let result = try await group.next() ?? nil else {
            throw MartletError(.timedOut, "The test hung for \(limit).")
        }
        return result
    }
}

/// Runs a publisher node and a reader of it.
func withPair(
    streams: [StreamDefinition] = [],
    _ body: @escaping @Sendable (_ publisher: Node, _ reader: Node) async throws -> Void
) async throws {
    try await within {
        try await withNode(
            named: "publisher", listening: "tcp://127.0.0.1:0", streams: streams
        ) { publisher in
            let endpoint = try #require(publisher.endpoint)
            try await withNode(named: "reader", peers: [endpoint]) { reader in
                try await body(publisher, reader)
            }
        }
    }
}

/// What was seen, in its order.
final class Seen<Value: Sendable>: Sendable {
    private let values = Mutex<[Value]>([])
    private let (news, noteNews) = AsyncStream.makeStream(
        of: Void.self, bufferingPolicy: .bufferingNewest(1))

    func add(_ value: Value) {
        values.withLock { $0.append(value) }
        noteNews.yield()
    }

    var all: [Value] { values.withLock { $0 } }

    /// Waits until there are so many. One task at a time does.
    func wait(for count: Int) async throws {
        try await within {
            var news = self.news.makeAsyncIterator()
            while self.all.count < count { await news.next() }
        }
    }
}
