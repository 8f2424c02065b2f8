import Synchronization

/// Memory that codecs write into, which serves again and again: a piece for each task that encodes
/// at the same time.
final class EncodingPool: Sendable {
    /// One piece.
    final class Box {
        var buffer = EncodingBuffer(byteCountMax: Limits.encodedBytesMax)
    }

    // Sound to share: a box is taken out and put back under the lock, and between the two it
    // belongs to one task.
    private struct Slot: @unchecked Sendable { let box: Box }

    private static let slotsMax = 16
    private let free = Lock<[Slot]>([])

    /// Lends an empty box for as long as `body` runs.
    func withBox<Result, Failure: Error>(
        _ body: (Box) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let slot = free.withLock { $0.popLast() } ?? Slot(box: Box())
        slot.box.buffer.removeAll()
        defer { free.withLock { if $0.count < EncodingPool.slotsMax { $0.append(slot) } } }
        return try body(slot.box)
    }

    /// Encodes a value, and shows it for as long as `body` runs.
    func withPayload<Result>(
        of value: some Encodable, by codec: any Codec,
        _ body: (RawSpan) throws(MartletError) -> Result
    ) throws(MartletError) -> Result {
        try withBox { (box) throws(MartletError) in
            if let direct = value as? any DirectlyCodable {
                try codec.encode(directly: direct, into: &box.buffer)
            } else {
                try codec.encode(value, into: &box.buffer)
            }
            return try box.buffer.withBytes(body)
        }
    }
}
