import CZeroMQ
public import MartletCore
import Synchronization

/// A socket in a loop's hands, for tasks: it sends and receives whole messages without waiting in
/// C.
///
/// What it can do follows from its role, as with `Socket`. A link that nobody holds any more closes
/// by itself, after what it had queued has gone out.
public final class ZeroMQLink<Role: SocketRole>: Sendable {
    let loop: SocketLoop
    let queues: LinkQueues

    init(loop: SocketLoop, queues: LinkQueues) {
        self.loop = loop
        self.queues = queues
    }

    deinit {
        let (loop, queues) = (loop, queues)
        Task { await loop.close(queues, drainingFor: Limits.drainTimeout) }
    }

    /// Listens at an endpoint, and returns where it listens really.
    ///
    /// C: `zmq_bind`
    @discardableResult
    public func bind(to endpoint: Endpoint) async throws(MartletError) -> Endpoint {
        try await loop.bind(queues, to: endpoint)
    }

    /// Connects to an endpoint; to every address of a host name, which is looked up off the loop.
    ///
    /// Returns the endpoints connected to, for `disconnect`. A name whose addresses all lead to one
    /// peer gives as many connections to it: connect to one of `endpoint.resolved()` instead.
    ///
    /// C: `zmq_connect`
    @discardableResult
    public func connect(to endpoint: Endpoint) async throws(MartletError) -> [Endpoint] {
        let addresses = try await endpoint.resolved()
        try await loop.connect(queues, to: addresses)
        return addresses
    }

    /// Stops listening at an endpoint that `bind` returned.
    ///
    /// C: `zmq_unbind`
    public func unbind(from endpoint: Endpoint) async throws(MartletError) {
        try await loop.unbind(queues, from: endpoint)
    }

    /// Gives up a connection to an endpoint that `connect` returned.
    ///
    /// C: `zmq_disconnect`
    public func disconnect(from endpoint: Endpoint) async throws(MartletError) {
        try await loop.disconnect(queues, from: endpoint)
    }

    /// Changes an option while the link is in use; most take effect with the next connection.
    ///
    /// C: `zmq_setsockopt`
    public func set<Value: Sendable>(
        _ option: SocketOption<Role, Value>, to value: Value
    ) async throws(MartletError) {
        try await loop.set(queues, option, to: value)
    }

    /// The value of an option.
    ///
    /// C: `zmq_getsockopt`
    public func value<Value: Sendable>(
        of option: SocketOption<Role, Value>
    ) async throws(MartletError) -> Value {
        try await loop.value(queues, of: option)
    }

    /// Closes the socket once what is queued has been handed to libzmq, or when the time is over.
    ///
    /// libzmq goes on sending in the background for the rest of the time. What it could not be
    /// given comes back through `receiveReturned`, with the code `closed`. Messages that have been
    /// received can still be taken; then `receive` returns nil.
    ///
    /// C: `zmq_close`
    public func close(drainingFor timeout: Duration = Limits.drainTimeout) async {
        await loop.close(queues, drainingFor: timeout)
    }
}

// MARK: - Sending

extension ZeroMQLink: SendingLink where Role: SendingRole {
    /// Queues a message, and suspends while the queue is full (`SendingLink.send`).
    ///
    /// C: `zmq_msg_send`
    public func send(_ message: Multipart) async throws(MartletError) {
        try Role.kind.checkParts(of: message)
        try await queues.outgoing.send(message)
        loop.noteOutgoing()
    }

    /// Queues a message if there is room (`SendingLink.offer`).
    public func offer(_ message: Multipart) throws(MartletError) -> Bool {
        try Role.kind.checkParts(of: message)
        guard try queues.outgoing.offer(message) else { return false }
        loop.noteOutgoing()
        return true
    }

    /// Queues messages as far as there is room, and hands them to libzmq on this thread if the
    /// loop's own sleeps: one thread less must wake. How many found room.
    package func offer(_ messages: [Multipart]) throws(MartletError) -> Int {
        var count = 0
        defer { if count > 0, !loop.flushIfAsleep(queues) { loop.noteOutgoing() } }
        for message in messages {
            try Role.kind.checkParts(of: message)
            guard try queues.outgoing.offer(message) else { break }
            count += 1
        }
        return count
    }

    /// The messages that could not be delivered since the last call, at least one: a ROUTER's to
    /// peers that have gone (`unreachable`) or do not read (`full`), a REQ's out of turn
    /// (`wrongState`). Nil once the link is closed. Up to `Limits.returnedMessages` wait, older
    /// ones are dropped and counted in `returnedDropped`.
    public func receiveReturned() async throws(MartletError) -> [ReturnedMessage]? {
        try await queues.returned.take()
    }

    /// How many returned messages were dropped because nobody asked for them.
    public var returnedDropped: Int { queues.returned.dropped }
}

// MARK: - Receiving

extension ZeroMQLink: ReceivingLink where Role: ReceivingRole {
    /// The messages that have arrived, at least one (`ReceivingLink.receive`).
    ///
    /// C: `zmq_msg_recv`
    public func receive() async throws(MartletError) -> [Multipart]? {
        let signal = loop.executor.signal
        return try await queues.incoming.take(onRoom: { signal.notify() })
    }

    /// How many messages of too many parts (`Limits.messagePartsMax`) were dropped on arrival.
    ///
    /// A peer that sends them does not speak your protocol.
    public var refusedCount: Int { queues.refused.load(ordering: .relaxed) }

    /// Some of the messages that have arrived, in order: at least one, at most `count`.
    public func receive(atMost count: Int) async throws(MartletError) -> [Multipart]? {
        let signal = loop.executor.signal
        return try await queues.incoming.take(atMost: max(1, count), onRoom: { signal.notify() })
    }

    /// The messages one by one, for `for try await`. Leaving the loop consumes nothing further.
    public var messages: LinkMessages {
        LinkMessages(inbox: queues.incoming, signal: loop.executor.signal)
    }
}

extension ZeroMQLink where Role: SubscribingRole {
    /// Asks every publisher for the messages that begin with the prefix; an empty one means all.
    /// When it takes effect there depends on the network.
    ///
    /// C: `zmq_setsockopt` with `ZMQ_SUBSCRIBE`
    public func subscribe(to prefix: Bytes = Bytes()) async throws(MartletError) {
        try await loop.setPrefix(queues, ZMQ_SUBSCRIBE, prefix)
    }

    /// Takes back one subscription to the prefix.
    ///
    /// C: `zmq_setsockopt` with `ZMQ_UNSUBSCRIBE`
    public func unsubscribe(from prefix: Bytes = Bytes()) async throws(MartletError) {
        try await loop.setPrefix(queues, ZMQ_UNSUBSCRIBE, prefix)
    }
}
