internal import MartletDelivery
import Synchronization

/// An event of a producer, and a group that is to do something with it.
struct AwaitedEvent: Hashable, Sendable {
    let number: UInt64
    let group: String
}

/// The events of a producer from being numbered to being known as stored, and who waits for that.
final class SubmissionBuffer: Sendable {
    /// Events in a row, as they are sent.
    struct SealedFrame: Sendable {
        let bytes: Bytes
        let sequences: Range<UInt64>
    }

    private typealias Waiters = SequenceWaiters<Position?>

    /// Where events stand that were stored before anybody waited for them.
    private struct Places {
        private var runs: [SubmittedRun] = []
        private var node = NodeID(high: 0, low: 0)

        private static let runsKept = 64

        mutating func add(_ more: [SubmittedRun], at node: NodeID) {
            self.node = node
            runs += more
            // Seldom, so that few are moved.
            if runs.count > 2 * Places.runsKept { runs.removeFirst(runs.count - Places.runsKept) }
        }

        func position(of number: UInt64) -> Position? {
            runs.lazy.reversed().compactMap { $0.position(of: number, at: node) }.first
        }
    }

    private struct State: ~Copyable {
        /// The open frame: of the stream that came last.
        var builder: FrameBuilder?
        /// As the node has opened it; nil before.
        var epoch: Epoch?
        var streams: Set<StreamName> = []
        var next: UInt64 = 1
        var sealed: [SealedFrame] = []
        /// Of the frames that are sealed and not stored: the numbers behind them, and their sizes.
        var sizes: [(end: UInt64, byteCount: Int)] = []
        var byteCount = 0
        /// All before this one are stored.
        var stored: UInt64 = 1
        var places = Places()
        var waiters = Waiters()
        var lastWaiter: UInt64 = 0
        var failure: MartletError?
        /// What groups make of these is to be asked, and of these no more.
        var awaited: [AwaitedEvent] = []
        var forgotten: [AwaitedEvent] = []
        var isClosed = false
        /// Nobody hears of answers any more.
        var hasEnded = false
    }

    /// Who waits for what groups make of events.
    let outcomes = OutcomeBook<AwaitedEvent>()
    /// Raised when it was opened, when there is room again, and at the end.
    let changes = ChangeSignal()
    private let name: String
    private let id: NodeID
    private let state = Lock(State())

    init(_ name: String, _ id: NodeID) {
        self.name = name
        self.id = id
    }

    // MARK: Callers

    /// The number of the next event; nil before the node has opened the producer.
    func next() throws(MartletError) -> UInt64? {
        try state.withLock { (state) throws(MartletError) -> UInt64? in
            if let failure = state.failure { throw failure }
            return state.epoch == nil ? nil : state.next
        }
    }

    /// The number of the next event, also when nothing can be submitted any more.
    var nextNumber: UInt64 { state.withLock { $0.next } }

    /// How many events are not known to be stored.
    var unconfirmedCount: Int { state.withLock { Int($0.next - $0.stored) } }

    /// Numbers an event; nil if there is no room.
    ///
    /// If a group is named, it is to be asked what that makes of the event.
    func append(
        _ payload: RawSpan, _ fields: EventFields, _ kind: EventDefinition, for group: String? = nil
    ) throws(MartletError) -> UInt64? {
        try SubmissionBuffer.check(payload, fields)
        return try state.withLock { (state) throws(MartletError) -> UInt64? in
            try check(kind.stream, &state)
            let open = state.builder?.byteCount ?? 0
            guard state.byteCount + open < Limits.submissionBytes else { return nil }
            var number = try write(payload, fields, kind, &state)
            if number == nil {
                seal(&state)
                number = try write(payload, fields, kind, &state)
            }
            guard let number else { preconditionFailure("an empty frame has room for an event") }
            if let group {
                let event = AwaitedEvent(number: number, group: group)
                outcomes.add(event)
                state.awaited.append(event)
            }
            return number
        }
    }

