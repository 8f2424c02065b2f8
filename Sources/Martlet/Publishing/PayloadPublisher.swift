/// Publishes payloads that are encoded already, all of one kind. Any number of tasks may use it.
public final class PayloadPublisher: Sendable {
    @usableFromInline let buffer: StreamBuffer
    private let outlet: Outlet
    private let kind: PublishedKind

    init(_ outlet: Outlet, _ definition: EventDefinition) {
        self.outlet = outlet
        buffer = outlet.buffer
        kind = outlet.kind(definition)
    }

    // Inlined, so that a call that need not suspend costs no more than one that cannot.
    /// Publishes an event, and returns once it is numbered and on its way. It suspends and throws
    /// as `Publisher.publish` does.
    @inlinable
    @discardableResult
    public func publish(
        _ payload: Bytes, until level: Receipt.Level = .queued, key: String? = nil,
        id: String? = nil, attributes: EventAttributes? = nil, time: Timestamp? = nil
    ) async throws(MartletError) -> Receipt {
        if case .queued = level,
            let receipt = try offer(payload, key: key, id: id, attributes: attributes, time: time)
        {
            return receipt
        }
        return try await publish(until: level) { (group) throws(MartletError) in
            try append(payload, key, id, attributes, time, for: group)
        }
    }

    /// Publishes an event whose payload lies in memory of yours, which is copied.
    @inlinable
    @discardableResult
    public func publish(
        _ payload: RawSpan, until level: Receipt.Level = .queued, key: String? = nil,
        id: String? = nil, attributes: EventAttributes? = nil, time: Timestamp? = nil
    ) async throws(MartletError) -> Receipt {
        if case .queued = level,
            let receipt = try offer(payload, key: key, id: id, attributes: attributes, time: time)
        {
            return receipt
        }
        return try await publish(until: level) { (group) throws(MartletError) in
            try append(payload, key, id, attributes, time, for: group)
        }
    }

    /// Publishes an event if there is room, without waiting. Nil if there is none.
    @inlinable
    @discardableResult
    public func offer(
        _ payload: Bytes, key: String? = nil, id: String? = nil,
        attributes: EventAttributes? = nil, time: Timestamp? = nil
    ) throws(MartletError) -> Receipt? {
        try append(payload, key, id, attributes, time).map { Receipt($0, in: buffer) }
    }

    /// Publishes an event whose payload lies in memory of yours if there is room for a copy.
    @inlinable
    @discardableResult
    public func offer(
        _ payload: RawSpan, key: String? = nil, id: String? = nil,
        attributes: EventAttributes? = nil, time: Timestamp? = nil
    ) throws(MartletError) -> Receipt? {
        try append(payload, key, id, attributes, time).map { Receipt($0, in: buffer) }
    }

    @usableFromInline
    func publish(
        until level: Receipt.Level,
        _ attempt: (String?) throws(MartletError) -> AppendedEvent?
    ) async throws(MartletError) -> Receipt {
        try await outlet.publish(until: level, attempt)
    }

    @usableFromInline
    func append(
        _ payload: Bytes, _ key: String?, _ id: String?, _ attributes: EventAttributes?,
        _ time: Timestamp?, for group: String? = nil
    ) throws(MartletError) -> AppendedEvent? {
        try payload.withBytes { (span) throws(MartletError) in
            try append(span, key, id, attributes, time, for: group)
        }
    }

    @usableFromInline
    func append(
        _ payload: RawSpan, _ key: String?, _ id: String?, _ attributes: EventAttributes?,
        _ time: Timestamp?, for group: String? = nil
    ) throws(MartletError) -> AppendedEvent? {
        guard key != nil || id != nil || attributes != nil || group != nil else {
            return try outlet.append(payload, at: time, kind)
        }
        let fields = EventFields(time: time, key: key, id: id, attributes: attributes)
        return try outlet.append(payload, fields, kind, for: group)
    }

    /// Waits until so many nodes subscribe to the stream. Cancelling throws `cancelled`.
    public func waitForSubscribers(atLeast count: Int = 1) async throws(MartletError) {
        try await outlet.waitForReaders(atLeast: count)
    }
}
