internal import MartletDelivery

/// What all publishers of a stream share.
final class Outlet: Sendable {
    let encodings = EncodingPool()
    let buffer: StreamBuffer
    private let core: PublishingCore
    private var timeout: Duration { buffer.timeout }

    init(_ core: PublishingCore, _ buffer: StreamBuffer) {
        self.core = core
        self.buffer = buffer
    }

    /// A kind of event that will be published often.
    func kind(_ definition: EventDefinition) -> PublishedKind {
        PublishedKind(definition: definition, number: buffer.register(definition))
    }

    /// A kind of event that may never come again.
    func passingKind(_ definition: EventDefinition) -> PublishedKind {
        PublishedKind(definition: definition, number: -1)
    }

    /// Appends an event to its lane, and watches what becomes of it if a group is named. Nil if
    /// there is no room.
    func append(
        _ payload: RawSpan, _ fields: EventFields, _ kind: PublishedKind, for group: String?
    ) throws(MartletError) -> AppendedEvent? {
        guard let group else { return try append(payload, fields, kind) }
        let lane = buffer.lane(ofKey: fields.key)
        let outcome = try core.watching(group, buffer, lane) { () throws(MartletError) in
            try buffer.append(payload, fields, lane: lane, kind)
        }
        return try told(outcome, lane: lane)
    }

    /// Appends an event to its lane. Nil if there is no room.
    func append(
        _ payload: RawSpan, _ fields: EventFields, _ kind: PublishedKind
    ) throws(MartletError) -> AppendedEvent? {
        guard !fields.isPlain else { return try append(payload, at: fields.time, kind) }
        let lane = buffer.lane(ofKey: fields.key)
        return try told(buffer.append(payload, fields, lane: lane, kind), lane: lane)
    }

    /// Appends an event that carries nothing but its payload. Nil if there is no room.
    func append(
        _ payload: RawSpan, at time: Timestamp?, _ kind: PublishedKind
    ) throws(MartletError) -> AppendedEvent? {
        try told(buffer.append(payload, at: time, kind), lane: 0)
    }

    @inline(__always)
    private func told(
        _ outcome: StreamBuffer.Outcome, lane: Int
    ) throws(MartletError) -> AppendedEvent? {
        switch outcome {
        case .appended(let sequence, let mustTell):
            if mustTell { core.tell(buffer) }
            return AppendedEvent(sequence: sequence, lane: lane)
        case .full: return nil
        case .closed: throw Outlet.closedError
        }
    }

    /// Publishes an event, and waits until it has come so far. The attempt is told for which group
    /// the event is to be watched.
    func publish(
        until level: Receipt.Level,
        _ attempt: (String?) throws(MartletError) -> AppendedEvent?
    ) async throws(MartletError) -> Receipt {
        guard case .handled(let group, let time) = level else {
            if level == .stored { _ = try buffer.requireReceipts() }
            let appended = try await untilRoom { () throws(MartletError) in try attempt(nil) }
            return try await Receipt(appended, in: buffer).reach(level)
        }
        try core.requireGroup(group)
        let appended = try await untilRoom { () throws(MartletError) in try attempt(group) }
        let outcome = try await core.outcome(
            of: appended, in: buffer, for: group, until: NodeClock.now + (time ?? timeout))
        // It was stored before it was handled.
        let epoch = try await buffer.receipts?.wait(
            for: appended, until: NodeClock.now + timeout)
        return Receipt(
            appended, in: buffer, Receipt.Progress(level, storedIn: epoch, outcome))
    }

    /// Tries again each time there is room.
    func untilRoom(
        _ attempt: () throws(MartletError) -> AppendedEvent?
    ) async throws(MartletError) -> AppendedEvent {
        let deadline = NodeClock.now + timeout
        while true {
            let changes = buffer.room.changes
            if let appended = try attempt() { return appended }
            switch await buffer.room.wait(since: changes, until: deadline) {
            case .changed: continue
            case .closed: throw Outlet.closedError
            case .cancelled:
                throw MartletError(
                    .cancelled,
                    "The task was cancelled while it waited to publish; nothing was published.")
            case .timedOut:
                if let failure = buffer.receipts?.failure { throw failure }
                throw MartletError(
                    .full,
                    "The stream `\(buffer.definition.name)` has had no room for \(timeout): its "
                        + "node does not get to send. Publish less, or give it more processors.")
            }
        }
    }

    func waitForReaders(atLeast count: Int) async throws(MartletError) {
        try await core.waitForReaders(atLeast: count, of: buffer.definition.name)
    }

    static let closedError = MartletError(
        .closed, "The node is closed. Publish while its `withNode` still runs.")
}

/// Where an event stands in its stream: a receipt without what it would have to keep alive.
@usableFromInline
struct AppendedEvent {
    @usableFromInline let sequence: UInt64
    @usableFromInline let lane: Int
}

/// A kind of event, and the number by which its stream knows it. A class, since a definition is
/// many texts, which nobody should hold on to for each event.
final class PublishedKind: Sendable {
    let definition: EventDefinition
    /// -1 where it is not registered.
    let number: Int

    init(definition: EventDefinition, number: Int) {
        self.definition = definition
        self.number = number
    }
}
