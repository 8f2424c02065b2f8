/// Runs `body` with a node, and closes it after: what was published is given time to reach those
/// who read it, subscriptions end, sockets close.
///
/// ```swift
/// try await withNode(named: "checkout", listening: "tcp://127.0.0.1:5550") { node in
///     let orders = try node.publisher(of: OrderPlaced.self, key: \.customer)
///     try await orders.publish(OrderPlaced(id: "A-17", customer: "c-9", cents: 4_200))
/// }
/// ```
///
/// - Parameters:
///   - name: what people call the node.
///   - endpoint: where peers reach it. Without one it publishes nothing.
///   - peers: the nodes that it reads from, by their service endpoints.
///   - journal: the folder in which it keeps durable streams.
///   - streams: streams that need other settings than the usual.
public func withNode<Result>(
    named name: String, listening endpoint: Endpoint? = nil, peers: [Endpoint] = [],
    journal: String? = nil, streams: [StreamDefinition] = [],
    _ body: (Node) async throws -> Result
) async throws -> Result {
    var configuration = NodeConfiguration(
        name: name, listening: endpoint, peers: peers, streams: streams)
    configuration.journal = journal
    return try await withNode(configuration, body)
}

/// Runs `body` with a node that is configured in full, and closes it after.
public func withNode<Result>(
    _ configuration: NodeConfiguration, _ body: (Node) async throws -> Result
) async throws -> Result {
    let node = try await Node.start(configuration)
    let finder = Task { await node.findPeers() }
    let outcome: Swift.Result<Result, any Error>
    do { outcome = .success(try await body(node)) } catch { outcome = .failure(error) }
    finder.cancel()
    // A task of its own: the caller's may be cancelled, and what was published is to go out all the
    // same.
    await Task { await node.close() }.value
    return try outcome.get()
}
