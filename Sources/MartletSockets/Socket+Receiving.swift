public import CZeroMQ
public import MartletCore

extension Socket where Role: ReceivingRole {
    /// Receives one part, and waits for it: for ever, or until `receiveTimeout`, which throws
    /// `timedOut`.
    ///
    /// C: `zmq_msg_recv`
    @inlinable
    public func receive() throws(MartletError) -> Message {
        var message = Message()
        try receive(into: &message)
        return message
    }

    /// Receives one part into a message, whose former contents are released: the fastest way to
    /// receive many.
    ///
    /// C: `zmq_msg_recv`
    @inlinable
    public func receive(into message: inout Message) throws(MartletError) {
        let received = handle.receive(into: &message, flags: 0)
        guard received >= 0 else { throw handle.failure(received, "zmq_msg_recv") }
    }

    /// Receives one part if there is one. False leaves the message as it was.
    ///
    /// C: `zmq_msg_recv` with `ZMQ_DONTWAIT`
    @inlinable
    public func tryReceive(into message: inout Message) throws(MartletError) -> Bool {
        let received = handle.receive(into: &message, flags: ZMQ_DONTWAIT)
        if received >= 0 { return true }
        if received == -EAGAIN { return false }
        throw handle.failure(received, "zmq_msg_recv")
    }

    /// Receives a whole message, and waits for it as `receive` of a part does.
    ///
    /// A message of more than `Limits.messagePartsMax` parts, and an envelope, is taken off the
    /// socket, dropped, and reported as `messageTooLarge`.
    ///
    /// C: `zmq_msg_recv`
    public func receiveMultipart() throws(MartletError) -> Multipart {
        var part = Message()
        try receive(into: &part)
        return try handle.rest(after: &part)
    }

    /// Receives a whole message if there is one.
    ///
    /// C: `zmq_msg_recv` with `ZMQ_DONTWAIT`
    public func tryReceiveMultipart() throws(MartletError) -> Multipart? {
        var part = Message()
        guard try tryReceive(into: &part) else { return nil }
        return try handle.rest(after: &part)
    }
}

extension SocketHandle {
    /// The message that begins with a part just received. The other parts are there already:
    /// libzmq delivers messages whole.
    func rest(after part: inout Message) throws(MartletError) -> Multipart {
        let partsMax = Limits.messagePartsMax + Limits.envelopePartsMax
        var hasMore = part.hasMore
        var message = Multipart(part.takeBytes())
        while hasMore {
            let received = receive(into: &part, flags: 0)
            guard received >= 0 else { throw failure(received, "zmq_msg_recv") }
            hasMore = part.hasMore
            if message.count < partsMax {
                message.rest.append(part.takeBytes())
            } else if !hasMore {
                throw MartletError(
                    .messageTooLarge,
                    "A message of more than \(partsMax) parts was dropped. Find the peer that "
                        + "sends it: it does not speak this protocol.")
            }
        }
        return message
    }
}
