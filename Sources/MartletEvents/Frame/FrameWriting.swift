// What builders and slices write, beside the records of events.

extension FrameHeader {
    /// Writes the header behind the name, and the checksum over a frame that is otherwise complete.
    @unsafe
    func write(into frame: UnsafeMutableRawBufferPointer, withChecksum: Bool = true) {
        let header = unsafe UnsafeMutableRawBufferPointer(rebasing: frame[offset...])
        unsafe header[0] = FrameHeader.magic.0
        unsafe header[1] = FrameHeader.magic.1
        unsafe header[2] = FrameHeader.magic.2
        unsafe header[3] = FrameHeader.version
        let flags =
            (isSlice ? FrameHeader.sliceFlag : 0) | (isDurable ? FrameHeader.durableFlag : 0)
        unsafe header.storeLittle(flags, at: 4)
        unsafe header.storeLittle(UInt16(FrameHeader.byteCount), at: 6)
        unsafe header.storeBytes(
            of: channel.node.high.bigEndian, toByteOffset: 8, as: UInt64.self)
        unsafe header.storeBytes(
            of: channel.node.low.bigEndian, toByteOffset: 16, as: UInt64.self)
        unsafe header.storeLittle(epoch.rawValue, at: 24)
        unsafe header.storeLittle(firstSequence, at: 32)
        unsafe header.storeLittle(UInt32(count), at: 40)
        unsafe header.storeLittle(UInt32(frame.count - bodyOffset), at: 44)
        unsafe header.storeLittle(baseTime.microseconds, at: 48)
        let place = offset + FrameHeader.checksumOffset
        let checksum =
            unsafe withChecksum
            ? FrameHeader.checksum(UnsafeRawBufferPointer(frame), around: place) : 0
        unsafe frame.storeLittle(checksum, at: place)
    }
}

extension Frame {
    /// A frame's bytes with its events numbered in another epoch. They must be a frame's.
    package static func restamped(_ bytes: Bytes, _ epoch: Epoch) throws(MartletError) -> Bytes {
        let header = try FrameHeader(bytes)
        return unsafe Bytes(byteCountMax: bytes.count) { memory in
            let frame = unsafe UnsafeMutableRawBufferPointer(rebasing: memory[..<bytes.count])
            bytes.withBytes { span in
                unsafe span.withUnsafeBytes { unsafe frame.copyMemory(from: $0) }
            }
            unsafe frame.storeLittle(epoch.rawValue, at: header.offset + 24)
            let place = header.offset + FrameHeader.checksumOffset
            let checksum = unsafe FrameHeader.checksum(
                UnsafeRawBufferPointer(frame), around: place)
            unsafe frame.storeLittle(checksum, at: place)
            return bytes.count
        }
    }
}

extension EncodingMemory {
    @inline(__always)
    private static func writeVarint(_ value: UInt64, _ place: inout UnsafeMutableRawPointer) {
        var value = value
        while value >= 0x80 {
            unsafe place.storeBytes(of: UInt8(truncatingIfNeeded: value) | 0x80, as: UInt8.self)
            unsafe place += 1
            value >>= 7
        }
        unsafe place.storeBytes(of: UInt8(truncatingIfNeeded: value), as: UInt8.self)
        unsafe place += 1
    }

    mutating func appendZeros(_ byteCount: Int) throws(MartletError) {
        for _ in 0..<byteCount { unsafe try append(0 as UInt8) }
    }

    /// Writes at `place`, where so many bytes have been reserved, the length of all that follows
    /// them.
    mutating func setLength(at place: Int, reserved: Int) throws(MartletError) {
        let length = unsafe UInt64(count - place - reserved)
        let needed = Varint.byteCount(length)
        if needed > reserved {
            unsafe try insertHole(at: place, needed - reserved)
        } else if needed < reserved {
            unsafe removeBytes(at: place, reserved - needed)
        }
        var target = unsafe start.unsafelyUnwrapped + place
        unsafe EncodingMemory.writeVarint(length, &target)
    }

    /// Writes over what has been written, from this place on.
    mutating func overwrite(at place: Int, _ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        unsafe (start.unsafelyUnwrapped + place).copyMemory(from: source, byteCount: bytes.count)
    }

    /// A text that identifies: a key or an id.
    mutating func append(identifier text: String, named name: String) throws(MartletError) {
        try AttributeText.check(text, of: name)
        unsafe try appendVarint(UInt64(text.utf8.count))
        unsafe try AttributeBlock.append(utf8: text, to: &self)
    }
}
