extension Node {
    /// Makes a state of events, in a SQLite database: what `handle` does with an event, and that it
    /// has, are on the disk together or not at all. Each event therefore counts once, whatever
    /// happens in between.
    ///
    /// It begins behind what the database has, or with the first events that are kept, and goes on
    /// until it is cancelled or the node closes. Events that came together are one transaction.
    /// When `handle` throws, their transaction is taken back and the error thrown on; called again,
    /// it begins with the same events.
    ///
    /// - Parameters:
    ///   - type: the type of the events.
    ///   - patterns: which topics; without them, the type's topic.
    ///   - file: the database, which is made if it is not there. One process at a time uses it.
    ///   - name: what this state is called there; a database may have several, one after the other.
    ///   - filter: which events; the others are passed by.
    ///   - onGap: told of every loss, before the events behind it.
    ///   - prepare: makes the tables, in a transaction of its own.
    ///   - handle: takes an event into the state, on a thread of its own; it may take time.
    public func keepState<E: Event>(
        of type: E.Type, topics patterns: [TopicPattern]? = nil, in file: String,
        named name: String, where filter: Filter? = nil, onGap: (@Sendable (Gap) -> Void)? = nil,
        preparing prepare: (@Sendable (StateTransaction) throws -> Void)? = nil,
        _ handle: @escaping @Sendable (E, Delivery, StateTransaction) throws -> Void
    ) async throws {
        let keeper = try await StateKeeper.open(file, cursor: name, prepare)
        let reader = EventReader<E>(configuration.codecs, nil)
        try await subscribe(
            to: patterns ?? [TopicPattern(E.topic)], from: .after(keeper.positions()),
            where: filter, onGap: onGap
        ) { events in
            for try await batch in events.batches {
                try await keeper.store(batch.lastPosition) { transaction in
                    for event in batch {
                        guard let value = try reader.read(event) else { continue }
                        try handle(value, Delivery(event), transaction)
                    }
                }
            }
        }
    }
}
