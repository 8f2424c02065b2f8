/// Handlers for events that are pulled: each goes to one of all pools that pull the stream, once at
/// most. `WorkerPool.atMostOnce` makes one.
///
/// There are no acknowledgements, no retries, no dead letters and no order between events: what a
/// handler throws is counted. When a process or its connection dies, the events that it had are
/// lost, up to some frames on their way. `Node.pushes` estimates how many: what was sent less what
/// was reported. All pools of a stream should be alike: each gets its share of everything, and
/// drops what it does not want.
public struct PullPool: Sendable {
    /// How many events are handled at once.
    public let width: Int
    let patterns: [TopicPattern]
    let filter: Filter?
    let makeHandler: @Sendable (CodecSet) -> PoolHandler

    func check() throws(MartletError) {
        guard (1...Limits.poolWidthMax).contains(width) else {
            throw MartletError(
                .invalidArgument,
                "A pool handles 1 to \(Limits.poolWidthMax) events at once, not \(width).")
        }
    }

    /// Whether events of a stream may be wanted.
    func wants(_ stream: StreamName) -> Bool {
        patterns.contains { $0.stream == nil || $0.stream == stream }
    }

    /// Whether all events of a frame are wanted, without a look at each.
    func wantsAll(of frame: Frame) -> Bool {
        filter == nil && frame.allKinds { kind in patterns.contains { $0.matches(kind.topic) } }
    }

    func wants(_ event: RecordedEvent) -> Bool {
        patterns.contains { $0.matches(event.topic) } && filter?.matches(event) ?? true
    }
}

extension WorkerPool {
    /// A pool that pulls events of a type from `.pushed` streams: each is handled once at most.
    public static func atMostOnce<E: Event>(
        of type: E.Type, topics patterns: [TopicPattern]? = nil, width: Int = 8,
        where filter: Filter? = nil,
        _ handler: @escaping @Sendable (E, Delivery) async throws -> Void
    ) -> PullPool {
        PullPool(
            width: width, patterns: patterns ?? [TopicPattern(E.topic)], filter: filter
        ) { codecs in PoolHandler(EventReader<E>(codecs, nil), handler) }
    }

    /// A pool that pulls events of any type, as they were recorded.
    public static func atMostOnce(
        of patterns: [TopicPattern], width: Int = 8, where filter: Filter? = nil,
        _ handler: @escaping @Sendable (RecordedEvent, Delivery) async throws -> Void
    ) -> PullPool {
        PullPool(width: width, patterns: patterns, filter: filter) { _ in
            PoolHandler(.plain(handler))
        }
    }
}
