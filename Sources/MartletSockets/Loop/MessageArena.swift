import MartletCore

/// Turns received messages into `Bytes`, many small ones in one piece of memory.
///
/// One allocation for each message is what costs most when the loop makes and another thread frees
/// them: both meet at the allocator's lock. A chunk is shared by the messages that arrive together.
struct MessageArena {
    private var arena = ByteArena(chunkBytes: Limits.messageChunkBytes)

    /// The contents of a message, copied if it is small; the message is then as it was, else empty.
    mutating func bytes(of message: inout Message) -> Bytes {
        guard message.count <= Limits.copiedMessageBytesMax else { return message.takeBytes() }
        return message.withBytes { arena.copy($0) }
    }
}
