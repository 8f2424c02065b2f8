public import MartletCore

/// The messages of a link, one by one, until it is closed.
///
/// Leaving the loop consumes nothing further: what had been received ahead goes back.
public struct LinkMessages: AsyncSequence, Sendable {
    /// A whole message.
    public typealias Element = Multipart

    /// Receiving fails with nothing else.
    public typealias Failure = MartletError

    private let link: any ReceivingLink
    private let queues: LinkQueues

    init(link: any ReceivingLink, queues: LinkQueues) {
        self.link = link
        self.queues = queues
    }

    /// Begins to receive. A link has one consumer at a time.
    public func makeAsyncIterator() -> Iterator {
        Iterator(batch: MessageBatch(link: link, queues: queues))
    }

    /// Hands out a batch before it asks for the next.
    @frozen
    public struct Iterator: AsyncIteratorProtocol {
        @usableFromInline let batch: MessageBatch

        init(batch: MessageBatch) { self.batch = batch }

        /// The next message, or nil once the link is closed. Throws `cancelled` with the task.
        @inlinable
        public mutating func next() async throws(MartletError) -> Multipart? {
            try await next(isolation: nil)
        }

        /// The next message, on the caller's actor.
        @inlinable
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(MartletError) -> Multipart? {
            if let message = batch.next() { return message }
            return try await batch.refill() ? batch.next() : nil
        }
    }
}

/// What was received and not yet asked for; it goes back when the iterator goes.
@safe
@usableFromInline
final class MessageBatch {
    @usableFromInline
    struct State {
        @usableFromInline var messages: [Multipart] = []
        @usableFromInline var position = 0
    }

    private let link: any ReceivingLink
    private let queues: LinkQueues
    // Sound: allocated for this object alone, and freed with it. A stored property would be checked
    // for exclusive access at every message.
    @usableFromInline let state: UnsafeMutablePointer<State>

    init(link: any ReceivingLink, queues: LinkQueues) {
        self.link = link
        self.queues = queues
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: State())
    }

    deinit {
        let left = unsafe state.pointee.messages[state.pointee.position...]
        queues.incoming.putBack(left, byteCount: left.reduce(0) { $0 + $1.byteCount })
        unsafe state.deinitialize(count: 1)
        unsafe state.deallocate()
    }

    @inlinable
    func next() -> Multipart? {
        let position = unsafe state.pointee.position
        guard unsafe position < state.pointee.messages.count else { return nil }
        unsafe state.pointee.position = position + 1
        return unsafe state.pointee.messages[position]
    }

    @usableFromInline
    func refill() async throws(MartletError) -> Bool {
        unsafe state.pointee = State()
        guard let received = try await link.receive() else { return false }
        unsafe state.pointee.messages = received
        return true
    }
}
