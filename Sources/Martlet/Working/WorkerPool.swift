public import MartletDelivery

/// Handlers for the events of a group, which share them with those of all other nodes that run a
/// pool of the same group: each event goes to one of them.
///
/// ```swift
/// let billing = WorkerPool(of: OrderPlaced.self, group: "billing", width: 8) { order, delivery in
///     guard order.cents > 0 else { throw Rejection("nothing to charge") }
///     try await charge(order, idempotencyKey: delivery.id)
/// }
/// try await node.run(billing)
/// ```
///
/// Returning acknowledges the event. Throwing asks for another attempt later; only what has the
/// same key waits for it. `Rejection` sets the event aside. Events of one key and publisher are
/// handled one after the other, in their order. An event may come again when a worker dies or its
/// answer is lost: `delivery.mayBeRepeat` says so.
public struct WorkerPool: Sendable {
    /// The group.
    public let group: String
    /// How many events are handled at once.
    public let width: Int

    let patterns: [TopicPattern]
    let filter: Filter?
    let start: GroupDefinition.Start
    let isKeyed: Bool
    let retry: RetryPolicy
    let timeLimit: Duration
    let version: Int
    let makeHandler: @Sendable (CodecSet) -> PoolHandler

    /// A pool whose handler returns nothing.
    ///
    /// What the group wants and how it retries, `topics`, `filter`, `start`, `keyed` and `retry`
    /// without its rules, must be the same in all its pools. To change it, raise `version`.
    ///
    /// - Parameters:
    ///   - type: the type of the events. One that cannot be read is set aside.
    ///   - patterns: which topics; without them, the type's topic.
    ///   - group: the name that its pools share: letters of English, digits and `. _ -`.
    ///   - width: how many events are handled at once.
    ///   - filter: which events; the others are passed by.
    ///   - start: where a group begins that the publisher has not heard of: with the first event
    ///     that it keeps, or with the next to come.
    ///   - isKeyed: whether the events of a key keep their order. Where that does not matter, a
    ///     stream's lanes need not belong to one worker each.
    ///   - retry: what happens when the handler throws.
    ///   - timeLimit: a handler that takes longer is cancelled, which counts as a failure.
    ///   - version: of the group's definition.
    ///   - handler: handles an event.
    public init<E: Event>(
        of type: E.Type, topics patterns: [TopicPattern]? = nil, group: String, width: Int = 8,
        where filter: Filter? = nil, from start: GroupDefinition.Start = .first,
        keyed isKeyed: Bool = true, retry: RetryPolicy = .standard,
        timeLimit: Duration = Limits.handlerTime, version: Int = 1,
        _ handler: @escaping @Sendable (E, Delivery) async throws -> Void
    ) {
        self.init(
            patterns ?? [TopicPattern(E.topic)], group, width, filter, start, isKeyed, retry,
            timeLimit, version
        ) { codecs in PoolHandler(EventReader<E>(codecs, nil), handler) }
    }

    /// A pool whose handler returns something, which travels back to whoever waits for it.
    public init<E: Event, Value: Encodable & Sendable>(
        of type: E.Type, topics patterns: [TopicPattern]? = nil, group: String, width: Int = 8,
        where filter: Filter? = nil, from start: GroupDefinition.Start = .first,
        keyed isKeyed: Bool = true, retry: RetryPolicy = .standard,
        timeLimit: Duration = Limits.handlerTime, version: Int = 1,
        returning codec: any Codec = JSONCodec(),
        _ handler: @escaping @Sendable (E, Delivery) async throws -> Value
    ) {
        self.init(
            patterns ?? [TopicPattern(E.topic)], group, width, filter, start, isKeyed, retry,
            timeLimit, version
        ) { codecs in PoolHandler(EventReader<E>(codecs, nil), codec, handler) }
    }

    /// A pool for events of any type, as they were recorded.
    public init(
        of patterns: [TopicPattern], group: String, width: Int = 8, where filter: Filter? = nil,
        from start: GroupDefinition.Start = .first, keyed isKeyed: Bool = true,
        retry: RetryPolicy = .standard, timeLimit: Duration = Limits.handlerTime,
        version: Int = 1,
        _ handler: @escaping @Sendable (RecordedEvent, Delivery) async throws -> Void
    ) {
        self.init(
            patterns, group, width, filter, start, isKeyed, retry, timeLimit, version
        ) { _ in PoolHandler(.plain(handler)) }
    }

    init(
        _ patterns: [TopicPattern], _ group: String, _ width: Int, _ filter: Filter?,
        _ start: GroupDefinition.Start, _ isKeyed: Bool, _ retry: RetryPolicy,
        _ timeLimit: Duration, _ version: Int,
        _ makeHandler: @escaping @Sendable (CodecSet) -> PoolHandler
    ) {
        self.patterns = patterns
        self.group = group
        self.width = width
        self.filter = filter
        self.start = start
        self.isKeyed = isKeyed
        self.retry = retry
        self.timeLimit = timeLimit
        self.version = version
        self.makeHandler = makeHandler
    }

    /// What the group is told of. It throws `invalidArgument` for what lies outside of its limits.
    func definition() throws(MartletError) -> GroupDefinition {
        guard (1...Limits.poolWidthMax).contains(width) else {
            throw MartletError(
                .invalidArgument,
                "A pool handles 1 to \(Limits.poolWidthMax) events at once, not \(width).")
        }
        guard timeLimit > .zero else {
            throw MartletError(
                .invalidArgument, "A handler's time limit is positive, not \(timeLimit).")
        }
        return try GroupDefinition(
            named: group, patterns: patterns, where: filter, from: start, isKeyed: isKeyed,
            attempts: retry.attempts, backOff: BackOff(from: retry.first, upTo: retry.longest),
            lastResort: retry.lastResort, version: version)
    }
}
