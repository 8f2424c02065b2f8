// What builders and slices write, beside the records of events.

extension FrameHeader {
    /// Writes the header behind the name, and the checksum over a frame that is otherwise complete.
    @unsafe
    func write(into frame: UnsafeMutableRawBufferPointer, withChecksum: Bool = true) {
        let header = UnsafeMutableRawBufferPointer(rebasing: frame[offset...])
        header[0] = FrameHeader.magic.0
        header[1] = FrameHeader.magic.1
        header[2] = FrameHeader.magic.2
        header[3] = FrameHeader.version
        header.storeLittle(isSlice ? FrameHeader.sliceFlag : 0, at: 4)
        header.storeLittle(UInt16(FrameHeader.byteCount), at: 6)
        header.storeBytes(
            of: channel.node.high.bigEndian, toByteOffset: 8, as: UInt64.self)
        header.storeBytes(
            of: channel.node.low.bigEndian, toByteOffset: 16, as: UInt64.self)
        header.storeLittle(epoch.rawValue, at: 24)
        header.storeLittle(firstSequence, at: 32)
        header.storeLittle(UInt32(count), at: 40)
        header.storeLittle(UInt32(frame.count - bodyOffset), at: 44)
        header.storeLittle(baseTime.microseconds, at: 48)
        let place = offset + FrameHeader.checksumOffset
        let checksum =
            withChecksum
            ? FrameHeader.checksum(UnsafeRawBufferPointer(frame), around: place) : 0
        frame.storeLittle(checksum, at: place)
    }
}

extension EncodingMemory {
    @inline(__always)
    private static func writeVarint(_ value: UInt64, _ place: inout UnsafeMutableRawPointer) {
        var value = value
        while value >= 0x80 {
            place.storeBytes(of: UInt8(truncatingIfNeeded: value) | 0x80, as: UInt8.self)
            place += 1
            value >>= 7
        }
        place.storeBytes(of: UInt8(truncatingIfNeeded: value), as: UInt8.self)
        place += 1
    }

    mutating func appendZeros(_ byteCount: Int) throws(MartletError) {
        for _ in 0..<byteCount { try append(0 as UInt8) }
    }

    /// Writes at `place`, where so many bytes have been reserved, the length of all that follows them.
    mutating func setLength(at place: Int, reserved: Int) throws(MartletError) {
        let length = UInt64(count - place - reserved)
        let needed = Varint.byteCount(length)
        if needed > reserved {
            try insertHole(at: place, needed - reserved)
        } else if needed < reserved {
            removeBytes(at: place, reserved - needed)
        }
        var target = start.unsafelyUnwrapped + place
        EncodingMemory.writeVarint(length, &target)
    }

    /// Writes over what has been written, from this place on.
    mutating func overwrite(at place: Int, _ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        (start.unsafelyUnwrapped + place).copyMemory(from: source, byteCount: bytes.count)
    }

    /// A text that identifies: a key or an id.
    mutating func append(identifier text: String, named name: String) throws(MartletError) {
        try AttributeText.check(text, of: name)
        try appendVarint(UInt64(text.utf8.count))
        try AttributeBlock.append(utf8: text, to: &self)
    }
}
