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
    /// C: `zmq_msg_send`
    public func send(_ message: Multipart) throws(MartletError) {
        let sent = handle.send(message, waiting: true)
        guard sent >= 0 else { throw handle.failure(sent, "zmq_msg_send") }
    }

    /// Sends a whole message if there is room for it.
    ///
    /// C: `zmq_msg_send` with `ZMQ_DONTWAIT`
    public func trySend(_ message: Multipart) throws(MartletError) -> Bool {
        let sent = handle.send(message, waiting: false)
        if sent >= 0 { return true }
        if sent == -EAGAIN { return false }
        throw handle.failure(sent, "zmq_msg_send")
    }
}

extension SocketHandle {
    /// Sends all parts of a message. Zero or more, or -errno. Only the first part can meet a full
    /// queue: libzmq reserves room for a whole message with its first part.
    func send(_ message: Multipart, waiting: Bool) -> Int32 {
        let flags = waiting ? 0 : ZMQ_DONTWAIT
        let moreFlags = flags | ZMQ_SNDMORE
        let first = Message(message.first)
        guard !message.rest.isEmpty else { return send(first, flags: flags) }
        var sent = send(first, flags: moreFlags)
        var left = message.rest.count
        for part in message.rest where sent >= 0 {
            left -= 1
            sent = send(Message(part), flags: left > 0 ? moreFlags : flags)
        }
        return sent
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
