internal import MartletDelivery
internal import MartletSockets

/// Runs `body` with a producer that submits events to a node, and waits after it until all of them
/// are stored.
///
/// ```swift
/// try await withProducer(named: "import-7", at: "tcp://orders:5550") { producer in
///     for row in rows.dropFirst(Int(producer.next - 1)) {
///         try await producer.submit(OrderPlaced(row), until: .queued)
///     }
/// }
/// ```
///
/// It throws `timedOut` if the node does not answer in time, or has not said in time after `body`
/// that everything is stored; `wrongState` if another process has taken the producer's place, and
/// not all was stored. Cancelling throws `cancelled`; what was submitted is still given the time.
///
/// - Parameters:
///   - name: what the node knows the producer by: one name for each process that runs at the same
///     time. Letters of English, digits and `. _ ~ / : @ -`.
///   - node: the service endpoint of a node with a journal.
///   - codecs: how payloads are written.
///   - timeout: longest wait for the node.
public func withProducer<Result>(
    named name: String, at node: Endpoint, codecs: CodecSet = .standard,
    timeout: Duration = Limits.publishTimeout, _ body: (Producer) async throws -> Result
) async throws -> Result {
    try ProducerName.check(name)
    let id = NodeID.random()
    let buffer = SubmissionBuffer(name, id)
    let loop = try SocketLoop(named: "martlet-submit")
    let machine = ProducerClient(
        name, Instance(node: id, epoch: Epoch(start: 1, random: .random(in: 0 ... .max))),
        random: .random(in: 0 ... .max))
    try await loop.install { _ in ProducerEngine(buffer, machine) }
    let end = ChangeSignal()
    let finder = Task { await find(node, on: loop, until: end) }
    let producer = Producer(name, at: node, loop, buffer, codecs, timeout)
    let outcome: Swift.Result<Result, any Error>
    do {
        try await waitUntilOpen(buffer, at: node, timeout)
        outcome = .success(try await body(producer))
    } catch { outcome = .failure(error) }
    // A task of its own: the caller's may be cancelled, and what was submitted is to be stored all
    // the same.
    let left = await Task {
        let left = await producer.finish()
        end.close()
        // It may wait for a resolver that does not answer.
        finder.cancel()
        await finder.value
        await loop.close(drainingFor: .milliseconds(500))
        return left
    }.value
    if case .success = outcome, left > 0 {
        _ = try buffer.next()
        throw MartletError(
            .timedOut,
            "Of the events of the producer `\(name)`, \(left) are not known to be stored: the node "
                + "at \(node) has not said so for \(timeout). A producer of this name goes on "
                + "behind those that are.", isRetriable: true)
    }
    return try outcome.get()
}

/// Looks the node's name up, again and again, and more often while it does not answer.
private func find(_ node: Endpoint, on loop: SocketLoop, until end: ChangeSignal) async {
    var due = NodeClock.now
    while true {
        let isOpen = try? await loop.withDriver(ProducerEngine.self) {
            (engine, _) throws(MartletError) in engine.isOpen
        }
        if isOpen != true || NodeClock.now >= due {
            due = NodeClock.now + Limits.lookupInterval
            let addresses = try? await node.resolved()
            try? await loop.withDriver(ProducerEngine.self) { (engine, _) throws(MartletError) in
                engine.use(addresses ?? [], until: end)
            }
            loop.notify()
        }
        let next = NodeClock.now + Limits.lostLookupInterval
        let outcome = await end.wait(since: end.changes, until: next)
        if outcome == .closed || outcome == .cancelled { return }
    }
}

private func waitUntilOpen(
    _ buffer: SubmissionBuffer, at node: Endpoint, _ timeout: Duration
) async throws(MartletError) {
    let deadline = NodeClock.now + timeout
    while true {
        let changes = buffer.changes.changes
        if try buffer.next() != nil { return }
        switch await buffer.changes.wait(since: changes, until: deadline) {
        case .changed: continue
        case .closed: throw SubmissionBuffer.closedError
        case .cancelled:
            throw MartletError(
                .cancelled, "The task was cancelled before the producer was open.")
        case .timedOut:
            throw MartletError(
                .timedOut,
                "No node has answered at \(node) for \(timeout). Start it, or correct the address: "
                    + "it is the one that the node listens at.", isRetriable: true)
        }
    }
}

extension Producer {
    /// Lets what was submitted be stored, says goodbye, and says how much was not stored.
    fileprivate func finish() async -> Int {
        buffer.close()
        // What is left is counted.
        try? await flush()
        let left = buffer.unconfirmedCount
        try? await loop.withDriver(ProducerEngine.self) { (engine, _) throws(MartletError) in
            engine.close()
        }
        buffer.end()
        return left
    }
}
