internal import MartletDelivery
internal import MartletSockets
import Synchronization

/// A process's membership: it publishes, it subscribes, and it owns the sockets for both.
///
/// `withNode` gives you one. It is safe to use from any task.
public final class Node: Sendable {
    /// What people call it.
    public let name: String
    /// Who it is: as its journal says, or drawn anew at every start.
    public var id: NodeID { instance.node }
    /// The epoch of this start, in which it numbers its events.
    public var startEpoch: Epoch { instance.epoch }
    /// Where peers reach it; nil if it does not listen.
    public let endpoint: Endpoint?
    /// Where ZeroMQ SUB sockets of any language find its frames; nil if it does not listen.
    public let dataEndpoint: Endpoint?

    let configuration: NodeConfiguration
    let loop: SocketLoop
    private let instance: Instance
    let core: PublishingCore?
    let journal: NodeJournal?
    let engineChanges: ChangeSignal
    private let outlets = Lock<[StreamName: Outlet]>([:])

    init(
        _ configuration: NodeConfiguration, _ instance: Instance, _ loop: SocketLoop,
        _ core: PublishingCore?, _ journal: NodeJournal?, _ changes: ChangeSignal,
        endpoint: Endpoint?,
        dataEndpoint: Endpoint?
    ) {
        name = configuration.name
        self.configuration = configuration
        self.instance = instance
        self.loop = loop
        self.core = core
        self.journal = journal
        engineChanges = changes
        self.endpoint = endpoint
        self.dataEndpoint = dataEndpoint
    }

    /// The node's own thread, for tasks that are to hear of events without delay: no other thread
    /// must wake for them.
    ///
    /// ```swift
    /// try await withTaskExecutorPreference(node.executor) {
    ///     try await node.subscribe(to: Tick.self) { ticks in … }
    /// }
    /// ```
    ///
    /// While such a task works, the node sends and receives nothing: it must not wait for anything
    /// but by `await`, and not compute for long. When the node has closed, what is left of such
    /// tasks runs elsewhere.
    public var executor: any TaskExecutor { loop.taskExecutor }

    // MARK: Publishing

    /// A publisher of events of this type.
    ///
    /// - Parameters:
    ///   - type: the type of the events.
    ///   - topic: where each event is addressed to, within the stream of the type's topic; without
    ///     it, the type's topic.
    ///   - key: what events must stay in order with; without it, all keep the order in which they
    ///     were published.
    public func publisher<E: Event>(
        of type: E.Type, topic: (@Sendable (E) throws -> Topic)? = nil,
        key: (@Sendable (E) -> String)? = nil
    ) throws(MartletError) -> Publisher<E> {
        try Publisher(
            try outlet(to: E.topic.stream), topic: topic, key: key,
            codec: configuration.codecs.require(E.contentType))
    }

    /// A publisher of payloads that are encoded already.
    public func publisher(
        of definition: EventDefinition
    ) throws(MartletError) -> PayloadPublisher {
        PayloadPublisher(try outlet(to: definition.stream), definition)
    }

    /// Waits until so many nodes subscribe to the stream, or, without one, to any stream at all.
    /// Cancelling throws `cancelled`.
    public func waitForSubscribers(
        atLeast count: Int = 1, to stream: StreamName? = nil
    ) async throws(MartletError) {
        guard let core else { throw mute }
        try await core.waitForReaders(atLeast: count, of: stream)
    }

    /// Waits until everything that was published has left and every subscriber is done with it, as
    /// closing does. False if that did not come about within the time, or was not going on: what a
    /// subscriber has not confirmed may still reach it. Cancelling ends it with false.
    public func drain(within timeout: Duration = Limits.drainTimeout) async -> Bool {
        await core?.drain(within: timeout) ?? true
    }

    func outlet(to stream: StreamName) throws(MartletError) -> Outlet {
        if let known = outlets.withLock({ $0[stream] }) { return known }
        guard let core else { throw mute }
        guard stream != DeadLetter.topic.stream else {
            throw MartletError(
                .invalidTopic,
                "The stream `\(stream)` is the node's own: it tells of dead letters there. Choose "
                    + "another first token.")
        }
        let buffer: StreamBuffer
        if let known = core.buffer(named: stream) {
            buffer = known
        } else {
            buffer = try core.buffer(of: .live(stream))
        }
        let outlet = Outlet(core, buffer)
        outlets.withLock { $0[stream] = outlet }
        return outlet
    }

    var mute: MartletError {
        MartletError(
            .wrongState,
            "The node `\(name)` publishes nothing, since nobody can reach it. Start it with "
                + "`listening:`.")
    }

    // MARK: Subscribing

