public import MartletCore

/// The messages of a link, one by one, until it is closed.
///
/// Leaving the loop consumes nothing further: what had been received ahead goes back.
public struct LinkMessages: AsyncSequence, Sendable {
    /// A whole message.
    public typealias Element = Multipart

    /// Receiving fails with nothing else.
    public typealias Failure = MartletError

    private let inbox: Inbox<Multipart>
    private let signal: WakeSignal

    init(inbox: Inbox<Multipart>, signal: WakeSignal) {
        self.inbox = inbox
        self.signal = signal
    }

    /// Begins to receive. A link has one consumer at a time.
    public func makeAsyncIterator() -> Iterator {
        Iterator(batch: MessageBatch(inbox: inbox, signal: signal))
    }

    /// Hands out a batch before it asks for the next.
    @frozen
    public struct Iterator: AsyncIteratorProtocol {
        @usableFromInline let batch: MessageBatch

        init(batch: MessageBatch) { self.batch = batch }

        /// The next message, or nil once the link is closed. Throws `cancelled` with the task.
        @inlinable
        public mutating func next() async throws(MartletError) -> Multipart? {
            if let message = try batch.next() { return message }
            return try await batch.refill() ? try batch.next() : nil
        }

        // Runs where its caller does, so that a message at hand costs no look at executors.
        /// The next message, on the caller's actor.
        @inlinable
        nonisolated(nonsending) public mutating func next(
            isolation actor: (any Actor)?
        ) async throws(MartletError) -> Multipart? {
            if let message = try batch.next() { return message }
            return try await batch.refill() ? try batch.next() : nil
        }
    }
}

/// What was received and not yet asked for: on loan from the inbox, and back there when the
/// iterator goes.
@safe
@usableFromInline
final class MessageBatch {
    @usableFromInline
    struct State {
        @usableFromInline var messages: [Multipart] = []
        @usableFromInline var position = 0
        /// Up to here the inbox knows that messages have been used.
        var reported = 0
        /// Where to tell it next, which lets the loop read on.
        @usableFromInline var reportAt = 0
    }

    private let inbox: Inbox<Multipart>
    private let signal: WakeSignal
    // Sound: allocated for this object alone, and freed with it. A stored property would be checked
    // for exclusive access at every message.
    @usableFromInline let state: UnsafeMutablePointer<State>

    init(inbox: Inbox<Multipart>, signal: WakeSignal) {
        self.inbox = inbox
        self.signal = signal
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: State())
    }

    deinit {
        report(returningTheRest: true)
        unsafe state.deinitialize(count: 1)
        unsafe state.deallocate()
    }

    /// The next message of the batch, or nil when another batch is needed.
    @inlinable
    func next() throws(MartletError) -> Multipart? {
        let position = unsafe state.pointee.position
        guard unsafe position < state.pointee.messages.count else { return nil }
        if unsafe position == state.pointee.reportAt { try pause() }
        unsafe state.pointee.position = position + 1
        return unsafe state.pointee.messages[position]
    }

    /// Now and then: makes room for the loop, and looks whether the task has been cancelled.
    @usableFromInline
    func pause() throws(MartletError) {
        report(returningTheRest: false)
        unsafe state.pointee.reportAt = state.pointee.position + Limits.messagesBetweenReports
        if Task.isCancelled { throw Inbox<Multipart>.cancelledError }
    }

    @usableFromInline
    func refill() async throws(MartletError) -> Bool {
        report(returningTheRest: true)
        unsafe state.pointee = State()
        let signal = signal
        let received = try await inbox.take(lending: true, onRoom: { signal.notify() })
        guard let received else { return false }
        unsafe state.pointee.messages = received
        return true
    }

    private func report(returningTheRest: Bool) {
        let (messages, reported, position) = unsafe (
            state.pointee.messages, state.pointee.reported, state.pointee.position
        )
        let unused = returningTheRest ? messages[position...] : []
        guard position > reported || !unused.isEmpty else { return }
        inbox.giveBack(used: messages[reported..<position], unused: unused) { signal.notify() }
        unsafe state.pointee.reported = position
    }
}
