import CZeroMQ
public import MartletCore
import Synchronization

// Sound to share: its socket is set on the loop's thread, before anybody else has the queues, and
// used by whoever holds the loop's baton.
/// A socket as those find it who may use it while the loop sleeps.
final class LentSocket: @unchecked Sendable {
    /// Nil once it is closed.
    weak var socket: LoopSocket?
}

/// What a link and the loop share: the queues in both directions.
final class LinkQueues: Sendable {
    /// Messages of too many parts that were dropped on arrival.
    let refused = Atomic<Int>(0)
    let incoming: Inbox<Multipart>
    let outgoing: Outbox
    let lent = LentSocket()
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

/// A socket in the loop's hands. Used on the loop's thread, or by whoever holds the loop's baton.
final class LoopSocket {
    let handle: SocketHandle
    let queues: LinkQueues
    /// Whether nothing new is accepted, and what is queued goes out until the deadline.
    private(set) var isClosing = false
    private(set) var deadline = ContinuousClock.now
    private var arena = MessageArena()

    /// Messages taken from the outbox; those before `nextPending` have been sent.
    private var pending: [Multipart] = []
    private var nextPending = 0
    private var isWriteBlocked = false

    /// Through it libzmq's threads tell the socket what has happened. It is readable until the
    /// socket has taken note, which most calls on it do, whatever they are for.
    let descriptor: Int32
    /// A call may have taken the news off the descriptor that there is input, or room.
    private var mayHaveNews = true
    /// There is input.
    private var hasInput = false
    /// The last time, one message had come: the next may come alone too, and is handed over before
    /// asking for another.
    private var comesAlone = false
    /// A message was handed over so.
    private var isLone = false
    /// What was blocked is worth another try.
    private var hasRoomAgain = false
    /// The context was shut down by its owner (ETERM): the socket can do nothing more.
    private(set) var isOver = false
    private let canReceive: Bool
    /// A publisher that must not drop claims to have room when it has none: it is tried again
    /// whenever there is news.
    private let claimsRoom: Bool
    /// Sends to one named peer, whose full queue must not hold up the others.
    private let addressesPeers: Bool

    init(_ handle: consuming SocketHandle, queues: LinkQueues) {
        self.queues = queues
        canReceive = handle.kind != .push && handle.kind != .pub
        addressesPeers = handle.kind == .router || handle.kind == .stream
        claimsRoom = handle.kind == .pub || handle.kind == .xpub
        // A socket without one can only be asked.
        descriptor = handle.number(ZMQ_FD) ?? -1
        self.handle = handle
    }

    // MARK: Polling

    /// Something has been done with the socket, or nothing for long.
    func noteUse() { mayHaveNews = true }

    /// Whether there is something to do although nothing may come through the descriptor.
    func isReady() -> Bool {
        if mayHaveNews { look() }
        if isLone {
            isLone = false
            comesAlone = !hasInput
        }
        return isOver || hasInput && wantsToReceive || hasRoomAgain
    }

    /// Does what the socket is ready for, or takes note of what the descriptor has to tell.
    func serve() {
        if wantsToReceive { receive(countMax: comesAlone ? 1 : .max) } else { look() }
    }

    /// Takes note of everything that libzmq's threads have told the socket. Whatever they tell it
    /// after that makes its descriptor readable.
    private func look() {
        mayHaveNews = false
        var events: Int32 = 0
        let result = handle.read(ZMQ_EVENTS, into: &events)
        if result == -ETERM { isOver = true }
        guard result == 0 else { return }
        hasInput = events & ZMQ_POLLIN != 0
        hasRoomAgain = isWriteBlocked && (claimsRoom || events & ZMQ_POLLOUT != 0)
    }

    private var wantsToReceive: Bool {
        guard canReceive, !isClosing else { return false }
        return !queues.incoming.isProducerPaused
    }

    /// Begins to end the socket, or ends it sooner.
    func close(by moment: ContinuousClock.Instant) {
        queues.outgoing.close()
        queues.incoming.close()
        deadline = isClosing ? min(deadline, moment) : moment
        isClosing = true
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
            mayHaveNews = canReceive
            hasRoomAgain = false
            if sent == -EAGAIN, claimsRoom { sent = sendAfterNews(message) }
            if sent == -EAGAIN, !addressesPeers {
                isWriteBlocked = true
                mayHaveNews = !claimsRoom
                return true
            }
            isWriteBlocked = false
            if sent == -ETERM { isOver = true }
            if sent < 0 { giveBack(message, because: sent) }
            nextPending += 1
            budget -= 1
        }
        return false
    }

    /// Tries once more after a look: whatever is news then makes the descriptor readable.
    private func sendAfterNews(_ message: Multipart) -> Int32 {
        if wantsToReceive { receive() }
        look()
        let sent = handle.send(message, waiting: false)
        hasRoomAgain = false
        return sent
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
    /// once. How many messages there were.
    @discardableResult
    func receive(countMax: Int = .max) -> Int {
        isLone = countMax == 1
        let countMax = min(countMax, Limits.loopBatch, queues.incoming.bound)
        let byteCountMax = queues.incoming.byteBound
        var batch: [Multipart] = []
        batch.reserveCapacity(min(countMax, 32))
        var byteCount = 0
        var message = Message()
        // A local for the hot loop: a property of a class is checked at every access.
        var arena = MessageArena()
        swap(&arena, &self.arena)
        defer { swap(&arena, &self.arena) }
        hasInput = true
        // Refused messages count as well: a peer that sends nothing else must not keep the loop.
        for _ in 0..<countMax where byteCount < byteCountMax {
            let size = handle.receive(into: &message, flags: ZMQ_DONTWAIT)
            guard size >= 0 else {
                end(receivingWith: size)
                break
            }
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
        guard !batch.isEmpty else {
            isLone = false
            return 0
        }
        comesAlone = batch.count == 1
        // There was no attempt to read what follows it.
        if isLone { mayHaveNews = true }
        queues.incoming.push(batch, byteCount: byteCount)
        return batch.count
    }
}

extension LoopSocket {
    /// Takes note of why nothing more could be received.
    private func end(receivingWith result: Int32) {
        hasInput = false
        switch result {
        case -EAGAIN:
            // All there was to know has been taken note of; of what it is, room may be a part.
            mayHaveNews = isWriteBlocked
        case -ETERM: isOver = true
        default:
            // Not this socket's turn (EFSM): the news is still to be taken note of.
            look()
            hasInput = false
        }
    }
}

/// A message that libzmq refused, and why: its peer has gone, or does not read.
public struct ReturnedMessage: Sendable {
    /// The message as it was given to `send`.
    public let message: Multipart

    /// Why it could not be delivered.
    public let error: MartletError
}
