internal import MartletDelivery
internal import MartletSockets
import Synchronization

/// Submits events to a node that stores them: for processes that come and go, and have no address,
/// no journal and no readers of their own. `withProducer` gives you one. Any number of tasks may
/// use it.
///
/// The node knows the producer by its name, and numbers its events: each is stored once, however
/// often it is sent, also when the connection breaks, or one of the two starts anew. A process that
/// takes the place of another goes on at `next`.
public final class Producer: Sendable {
    /// What the node knows it by.
    public let name: String
    private let node: Endpoint
    let loop: SocketLoop
    let buffer: SubmissionBuffer
    private let codecs: CodecSet
    private let timeout: Duration
    private let encodings = EncodingPool()
    private let lastNamed = Lock<(plain: EventDefinition, named: EventDefinition)?>(nil)
    private let kinds = Lock<[ObjectIdentifier: EventDefinition]>([:])

    init(
        _ name: String, at node: Endpoint, _ loop: SocketLoop, _ buffer: SubmissionBuffer,
        _ codecs: CodecSet, _ timeout: Duration
    ) {
        self.name = name
        self.node = node
        self.loop = loop
        self.buffer = buffer
        self.codecs = codecs
        self.timeout = timeout
    }

    /// The producer's own thread, for tasks that are to hear of answers without delay: no other
    /// thread must wake for them. While such a task works, nothing is sent: it must not wait for
    /// anything but by `await`.
    public var executor: any TaskExecutor { loop.taskExecutor }

    /// The number of the event that is submitted next; all before it were submitted, here or by
    /// those that went by this name before. Where a process begins, all before it are stored: give
    /// your events numbers from 1 on, and a new process knows where to go on.
    public var next: UInt64 { buffer.nextNumber }

    /// Submits an event, and returns once it has come so far.
    ///
    /// With `.stored`, it is on the disk of the node. With `.queued`, it is numbered and will be
    /// sent; `flush` waits for it. With `.handled(by:)`, a group of workers is done with it, and
    /// the receipt's `outcome` says how; it throws `wrongState` if the node knows no such group,
    /// and the event is stored all the same. It suspends while too much is on its way.
    ///
    /// It throws `full` if there has been no room for the producer's timeout, in which case nothing
    /// was submitted; `timedOut` if the event is not known to be stored within it, and `cancelled`
    /// when its task is cancelled: an event that has been numbered goes on to be submitted all the
    /// same. It throws `wrongState` when another process has opened a producer of this name.
    ///
    /// - Parameters:
    ///   - event: what happened.
    ///   - topic: where it is addressed to, within the stream of the type's topic; without it, the
    ///     type's topic.
    ///   - key: what it must stay in order with.
    ///   - level: how far it must have come.
    ///   - attributes: a subject and extensions.
    ///   - time: when it happened; now without it.
    @discardableResult
    public func submit<E: Event>(
        _ event: E, topic: Topic? = nil, key: String? = nil, until level: Receipt.Level = .stored,
        attributes: EventAttributes? = nil, time: Timestamp? = nil
    ) async throws(MartletError) -> SubmissionReceipt {
        let kind = try kind(of: E.self, topic)
        let codec = try codecs.require(E.contentType)
        let fields = EventFields(time: time, key: key, id: nil, attributes: attributes)
        return try await submit(until: level) { (group) throws(MartletError) in
            try encodings.withPayload(of: event, by: codec) { (payload) throws(MartletError) in
                try buffer.append(payload, fields, kind, for: group)
            }
        }
    }

    /// Submits an event whose payload is encoded already, in the same way.
    @discardableResult
    public func submit(
        _ payload: Bytes, as definition: EventDefinition, key: String? = nil,
        until level: Receipt.Level = .stored, attributes: EventAttributes? = nil,
        time: Timestamp? = nil
    ) async throws(MartletError) -> SubmissionReceipt {
        let kind = try named(definition)
        let fields = EventFields(time: time, key: key, id: nil, attributes: attributes)
        return try await submit(payload, fields, kind, until: level)
    }

