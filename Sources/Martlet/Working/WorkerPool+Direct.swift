public import MartletDelivery

/// Pools whose handlers wait for nothing. A handler without `await` is taken for one, and if it
/// returns nothing it is called straight from where its events are read: for handlers of well under
/// a microsecond that counts. What belongs to an actor is called with `await`.
extension WorkerPool {
    /// A pool whose handler waits for nothing and returns nothing.
    ///
    /// The parameters mean the same as for handlers that wait.
    public init<E: Event>(
        of type: E.Type, topics patterns: [TopicPattern]? = nil, group: String, width: Int = 8,
        where filter: Filter? = nil, from start: GroupDefinition.Start = .first,
        keyed isKeyed: Bool = true, retry: RetryPolicy = .standard,
        timeLimit: Duration = Limits.handlerTime, version: Int = 1,
        _ handler: @escaping @Sendable (E, Delivery) throws -> Void
    ) {
        self.init(
            patterns ?? [TopicPattern(E.topic)], group, width, filter, start, isKeyed, retry,
            timeLimit, version
        ) { codecs in PoolHandler(direct: EventReader<E>(codecs, nil), handler) }
    }

    /// A pool whose handler waits for nothing and returns something, which travels back to whoever
    /// waits for it.
    public init<E: Event, Value: Encodable & Sendable>(
        of type: E.Type, topics patterns: [TopicPattern]? = nil, group: String, width: Int = 8,
        where filter: Filter? = nil, from start: GroupDefinition.Start = .first,
        keyed isKeyed: Bool = true, retry: RetryPolicy = .standard,
        timeLimit: Duration = Limits.handlerTime, version: Int = 1,
        returning codec: any Codec = JSONCodec(),
        _ handler: @escaping @Sendable (E, Delivery) throws -> Value
    ) {
        self.init(
            patterns ?? [TopicPattern(E.topic)], group, width, filter, start, isKeyed, retry,
            timeLimit, version
        ) { codecs in
            PoolHandler(EventReader<E>(codecs, nil), codec) { try handler($0, $1) }
        }
    }

    /// A pool whose handler waits for nothing, for events of any type, as they were recorded.
    public init(
        of patterns: [TopicPattern], group: String, width: Int = 8, where filter: Filter? = nil,
        from start: GroupDefinition.Start = .first, keyed isKeyed: Bool = true,
        retry: RetryPolicy = .standard, timeLimit: Duration = Limits.handlerTime,
        version: Int = 1,
        _ handler: @escaping @Sendable (RecordedEvent, Delivery) throws -> Void
    ) {
        self.init(
            patterns, group, width, filter, start, isKeyed, retry, timeLimit, version
        ) { _ in PoolHandler(.direct(handler)) }
    }

    /// A pool that pulls events of a type from `.pushed` streams, and whose handler waits for
    /// nothing.
    public static func atMostOnce<E: Event>(
        of type: E.Type, topics patterns: [TopicPattern]? = nil, width: Int = 8,
        where filter: Filter? = nil, _ handler: @escaping @Sendable (E, Delivery) throws -> Void
    ) -> PullPool {
        PullPool(
            width: width, patterns: patterns ?? [TopicPattern(E.topic)], filter: filter
        ) { codecs in PoolHandler(direct: EventReader<E>(codecs, nil), handler) }
    }

    /// A pool that pulls events of any type, as they were recorded, and whose handler waits for
    /// nothing.
    public static func atMostOnce(
        of patterns: [TopicPattern], width: Int = 8, where filter: Filter? = nil,
        _ handler: @escaping @Sendable (RecordedEvent, Delivery) throws -> Void
    ) -> PullPool {
        PullPool(width: width, patterns: patterns, filter: filter) { _ in
            PoolHandler(.direct(handler))
        }
    }
}