    /// Waits for what a group makes of an event for which it was named.
    func outcome(
        of event: AwaitedEvent, until deadline: MonotonicTime
    ) async throws(MartletError) -> Outcome {
        do throws(MartletError) {
            return try await outcomes.wait(for: event, until: deadline)
        } catch {
            state.withLock { $0.forgotten.append(event) }
            throw error
        }
    }

    private func check(
        _ stream: StreamName, _ state: inout State
    ) throws(MartletError) {
        if let failure = state.failure { throw failure }
        guard !state.isClosed, state.epoch != nil else { throw SubmissionBuffer.closedError }
        guard state.streams.contains(stream) else {
            let known = state.streams.map(\.text).sorted().joined(separator: ", ")
            throw MartletError(
                .invalidArgument,
                "The node takes no events of the stream `\(stream)`, which is not durable there. "
                    + (known.isEmpty ? "It has no durable streams." : "It takes: \(known)."))
        }
    }

    /// Where it is stored, the record may be some bytes larger.
    private static func check(
        _ payload: RawSpan, _ fields: EventFields
    ) throws(MartletError) {
        let attributes = fields.attributes.map { attributes in
            attributes.extensions.reduce(attributes.subject?.utf8.count ?? 0) {
                $0 + $1.name.text.utf8.count + $1.value.canonicalText.utf8.count + 8
            }
        }
        let byteCount =
            payload.byteCount + (fields.key?.utf8.count ?? 0) + (fields.id?.utf8.count ?? 0)
            + (attributes ?? 0) + Limits.submissionMargin
        guard byteCount <= Limits.eventBytesMax else {
            throw MartletError(
                .messageTooLarge,
                "An event that is submitted has \(Limits.eventBytesMax - Limits.submissionMargin) "
                    + "bytes at most with everything. Store the payload elsewhere and send a "
                    + "`dataref` that leads there.")
        }
    }

    /// Nil if the open frame must be sealed first.
    private func write(
        _ payload: RawSpan, _ fields: EventFields, _ kind: EventDefinition, _ state: inout State
    ) throws(MartletError) -> UInt64? {
        let stream = kind.stream
        if state.builder?.channel.stream != stream {
            seal(&state)
            guard let epoch = state.epoch else { throw SubmissionBuffer.closedError }
            state.builder = FrameBuilder(
                channel: Channel(node: id, stream: stream, lane: 0), epoch: epoch,
                nextSequence: state.next)
        }
        guard let definition = try state.builder?.define(kind) ?? nil else { return nil }
        let number = try state.builder?.append(
            payload, as: definition, at: fields.time ?? NodeClock.timestamp, key: fields.key,
            id: fields.id ?? String(state.next), attributes: fields.attributes ?? EventAttributes())
        guard let number else { return nil }
        state.next = number + 1
        return number
    }

    /// Ends the open frame, if it holds anything.
    private func seal(_ state: inout State) {
        let count = state.builder?.count ?? 0
        guard count > 0, let bytes = state.builder?.seal() else {
            // Kinds that were named for events which were refused are forgotten.
            state.builder = nil
            return
        }
        let sequences = state.next - UInt64(count)..<state.next
        state.sealed.append(SealedFrame(bytes: bytes, sequences: sequences))
        state.sizes.append((state.next, bytes.count))
        state.byteCount += bytes.count
    }