    /// Submits an event of another system as it is: with its id, source, time, key and attributes.
    /// Its topic is its extension `topic`, or else its type.
    @discardableResult
    public func submit(
        _ event: CloudEvent, until level: Receipt.Level = .stored
    ) async throws(MartletError) -> SubmissionReceipt {
        let (kind, fields) = try event.parts()
        return try await submit(event.data ?? Bytes(), fields, kind, until: level)
    }

    /// Waits until everything that was submitted is stored, as long as the producer's timeout
    /// allows.
    public func flush() async throws(MartletError) {
        guard let next = try buffer.next(), next > 1 else { return }
        _ = try await buffer.wait(for: next - 1, until: NodeClock.now + timeout)
    }

    private func submit(
        _ payload: Bytes, _ fields: EventFields, _ kind: EventDefinition,
        until level: Receipt.Level
    ) async throws(MartletError) -> SubmissionReceipt {
        try await submit(until: level) { (group) throws(MartletError) in
            try payload.withBytes { (span) throws(MartletError) in
                try buffer.append(span, fields, kind, for: group)
            }
        }
    }

    private func submit(
        until level: Receipt.Level, _ append: (String?) throws(MartletError) -> UInt64?
    ) async throws(MartletError) -> SubmissionReceipt {
        var group: String?
        if case .handled(let name, _) = level { group = name }
        let number = try await untilRoom { () throws(MartletError) in try append(group) }
        loop.notify()
        switch level {
        case .queued: return SubmissionReceipt(level: level, number: number, position: nil)
        case .stored:
            let position = try await buffer.wait(for: number, until: NodeClock.now + timeout)
            return SubmissionReceipt(level: level, number: number, position: position)
        case .handled(let group, let time):
            let outcome = try await buffer.outcome(
                of: AwaitedEvent(number: number, group: group),
                until: NodeClock.now + (time ?? timeout))
            return SubmissionReceipt(
                level: level, number: number, position: nil, outcome: outcome)
        }
    }

    /// Tries again each time there is room.
    private func untilRoom(
        _ attempt: () throws(MartletError) -> UInt64?
    ) async throws(MartletError) -> UInt64 {
        let deadline = NodeClock.now + timeout
        while true {
            let changes = buffer.changes.changes
            if let number = try attempt() { return number }
            switch await buffer.changes.wait(since: changes, until: deadline) {
            case .changed: continue
            case .closed: throw SubmissionBuffer.closedError
            case .cancelled:
                throw MartletError(
                    .cancelled,
                    "The task was cancelled while it waited to submit; nothing was submitted.")
            case .timedOut:
                throw MartletError(
                    .full,
                    "The node at \(node) has taken nothing for \(timeout): it does not answer, or "
                        + "its disk is slow. Submit less, or look at the node.", isRetriable: true)
            }
        }
    }

    private func kind<E: Event>(
        of type: E.Type, _ topic: Topic?
    ) throws(MartletError) -> EventDefinition {
        guard topic == nil || topic == E.topic else {
            return try named(EventDefinition(of: E.self, topic: topic ?? E.topic))
        }
        if let known = kinds.withLock({ $0[ObjectIdentifier(type)] }) { return known }
        let kind = try named(EventDefinition(of: E.self))
        kinds.withLock { $0[ObjectIdentifier(type)] = kind }
        return kind
    }

    /// Whose number an event's id is.
    private func named(_ definition: EventDefinition) throws(MartletError) -> EventDefinition {
        guard definition.source == nil else { return definition }
        // Events come in rows of one kind.
        if let last = lastNamed.withLock({ $0 }), last.plain == definition { return last.named }
        let named = try EventDefinition(
            topic: definition.topic, contentType: definition.contentType, type: definition.type,
            schema: definition.schema, source: "martlet:\(name)")
        lastNamed.withLock { $0 = (definition, named) }
        return named
    }
}