    /// Reads events of a type for as long as `body` runs, which begins once the subscription is in
    /// force: from then on, every event comes, or is reported as missed.
    ///
    /// - Parameters:
    ///   - type: the type of the events.
    ///   - patterns: which topics; without them, the type's topic.
    ///   - start: where to begin.
    ///   - filter: which events; the others are passed by.
    ///   - buffering: what happens when `body` is slower than what comes.
    ///   - onGap: told of every loss, in its place between the events, on the task that reads.
    ///   - onUnreadable: told of events that are not of the type, which are passed by; without it
    ///     the subscription fails with the first.
    public func subscribe<E: Event, Result>(
        to type: E.Type, topics patterns: [TopicPattern]? = nil, from start: Start = .now,
        where filter: Filter? = nil, buffering: Buffering = .replay,
        onGap: (@Sendable (Gap) -> Void)? = nil,
        onUnreadable: (@Sendable (RecordedEvent, MartletError) -> Void)? = nil,
        _ body: (Subscription<E>) async throws -> Result
    ) async throws -> Result {
        let reader = EventReader<E>(configuration.codecs, onUnreadable)
        return try await withSource(
            patterns ?? [TopicPattern(E.topic)], start, filter, buffering, onGap
        ) { source in
            try await body(
                Subscription(source) { (event) throws(MartletError) in try reader.read(event) })
        }
    }

    /// Reads events of any type for as long as `body` runs, as they were recorded.
    public func subscribe<Result>(
        to patterns: [TopicPattern], from start: Start = .now, where filter: Filter? = nil,
        buffering: Buffering = .replay, onGap: (@Sendable (Gap) -> Void)? = nil,
        _ body: (Subscription<RecordedEvent>) async throws -> Result
    ) async throws -> Result {
        try await withSource(patterns, start, filter, buffering, onGap) { source in
            try await body(Subscription(source) { (event) throws(MartletError) in event })
        }
    }

    private func withSource<Result>(
        _ patterns: [TopicPattern], _ start: Start, _ filter: Filter?, _ buffering: Buffering,
        _ onGap: (@Sendable (Gap) -> Void)?,
        _ body: (SubscriptionSource) async throws -> Result
    ) async throws -> Result {
        guard case .cursor(let name) = start else {
            return try await withSource(patterns, start, filter, buffering, onGap, nil, body)
        }
        let journal = try requireJournal()
        let tracker = try journal.track(name)
        let outcome: Swift.Result<Result, any Error>
        do {
            outcome = .success(
                try await withSource(
                    patterns, .after(tracker.positions), filter, buffering, onGap, tracker, body))
        } catch { outcome = .failure(error) }
        await journal.writer.remove(tracker)
        return try outcome.get()
    }

    private func withSource<Result>(
        _ patterns: [TopicPattern], _ start: Start, _ filter: Filter?, _ buffering: Buffering,
        _ onGap: (@Sendable (Gap) -> Void)?, _ tracker: CursorTracker?,
        _ body: (SubscriptionSource) async throws -> Result
    ) async throws -> Result {
        let selection = try selection(of: patterns)
        let source = SubscriptionSource(
            SubscriptionQueue(buffering, bytesMax: Limits.bufferBytes), patterns, where: filter,
            onGap: onGap, loop: loop, tracker: tracker)
        let from = start.machineStart
        let number = try await loop.withDriver(NodeEngine.self) {
            (engine, loop) throws(MartletError) in
            try engine.subscribe(source, to: selection, from: from, buffering, on: loop)
        }
        loop.notify()
        do {
            try await waitUntilReady(number)
            let result = try await body(source)
            await unsubscribe(number)
            return result
        } catch {
            await unsubscribe(number)
            throw error
        }
    }

    private func selection(of patterns: [TopicPattern]) throws(MartletError) -> StreamSelection {
        guard !patterns.isEmpty else {
            throw MartletError(.invalidArgument, "A subscription needs a topic pattern.")
        }
        guard !configuration.peers.isEmpty || endpoint != nil else {
            throw MartletError(
                .wrongState,
                "The node `\(name)` has nobody to read from. Start it with `peers:`.")
        }
        let streams = patterns.map(\.stream)
        let names = streams.compactMap { $0 }
        return names.count == streams.count ? StreamSelection(names) : .all
    }

    private func waitUntilReady(_ number: UInt16) async throws(MartletError) {
        while true {
            let changes = engineChanges.changes
            let isReady = try await loop.withDriver(NodeEngine.self) {
                (engine, _) throws(MartletError) in engine.isReady(number)
            }
            if isReady { return }
            switch await engineChanges.wait(since: changes) {
            case .changed, .timedOut: continue
            case .closed: throw Node.closedError
            case .cancelled:
                throw MartletError(
                    .cancelled, "The task was cancelled before its subscription was in force.")
            }
        }
    }

    private func unsubscribe(_ number: UInt16) async {
        // A loop that is closed has none.
        try? await loop.withDriver(NodeEngine.self) { (engine, loop) throws(MartletError) in
            engine.unsubscribe(number, on: loop)
        }
    }

    private static let closedError = MartletError(
        .closed, "The node is closed. Subscribe while its `withNode` still runs.")
}

extension Start {
    fileprivate var machineStart: FanoutReader.Start {
        switch self {
        case .now: .now
        case .beginning: .first
        case .after(let positions): .behind(positions)
        case .time(let time): .time(time)
        case .cursor: preconditionFailure("a cursor has positions by now")
        }
    }
}
