import CZeroMQ
public import MartletCore

extension Message {
    /// The contents as `Bytes`, which tasks may share: small messages are copied, large ones are
    /// kept as they are.
    public consuming func bytes() -> Bytes {
        guard count > Limits.copiedMessageBytesMax else {
            return withBytes { Bytes(copying: $0) }
        }
        return unsafe MessageOwner(self).bytes()
    }

    /// The contents as `Bytes`; the message is empty afterwards.
    mutating func takeBytes() -> Bytes {
        guard count > Limits.copiedMessageBytesMax else {
            return withBytes { Bytes(copying: $0) }
        }
        var taken = Message()
        swap(&self, &taken)
        return unsafe MessageOwner(taken).bytes()
    }
}

/// Owns a large received message for as long as a `Bytes` shows it.
private final class MessageOwner {
    private var message: Message

    init(_ message: consuming Message) {
        self.message = message
    }

    /// The bytes of a message that is too large to lie in the value itself: they are on libzmq's
    /// heap, do not move, and do not change before the message is closed with this owner.
    @unsafe
    func bytes() -> Bytes {
        let start = unsafe zmq_msg_data(&message.raw)
        let count = message.count
        return unsafe Bytes(
            unowned: UnsafeRawBufferPointer(start: start, count: count), keptBy: self)
    }
}