    /// Waits until an event is stored, and says where if that is known.
    func wait(
        for number: UInt64, until deadline: MonotonicTime
    ) async throws(MartletError) -> Position? {
        let own = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waiter = Waiters.Waiter(
                    number: own, sequence: number, deadline: deadline, continuation)
                let outcome = state.withLock { state -> Waiters.Outcome? in
                    if number < state.stored {
                        return .success(state.places.position(of: number))
                    }
                    // Cancellation sets the flag before it calls the handler, so that one of the
                    // two sees the other.
                    if Task.isCancelled { return .failure(Self.cancelled) }
                    if let failure = state.failure { return .failure(failure) }
                    if state.hasEnded { return .failure(Self.closedError) }
                    state.waiters.insert(waiter)
                    return nil
                }
                if let outcome { continuation.resume(returning: outcome) }
            }
        } onCancel: {
            end(with: Self.cancelled) { $0.number == own }
        }
        return try outcome.get()
    }

    private func end(
        with error: MartletError, where isTaken: @Sendable (Waiters.Waiter) -> Bool
    ) {
        let waiters = state.withLock { $0.waiters.take(where: isTaken) }
        for waiter in waiters { waiter.resume(.failure(error)) }
    }

    // MARK: The loop

    /// The node has opened the producer.
    func open(_ epoch: Epoch, next: UInt64, _ streams: [StreamName]) {
        state.withLock { state in
            (state.epoch, state.next, state.stored) = (epoch, next, next)
            state.streams = Set(streams)
        }
        changes.raise()
    }

    /// What is to be asked before the events are sent, and no more.
    func takeAwaited() -> (ask: [AwaitedEvent], forget: [AwaitedEvent]) {
        state.withLock { state in
            defer { (state.awaited, state.forgotten) = ([], []) }
            return (state.awaited, state.forgotten)
        }
    }

    /// The events that are to be sent.
    func takeFrames() -> [SealedFrame] {
        state.withLock { state in
            if state.builder?.isEmpty == false { seal(&state) }
            defer { if !state.sealed.isEmpty { state.sealed = [] } }
            return state.sealed
        }
    }

    /// All events before this one are stored; of these it is known where.
    func stored(before next: UInt64, at node: NodeID, _ runs: [SubmittedRun]) {
        let (waiters, hasRoom) = state.withLock { state in
            let wasFull = state.byteCount >= Limits.submissionBytes / 2
            state.stored = max(state.stored, next)
            state.places.add(runs, at: node)
            let done = state.sizes.prefix { $0.end <= next }
            state.byteCount -= done.reduce(0) { $0 + $1.byteCount }
            state.sizes.removeFirst(done.count)
            return (state.waiters.take(before: next), wasFull)
        }
        // Both are in order.
        var rest = runs[...]
        for waiter in waiters {
            while let first = rest.first,
                first.first + UInt64(first.sequences.count) <= waiter.sequence
            {
                rest = rest.dropFirst()
            }
            let position = rest.first?.position(of: waiter.sequence, at: node)
            waiter.resume(.success(position))
        }
        if hasRoom { changes.raise() }
    }

    /// Nothing will be stored any more.
    func fail(_ error: MartletError) {
        state.withLock { $0.failure = $0.failure ?? error }
        end(with: error) { _ in true }
        outcomes.fail(error)
        changes.raise()
    }

    /// Takes no more events. What is there goes on.
    func close() {
        state.withLock { $0.isClosed = true }
        changes.raise()
    }

    /// Nobody hears of answers any more.
    func end() {
        state.withLock { $0.hasEnded = true }
        end(with: Self.closedError) { _ in true }
        outcomes.close()
        changes.close()
    }

    /// Ends the waits that have lasted too long.
    func expire(at now: MonotonicTime) {
        end(with: late) { $0.deadline <= now }
        outcomes.expire(at: now)
        changes.expire(at: now)
    }

    private var late: MartletError {
        MartletError(
            .timedOut,
            "The node has not said that the event is stored: it does not answer, or its disk is "
                + "slow. The producer `\(name)` goes on to submit it for as long as it lives; then "
                + "its `next` says whether it was stored.", isRetriable: true)
    }

    private static let cancelled = MartletError(
        .cancelled,
        "The task was cancelled before its event was known to be stored. The producer goes on to "
            + "submit it.")

    static let closedError = MartletError(
        .closed, "The producer is closed. Submit while its `withProducer` still runs.")
}
