public import CZeroMQ
public import MartletCore

extension Socket where Role: SendingRole {
    /// Sends one part, and waits while the queue is full: for ever, or until `sendTimeout`, which
    /// throws `timedOut`. The message is gone either way; `trySend` keeps what was not sent.
    ///
    /// With `more` the message goes on with the next part, and leaves with the last.
    ///
    /// C: `zmq_msg_send`
    @inlinable
    public func send(_ message: consuming Message, more: Bool = false) throws(MartletError) {
        let sent = handle.send(message, flags: more ? ZMQ_SNDMORE : 0)
        guard sent >= 0 else { throw handle.failure(sent, "zmq_msg_send") }
    }

    /// Sends one part if there is room for it. True leaves the message empty, false untouched.
    ///
    /// C: `zmq_msg_send` with `ZMQ_DONTWAIT`
    @inlinable
    public func trySend(_ message: inout Message, more: Bool = false) throws(MartletError) -> Bool {
        let flags = more ? ZMQ_DONTWAIT | ZMQ_SNDMORE : ZMQ_DONTWAIT
        let sent = handle.send(&message, flags: flags)
        if sent >= 0 { return true }
        if sent == -EAGAIN { return false }
        throw handle.failure(sent, "zmq_msg_send")
    }

    /// Sends a whole message, and waits while the queue is full as `send` of a part does.
    ///
    /// A ROUTER's message begins with the peer's routing id; a STREAM's has two parts, of which an
    /// empty second one closes the connection.
    ///
    /// C: `zmq_msg_send`
    public func send(_ message: Multipart) throws(MartletError) {
        try handle.kind.checkParts(of: message)
        let sent = handle.send(message, waiting: true)
        guard sent >= 0 else { throw handle.failure(sent, "zmq_msg_send") }
    }

    /// Sends a whole message if there is room for it.
    ///
    /// C: `zmq_msg_send` with `ZMQ_DONTWAIT`
    public func trySend(_ message: Multipart) throws(MartletError) -> Bool {
        try handle.kind.checkParts(of: message)
        let sent = handle.send(message, waiting: false)
        if sent >= 0 { return true }
        if sent == -EAGAIN { return false }
        throw handle.failure(sent, "zmq_msg_send")
    }
}

extension SocketKind {
    /// Refuses what libzmq would drop in silence, or what no receiver of ours would take.
    func checkParts(of message: Multipart) throws(MartletError) {
        let isRouting = self == .router || self == .stream
        if isRouting, message.count < 2 || (self == .stream && message.count != 2) {
            throw MartletError(
                .invalidArgument,
                "A \(rawValue)'s message is a routing id and "
                    + (self == .stream ? "one part" : "at least one part")
                    + "; this one has \(message.count) in all.")
        }
        let most = Limits.messagePartsMax + (isRouting ? Limits.envelopePartsMax : 0)
        guard message.count <= most else {
            throw MartletError(
                .messageTooLarge,
                "A message has at most \(most) parts, and this has \(message.count). Put several "
                    + "values into one part.")
        }
    }
}

extension SocketHandle {
    /// Sends all parts of a message, or none: zero or more, or -errno.
    ///
    /// Room for a whole message is reserved with its first part. If a later part finds none, the
    /// connection has died in between, and its parts with it. libzmq then swallows what is left of
    /// the message, which it must be given, or it would swallow the next one; after that the
    /// message can be sent again as a whole.
    func send(_ message: Multipart, waiting: Bool) -> Int32 {
        let firstFlags = waiting ? 0 : ZMQ_DONTWAIT
        guard !message.rest.isEmpty else { return send(Message(message.first), flags: firstFlags) }
        while true {
            var sent = send(Message(message.first), flags: firstFlags | ZMQ_SNDMORE)
            guard sent >= 0 else { return sent }
            var failure: Int32 = 0
            for (index, part) in message.rest.enumerated() {
                let isLast = index == message.rest.count - 1
                sent = send(
                    Message(part), flags: isLast ? ZMQ_DONTWAIT : ZMQ_DONTWAIT | ZMQ_SNDMORE)
                if sent < 0, failure == 0 { failure = sent }
            }
            if failure == 0 { return sent }
            guard failure == -EAGAIN, waiting else { return failure }
        }
    }
}

extension Message {
    /// The bytes as a message: copied when that is cheaper, shared otherwise.
    init(_ bytes: Bytes) {
        if bytes.count > Limits.copiedMessageBytesMax {
            self.init(sharing: bytes)
        } else {
            self = bytes.withBytes { Message(copying: $0) }
        }
    }
}
