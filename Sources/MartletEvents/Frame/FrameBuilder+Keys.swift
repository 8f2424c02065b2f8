/// Events with a key and nothing else but their payload, which most are that groups share.
extension FrameBuilder {
    enum Keyed {
        case appended(UInt64)
        /// The frame must be sealed first.
        case full
        /// The event is none of the common ones: its parts are to be written one by one.
        case uncommon
    }

    /// Appends an event with a common key, whose head is written as one word.
    mutating func append(
        _ payload: RawSpan, as definition: Int, at time: Timestamp, key: String
    ) -> Keyed {
        guard events > 0, UInt(bitPattern: definition) < UInt(bitPattern: kinds) else {
            return .uncommon
        }
        let offset = Zigzag.encode(time.microseconds &- baseTime.microseconds)
        // Most texts lie in one piece, and this is the cheapest way to it.
        let outcome = unsafe key.utf8.withContiguousStorageIfAvailable { bytes in
            unsafe append(payload, UnsafeRawBufferPointer(bytes), as: definition, offset: offset)
        }
        return outcome ?? .uncommon
    }

    @unsafe
    @inline(__always)
    private mutating func append(
        _ payload: RawSpan, _ key: UnsafeRawBufferPointer, as definition: Int, offset: UInt64
    ) -> Keyed {
        guard key.count > 0, key.count < 0x80, unsafe Text.isPlain(key),
            let head = RecordWord.compose(
                payload: 1 &+ key.count &+ payload.byteCount, hasKey: true,
                definition: definition, timeOffset: offset)
        else { return .uncommon }
        let size = head.count &+ 1 &+ key.count &+ payload.byteCount
        guard unsafe buffer.storage.pointee.count &+ size <= target else { return .full }
        // What follows the head overwrites the rest of its word.
        do { unsafe try buffer.storage.pointee.reserve(size &+ MemoryLayout<UInt64>.size) } catch {
            return .uncommon
        }
        var place = unsafe buffer.storage.pointee.target
        unsafe place.storeBytes(of: head.bytes.littleEndian, as: UInt64.self)
        unsafe place += head.count
        unsafe place.storeBytes(of: UInt8(truncatingIfNeeded: key.count), as: UInt8.self)
        unsafe place += 1
        unsafe place.copyMemory(from: key.baseAddress.unsafelyUnwrapped, byteCount: key.count)
        unsafe place += key.count
        unsafe payload.withUnsafeBytes { bytes in
            guard let source = bytes.baseAddress else { return }
            unsafe place.copyMemory(from: source, byteCount: bytes.count)
        }
        unsafe buffer.storage.pointee.count &+= size
        return .appended(take())
    }
}
