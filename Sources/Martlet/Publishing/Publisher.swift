/// Publishes events of one type. Any number of tasks may use it.
///
/// Events of one task leave in its order; events of one key, or without a key, keep the order in
/// which they were published on this node.
public final class Publisher<E: Event>: Sendable {
    @usableFromInline let buffer: StreamBuffer
    private let outlet: Outlet
    private let topic: (@Sendable (E) throws -> Topic)?
    private let key: (@Sendable (E) -> String)?
    private let kind: PublishedKind
    private let codec: any Codec
    private let encodesDirectly: Bool

    init(
        _ outlet: Outlet, topic: (@Sendable (E) throws -> Topic)?,
        key: (@Sendable (E) -> String)?, codec: any Codec
    ) throws(MartletError) {
        self.outlet = outlet
        buffer = outlet.buffer
        self.topic = topic
        self.key = key
        self.codec = codec
        kind = outlet.kind(try EventDefinition(of: E.self))
        encodesDirectly = E.self is any DirectlyCodable.Type
    }

    // Inlined, so that a call that need not suspend costs no more than one that cannot.
    /// Publishes an event, and returns once it is numbered and on its way.
    ///
    /// It suspends while too much waits to be sent, at most until the node's `publishTimeout`, then
    /// it throws `full`. Cancelling while it suspends throws `cancelled`; nothing was published. On
    /// a node that closes it throws `closed`.
    ///
    /// With `until: .stored` it returns once the event is on disk, and throws if that has not
    /// happened within the node's `publishTimeout` or nobody knows; the event may be stored then
    /// all the same.
    ///
    /// With `until: .handled(by:)` it returns once the group of that name is done with the event;
    /// the receipt's `outcome` says what it has made of it. It throws `wrongState` at once if the
    /// node knows no such group, and nothing was published; `timedOut` if the group is not done in
    /// time, and the event stays published. A handler must not wait like this for an event that
    /// waits for the handler's own key.
    ///
    /// - Parameters:
    ///   - event: what happened.
    ///   - level: how far it must have come.
    ///   - id: an id of your own, unique within the source; the position's text without it.
    ///   - attributes: a subject and extensions.
    ///   - time: when it happened; now without it.
    @inlinable
    @discardableResult
    public func publish(
        _ event: E, until level: Receipt.Level = .queued, id: String? = nil,
        attributes: EventAttributes? = nil, time: Timestamp? = nil
    ) async throws(MartletError) -> Receipt {
        if case .queued = level,
            let receipt = try offer(event, id: id, attributes: attributes, time: time)
        {
            return receipt
        }
        return try await publish(until: level) { (group) throws(MartletError) in
            try append(event, id, attributes, time, for: group)
        }
    }

    @usableFromInline
    func publish(
        until level: Receipt.Level,
        _ attempt: (String?) throws(MartletError) -> AppendedEvent?
    ) async throws(MartletError) -> Receipt {
        try await outlet.publish(until: level, attempt)
    }

    /// Publishes an event if there is room, without waiting. Nil if there is none: try again later,
    /// or let it go.
    @inlinable
    @discardableResult
    public func offer(
        _ event: E, id: String? = nil, attributes: EventAttributes? = nil, time: Timestamp? = nil
    ) throws(MartletError) -> Receipt? {
        try append(event, id, attributes, time).map { Receipt($0, in: buffer) }
    }

    @usableFromInline
    func append(
        _ event: E, _ id: String?, _ attributes: EventAttributes?, _ time: Timestamp?,
        for group: String? = nil
    ) throws(MartletError) -> AppendedEvent? {
        let fields = EventFields(
            time: time, key: key?(event), id: id, attributes: attributes)
        let kind = try topic.map { (topic) throws(MartletError) in
            try ownKind(of: event, topic)
        }
        return try outlet.encodings.withBox { (box) throws(MartletError) in
            try encode(event, into: box)
            return try box.buffer.withBytes { (payload) throws(MartletError) in
                try outlet.append(payload, fields, kind ?? self.kind, for: group)
            }
        }
    }

    /// Waits until so many nodes subscribe to the stream. Cancelling throws `cancelled`.
    public func waitForSubscribers(atLeast count: Int = 1) async throws(MartletError) {
        try await outlet.waitForReaders(atLeast: count)
    }

    private func encode(_ event: E, into box: EncodingPool.Box) throws(MartletError) {
        if encodesDirectly, let direct = event as? any DirectlyCodable {
            try codec.encode(directly: direct, into: &box.buffer)
        } else {
            try codec.encode(event, into: &box.buffer)
        }
    }

    /// The kind of an event whose topic depends on it.
    private func ownKind(
        of event: E, _ topic: @Sendable (E) throws -> Topic
    ) throws(MartletError) -> PublishedKind {
        let chosen: Topic
        do { chosen = try topic(event) } catch {
            throw error as? MartletError
                ?? MartletError(.invalidTopic, "The topic of an event was not found.", cause: error)
        }
        return outlet.passingKind(try EventDefinition(of: E.self, topic: chosen))
    }
}
