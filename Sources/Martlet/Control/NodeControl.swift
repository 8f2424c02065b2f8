internal import MartletDelivery
internal import MartletSockets

/// Asks a node how it stands, and tells it what is to be done about groups and dead letters, from
/// another process. `withControl` gives you one. Any number of tasks may use it.
///
/// Each call throws `timedOut` if the node does not answer in time, `unreachable` if the connection
/// breaks meanwhile: what was to be done may have been done then. `permissionDenied` says that the
/// node takes no commands.
public final class NodeControl: Sendable {
    let loop: SocketLoop
    let book: AnswerBook
    private let timeout: Duration

    init(_ loop: SocketLoop, _ book: AnswerBook, _ timeout: Duration) {
        self.loop = loop
        self.book = book
        self.timeout = timeout
    }

    /// How the node stands.
    public func report() async throws(MartletError) -> NodeReport {
        try await one(.node, ControlVerb.Done())
    }

    /// The groups that work for its streams. Of a ledger the first thousand ranges and failing
    /// events are named.
    public func groups() async throws(MartletError) -> [GroupReport] {
        GroupReport.whole(try await all(.groups, ControlVerb.Done()))
    }

    /// Its dead letters that are open, the oldest first; with their events if you want them.
    public func deadLetters(
        _ selection: LetterSelection = LetterSelection(), withEvents: Bool = false
    ) async throws(MartletError) -> [LetterReport] {
        try await all(
            .letters, ControlVerb.Letters(selection: selection, withEvents: withEvents))
    }

    /// Lets groups try events again that they have given up, as `Node.retryDeadLetters` does.
    @discardableResult
    public func retryDeadLetters(
        _ selection: LetterSelection
    ) async throws(MartletError) -> LetterCount {
        try await one(.retry, selection)
    }

    /// Closes dead letters, as `Node.purgeDeadLetters` does.
    @discardableResult
    public func purgeDeadLetters(
        _ selection: LetterSelection
    ) async throws(MartletError) -> LetterCount {
        try await one(.purge, selection)
    }

    /// Publishes another event in the place of one that was given up, as `Node.replaceDeadLetter`
    /// does, and returns its position as text.
    @discardableResult
    public func replaceDeadLetter(
        _ number: UInt64, by payload: Bytes
    ) async throws(MartletError) -> String {
        try await one(.replace, ControlVerb.Replacement(number: number, payload: payload))
    }

    /// Which keyed lanes of the node would move if a worker left its group.
    public func plan(
        draining worker: String, of group: String
    ) async throws(MartletError) -> [LaneMove] {
        try await all(.plan, ControlVerb.Worker(group: group, worker: worker))
    }

    /// Gives a worker of a group nothing more of the node's events, and asks for what it has not
    /// begun. It stays a worker, and is one like others when it begins anew.
    public func drain(_ worker: String, of group: String) async throws(MartletError) {
        let _: ControlVerb.Done = try await one(
            .drain, ControlVerb.Worker(group: group, worker: worker))
    }

    /// Gives a worker events again that was drained.
    public func undrain(_ worker: String, of group: String) async throws(MartletError) {
        let _: ControlVerb.Done = try await one(
            .drain, ControlVerb.Worker(group: group, worker: worker, isDrained: false))
    }

    /// Forgets a group that has no workers, with its ledgers: who works for it later begins anew.
    public func removeGroup(_ group: String) async throws(MartletError) {
        let _: ControlVerb.Done = try await one(.remove, ControlVerb.Group(group: group))
    }

    // MARK: Asking

    private func ask(
        _ verb: ControlVerb, _ body: some Encodable & Sendable
    ) async throws(MartletError) -> [Bytes] {
        let body: Bytes = try JSONCodec().encode(body)
        guard body.count <= Limits.inquiryBytesMax else {
            throw MartletError(
                .messageTooLarge,
                "What is asked takes \(body.count) bytes, and \(Limits.inquiryBytesMax) are "
                    + "allowed.")
        }
        let loop = loop
        return try await book.ask(
            verb.rawValue, body, until: NodeClock.now + timeout
        ) { loop.notify() }
    }

    private func one<Value: Decodable & Sendable>(
        _ verb: ControlVerb, _ body: some Encodable & Sendable
    ) async throws(MartletError) -> Value {
        let parts = try await ask(verb, body)
        return try JSONCodec().decode(Value.self, from: parts[parts.count - 1])
    }

    private func all<Element: Decodable & Sendable>(
        _ verb: ControlVerb, _ body: some Encodable & Sendable
    ) async throws(MartletError) -> [Element] {
        var elements: [Element] = []
        for part in try await ask(verb, body) {
            elements += try JSONCodec().decode([Element].self, from: part)
        }
        return elements
    }
}

/// Runs `body` with somebody who can ask a node how it stands, and tell it what to do.
///
/// It throws `unknownHost` if the node's name has no address.
///
/// - Parameters:
///   - node: the service endpoint of the node.
///   - timeout: longest wait for each answer.
public func withControl<Result>(
    of node: Endpoint, timeout: Duration = .seconds(30),
    _ body: (NodeControl) async throws -> Result
) async throws -> Result {
    let addresses = try await node.resolved()
    let book = AnswerBook(node)
    let loop = try SocketLoop(named: "martlet-control")
    let machine = ControlClient(
        Instance(node: .random(), epoch: Epoch(start: 1, random: .random(in: 0 ... .max))),
        named: "martletctl")
    do throws(MartletError) {
        try await loop.install { _ in ControlEngine(book, machine, addresses) }
    } catch {
        await loop.close(drainingFor: .zero)
        throw error
    }
    let outcome: Swift.Result<Result, any Error>
    do { outcome = .success(try await body(NodeControl(loop, book, timeout))) } catch {
        outcome = .failure(error)
    }
    await Task {
        try? await loop.withDriver(ControlEngine.self) { (engine, _) throws(MartletError) in
            engine.close()
        }
        book.fail(MartletError(.closed, "Nothing can be asked outside of `withControl`."))
        await loop.close(drainingFor: .milliseconds(500))
    }.value
    return try outcome.get()
}
