import CZeroMQ
public import MartletCore
import Synchronization

/// What a link and the loop share: the queues in both directions.
final class LinkQueues: Sendable {
    /// Messages of too many parts that were dropped on arrival.
    let refused = Atomic<Int>(0)
    let incoming: Inbox<Multipart>
    let outgoing: Outbox
    let returned: Inbox<ReturnedMessage>

    init(bound: Int, byteBound: Int) {
        incoming = Inbox(
            bound: bound, byteBound: byteBound, overflow: .keepAll, size: { $0.byteCount })
        outgoing = Outbox(bound: bound, byteBound: byteBound)
        returned = Inbox(
            bound: Limits.returnedMessages, byteBound: byteBound, overflow: .dropOldest,
            size: { $0.message.byteCount })
    }
}

/// A socket in the loop's hands. Used on the loop's thread only.
final class LoopSocket {
    /// What the socket does for its link.
    enum Phase {
        case open
        /// Nothing new is accepted; what is queued goes out until the deadline.
        case draining(until: ContinuousClock.Instant)
    }

    let handle: SocketHandle
    let queues: LinkQueues
    var phase = Phase.open
    private var arena = MessageArena()

    /// Messages taken from the outbox; those before `nextPending` have been sent.
    private var pending: [Multipart] = []
    private var nextPending = 0
    private var isWriteBlocked = false

    let canReceive: Bool
    /// A publisher that must not drop claims to be writable when it is not: the descriptor through
    /// which libzmq's threads talk to it says when to try again.
    private let commandDescriptor: Int32?
    /// Sends to one named peer, whose full queue must not hold up the others.
    private let addressesPeers: Bool

    init(_ handle: consuming SocketHandle, queues: LinkQueues) {
        self.queues = queues
        canReceive = handle.kind != .push && handle.kind != .pub
        addressesPeers = handle.kind == .router || handle.kind == .stream
        commandDescriptor =
            handle.kind == .pub || handle.kind == .xpub ? handle.number(ZMQ_FD) : nil
        self.handle = handle
    }

    // MARK: Polling

    /// What `zmq_poll` should look for.
    ///
    /// A blocked publisher is watched through its descriptor alone: `zmq_poll` looks at the events
    /// of the sockets it is given, which would take the news off the descriptor before it sleeps.
    var pollItem: zmq_pollitem_t {
        if isWriteBlocked, let commandDescriptor {
            return unsafe zeromq_poll_descriptor(commandDescriptor, Int16(ZMQ_POLLIN))
        }
        var interest: Int16 = 0
        if wantsToReceive { interest |= Int16(ZMQ_POLLIN) }
        if isWriteBlocked { interest |= Int16(ZMQ_POLLOUT) }
        return unsafe zeromq_poll_socket(handle.pointer, interest)
    }

    private var wantsToReceive: Bool {
        guard canReceive, case .open = phase else { return false }
        return !queues.incoming.isProducerPaused
    }

    /// Whether the socket has begun to end.
    var isClosing: Bool {
        if case .draining = phase { true } else { false }
    }

    /// Whether everything that was queued has been handed to libzmq.
    var isDrained: Bool { nextPending == pending.count && queues.outgoing.isEmpty }

    // MARK: Sending

    /// Hands messages to libzmq until there are none or it has no room. False when there may be
    /// more to do at once.
    func flush() -> Bool {
        var budget = Limits.loopBatch
        while budget > 0 {
            if nextPending == pending.count {
                pending = queues.outgoing.takeAll()
                nextPending = 0
                if pending.isEmpty { return true }
            }
            let message = pending[nextPending]
            var sent = handle.send(message, waiting: false)
            if sent == -EAGAIN, commandDescriptor != nil { sent = sendAfterNews(message) }
            if sent == -EAGAIN, !addressesPeers {
                isWriteBlocked = true
                return true
            }
            isWriteBlocked = false
            if sent < 0 { giveBack(message, because: sent) }
            nextPending += 1
            budget -= 1
        }
        return false
    }

    /// Tries once more after everything that libzmq's threads have told the socket has been taken
    /// note of. Whatever they tell it after that makes its descriptor readable.
    private func sendAfterNews(_ message: Multipart) -> Int32 {
        if wantsToReceive { receive() }
        _ = handle.number(ZMQ_EVENTS)
        return handle.send(message, waiting: false)
    }

    /// Gives back what is still queued when the socket must close.
    func returnUnsent() {
        let unsent = pending[nextPending...] + queues.outgoing.takeAll()
        pending = []
        nextPending = 0
        let error = MartletError(
            .closed, "The link was closed before there was room for the message.")
        queues.returned.push(
            unsent.map { ReturnedMessage(message: $0, error: error) },
            byteCount: unsent.reduce(0) { $0 + $1.byteCount })
    }

    private func giveBack(_ message: Multipart, because result: Int32) {
        let error =
            result == -EAGAIN
            ? MartletError(
                .full,
                "The peer's queue is full: it reads too slowly, or not at all. Send less to it, or "
                    + "give it up.")
            : handle.failure(result, "zmq_msg_send")
        queues.returned.push(
            [ReturnedMessage(message: message, error: error)], byteCount: message.byteCount)
    }

    // MARK: Receiving

    /// Reads what has arrived, up to the limits of a batch and of the link, and hands it over at
    /// once.
    func receive() {
        let countMax = min(Limits.loopBatch, queues.incoming.bound)
        let byteCountMax = queues.incoming.byteBound
        var batch: [Multipart] = []
        batch.reserveCapacity(min(countMax, 32))
        var byteCount = 0
        var message = Message()
        // A local for the hot loop: a property of a class is checked at every access.
        var arena = MessageArena()
        swap(&arena, &self.arena)
        defer { swap(&arena, &self.arena) }
        // Refused messages count as well: a peer that sends nothing else must not keep the loop.
        for _ in 0..<countMax where byteCount < byteCountMax {
            let size = handle.receive(into: &message, flags: ZMQ_DONTWAIT)
            // EAGAIN is the end; whatever else it is, the next call meets it again and polling
            // goes on.
            guard size >= 0 else { break }
            if message.hasMore {
                guard let whole = try? handle.rest(after: &message) else {
                    queues.refused.add(1, ordering: .relaxed)
                    continue
                }
                byteCount += whole.byteCount
                batch.append(whole)
            } else {
                byteCount += Int(size)
                batch.append(Multipart(arena.bytes(of: &message)))
            }
        }
        guard !batch.isEmpty else { return }
        queues.incoming.push(batch, byteCount: byteCount)
    }
}

/// A message that libzmq refused, and why: its peer has gone, or does not read.
public struct ReturnedMessage: Sendable {
    /// The message as it was given to `send`.
    public let message: Multipart

    /// Why it could not be delivered.
    public let error: MartletError
}
