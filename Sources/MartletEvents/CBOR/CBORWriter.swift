/// Writes CBOR (RFC 8949) with definite lengths, each number in its smallest form.
final class CBORWriter: ValueWriter {
    override func writeNull() throws(MartletError) {
        unsafe try memory.pointee.append(0xF6 as UInt8)
    }

    override func writeBool(_ value: Bool) throws(MartletError) {
        unsafe try memory.pointee.append(value ? 0xF5 : 0xF4 as UInt8)
    }

    override func writeUnsigned(_ value: UInt64) throws(MartletError) {
        unsafe try memory.pointee.appendCBORHead(0x00, value)
    }

    override func writeSigned(_ value: Int64) throws(MartletError) {
        if value >= 0 {
            unsafe try memory.pointee.appendCBORHead(0x00, UInt64(value))
        } else {
            unsafe try memory.pointee.appendCBORHead(0x20, UInt64(bitPattern: ~value))
        }
    }

    override func writeDouble(_ value: Double) throws(MartletError) {
        guard let float = value.asFloat else {
            unsafe try memory.pointee.append(0xFB, value.bitPattern)
            return
        }
        try writeFloat(float)
    }

    override func writeFloat(_ value: Float) throws(MartletError) {
        if let half = HalfFloat.bits(Double(value)) {
            unsafe try memory.pointee.append(0xF9, half)
        } else {
            unsafe try memory.pointee.append(0xFA, value.bitPattern)
        }
    }

    @inline(__always)
    override func writeText(_ utf8: UnsafeRawBufferPointer) throws(MartletError) {
        unsafe try memory.pointee.appendCBORHead(0x60, UInt64(utf8.count))
        unsafe try memory.pointee.append(utf8)
    }

    override func writeBytes(_ bytes: UnsafeRawBufferPointer) throws(MartletError) {
        unsafe try memory.pointee.appendCBORHead(0x40, UInt64(bytes.count))
        unsafe try memory.pointee.append(bytes)
    }

    /// Tag 1: seconds since 1970, whole if they are. Where a floating-point number is not fine
    /// enough, tag 0 and the text.
    override func writeTimestamp(_ moment: Timestamp) throws(MartletError) {
        let (seconds, microseconds) = moment.microseconds.floored(by: 1_000_000)
        let number = Double(moment.microseconds) / 1e6
        if microseconds == 0 {
            unsafe try memory.pointee.append(0xC1 as UInt8)
            try writeSigned(seconds)
        } else if (number * 1e6).rounded() == Double(moment.microseconds),
            abs(moment.microseconds) < 1 << 53
        {
            unsafe try memory.pointee.append(0xC1 as UInt8)
            try writeDouble(number)
        } else {
            unsafe try memory.pointee.append(0xC0 as UInt8)
            try write(moment.description)
        }
    }

    /// A big number: tag 2, or 3 for negative ones.
    override func writeWide(_ value: some FixedWidthInteger) throws(MartletError) {
        if value < 0, let argument = UInt64(exactly: ~value) {
            unsafe try memory.pointee.appendCBORHead(0x20, argument)
            return
        }
        var bytes: [UInt8] = []
        var rest = UInt128(truncatingIfNeeded: value < 0 ? ~value : value)
        while rest > 0 {
            bytes.insert(UInt8(truncatingIfNeeded: rest), at: 0)
            rest >>= 8
        }
        unsafe try memory.pointee.append(value < 0 ? 0xC3 : 0xC2 as UInt8)
        unsafe try bytes.span.withUnsafeBytes { (bytes) throws(MartletError) in
            unsafe try writeBytes(bytes)
        }
    }

    /// Tag 32: a URI.
    override func writeURL(_ text: String) throws(MartletError) {
        unsafe try memory.pointee.append(0xD8, 32 as UInt8)
        try write(text)
    }

    override func writeKey(
        _ utf8: UnsafeRawBufferPointer, isFirst: Bool
    ) throws(MartletError) {
        unsafe try writeText(utf8)
    }

    /// The head is one byte until it is known how many entries there are.
    override func open(isMap: Bool) throws(MartletError) {
        unsafe try memory.pointee.append(0 as UInt8)
    }

    override func close(isMap: Bool, at place: Int, count: Int) throws(MartletError) -> Int {
        let type: UInt8 = isMap ? 0xA0 : 0x80
        if count < 24 {
            unsafe memory.pointee.set(place, type | UInt8(count))
            return 0
        }
        if count <= 0xFF {
            unsafe try memory.pointee.insertHole(at: place, 1)
            unsafe memory.pointee.set(place, type | 24)
            unsafe memory.pointee.set(place + 1, UInt8(count))
            return 1
        }
        if count <= 0xFFFF {
            unsafe try memory.pointee.insertHole(at: place, 2)
            unsafe memory.pointee.set(place, type | 25)
            unsafe memory.pointee.setBig(place + 1, UInt16(count))
            return 2
        }
        unsafe try memory.pointee.insertHole(at: place, 4)
        unsafe memory.pointee.set(place, type | 26)
        unsafe memory.pointee.setBig(place + 1, UInt32(truncatingIfNeeded: count))
        return 4
    }
}

extension EncodingMemory {
    /// The head of an item: its type in the three high bits, and its argument in the fewest bytes.
    @inline(__always)
    mutating func appendCBORHead(_ type: UInt8, _ argument: UInt64) throws(MartletError) {
        if argument < 24 {
            unsafe try append(type | UInt8(argument))
        } else if argument <= 0xFF {
            unsafe try append(type | 24, UInt8(argument))
        } else if argument <= 0xFFFF {
            unsafe try append(type | 25, UInt16(argument))
        } else if argument <= 0xFFFF_FFFF {
            unsafe try append(type | 26, UInt32(argument))
        } else {
            unsafe try append(type | 27, argument)
        }
    }
}
