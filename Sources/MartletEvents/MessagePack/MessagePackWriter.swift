/// Writes MessagePack, each value in its smallest form.
final class MessagePackWriter: ValueWriter {
    override func writeNull() throws(MartletError) {
        unsafe try memory.pointee.append(0xC0 as UInt8)
    }

    override func writeBool(_ value: Bool) throws(MartletError) {
        unsafe try memory.pointee.append(value ? 0xC3 : 0xC2 as UInt8)
    }

    @inline(__always)
    override func writeUnsigned(_ value: UInt64) throws(MartletError) {
        if value < 0x80 {
            unsafe try memory.pointee.append(UInt8(value))
        } else if value <= 0xFF {
            unsafe try memory.pointee.append(0xCC, UInt8(value))
        } else if value <= 0xFFFF {
            unsafe try memory.pointee.append(0xCD, UInt16(value))
        } else if value <= 0xFFFF_FFFF {
            unsafe try memory.pointee.append(0xCE, UInt32(value))
        } else {
            unsafe try memory.pointee.append(0xCF, value)
        }
    }

    override func writeSigned(_ value: Int64) throws(MartletError) {
        if value >= 0 {
            try writeUnsigned(UInt64(value))
        } else if value >= -32 {
            unsafe try memory.pointee.append(UInt8(bitPattern: Int8(value)))
        } else if let value = Int8(exactly: value) {
            unsafe try memory.pointee.append(0xD0, value)
        } else if let value = Int16(exactly: value) {
            unsafe try memory.pointee.append(0xD1, value)
        } else if let value = Int32(exactly: value) {
            unsafe try memory.pointee.append(0xD2, value)
        } else {
            unsafe try memory.pointee.append(0xD3, value)
        }
    }

    override func writeDouble(_ value: Double) throws(MartletError) {
        if let float = value.asFloat {
            unsafe try memory.pointee.append(0xCA, float.bitPattern)
        } else {
            unsafe try memory.pointee.append(0xCB, value.bitPattern)
        }
    }

    override func writeFloat(_ value: Float) throws(MartletError) {
        unsafe try memory.pointee.append(0xCA, value.bitPattern)
    }

    @inline(__always)
    override func writeText(_ utf8: UnsafeRawBufferPointer) throws(MartletError) {
        let count = utf8.count
        if count < 32 {
            unsafe try memory.pointee.append(0xA0 | UInt8(count))
        } else if count <= 0xFF {
            unsafe try memory.pointee.append(0xD9, UInt8(count))
        } else if count <= 0xFFFF {
            unsafe try memory.pointee.append(0xDA, UInt16(count))
        } else {
            unsafe try memory.pointee.append(0xDB, UInt32(truncatingIfNeeded: count))
        }
        unsafe try memory.pointee.append(utf8)
    }

    override func writeBytes(_ bytes: UnsafeRawBufferPointer) throws(MartletError) {
        if bytes.count <= 0xFF {
            unsafe try memory.pointee.append(0xC4, UInt8(bytes.count))
        } else if bytes.count <= 0xFFFF {
            unsafe try memory.pointee.append(0xC5, UInt16(bytes.count))
        } else {
            unsafe try memory.pointee.append(0xC6, UInt32(truncatingIfNeeded: bytes.count))
        }
        unsafe try memory.pointee.append(bytes)
    }

    override func writeExtension(_ value: MessagePackExtension) throws(MartletError) {
        switch value.data.count {
        case 1: unsafe try memory.pointee.append(0xD4 as UInt8)
        case 2: unsafe try memory.pointee.append(0xD5 as UInt8)
        case 4: unsafe try memory.pointee.append(0xD6 as UInt8)
        case 8: unsafe try memory.pointee.append(0xD7 as UInt8)
        case 16: unsafe try memory.pointee.append(0xD8 as UInt8)
        case ...0xFF: unsafe try memory.pointee.append(0xC7, UInt8(value.data.count))
        case ...0xFFFF: unsafe try memory.pointee.append(0xC8, UInt16(value.data.count))
        default:
            unsafe try memory.pointee.append(0xC9, UInt32(truncatingIfNeeded: value.data.count))
        }
        unsafe try memory.pointee.append(UInt8(bitPattern: value.type))
        try value.data.withBytes { (span) throws(MartletError) in
            unsafe try span.withUnsafeBytes { (bytes) throws(MartletError) in
                unsafe try memory.pointee.append(bytes)
            }
        }
    }

    /// The timestamp of the specification: seconds alone, or with nanoseconds, in 4, 8 or 12 bytes.
    override func writeTimestamp(_ moment: Timestamp) throws(MartletError) {
        let (seconds, microseconds) = moment.microseconds.floored(by: 1_000_000)
        let nanoseconds = UInt32(microseconds) * 1_000
        if nanoseconds == 0, let seconds = UInt32(exactly: seconds) {
            unsafe try memory.pointee.append(0xD6, 0xFF as UInt8)
            unsafe try memory.pointee.appendBig(seconds)
        } else if seconds >= 0, seconds < 1 << 34 {
            unsafe try memory.pointee.append(0xD7, 0xFF as UInt8)
            unsafe try memory.pointee.appendBig(UInt64(nanoseconds) << 34 | UInt64(seconds))
        } else {
            unsafe try memory.pointee.append(0xC7, 0x0C as UInt8)
            unsafe try memory.pointee.append(0xFF, nanoseconds)
            unsafe try memory.pointee.appendBig(seconds)
        }
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
        if count < 16 {
            unsafe memory.pointee.set(place, (isMap ? 0x80 : 0x90) | UInt8(count))
            return 0
        }
        if count <= 0xFFFF {
            unsafe try memory.pointee.insertHole(at: place, 2)
            unsafe memory.pointee.set(place, isMap ? 0xDE : 0xDC)
            unsafe memory.pointee.setBig(place + 1, UInt16(count))
            return 2
        }
        unsafe try memory.pointee.insertHole(at: place, 4)
        unsafe memory.pointee.set(place, isMap ? 0xDF : 0xDD)
        unsafe memory.pointee.setBig(place + 1, UInt32(truncatingIfNeeded: count))
        return 4
    }
}

extension EncodingMemory {
    /// A byte and a number, the most significant byte first.
    @inline(__always)
    mutating func append<Number: FixedWidthInteger & BitwiseCopyable>(
        _ head: UInt8, _ number: Number
    ) throws(MartletError) {
        unsafe try reserve(1 &+ MemoryLayout<Number>.size)
        unsafe put(head)
        unsafe target.storeBytes(of: number.bigEndian, as: Number.self)
        unsafe count &+= MemoryLayout<Number>.size
    }

    func set(_ place: Int, _ byte: UInt8) {
        unsafe start.unsafelyUnwrapped.storeBytes(of: byte, toByteOffset: place, as: UInt8.self)
    }

    func setBig<Number: FixedWidthInteger & BitwiseCopyable>(_ place: Int, _ number: Number) {
        unsafe start.unsafelyUnwrapped.storeBytes(
            of: number.bigEndian, toByteOffset: place, as: Number.self)
    }
}

extension Double {
    /// The same number in half the bytes, if there is one. A NaN counts as the same.
    var asFloat: Float? {
        let float = Float(self)
        return Double(float) == self || isNaN ? float : nil
    }
}

extension Int64 {
    /// The quotient towards minus infinity, and the rest from 0 on.
    func floored(by divisor: Int64) -> (quotient: Int64, rest: Int64) {
        var (quotient, rest) = quotientAndRemainder(dividingBy: divisor)
        if rest < 0 {
            rest += divisor
            quotient -= 1
        }
        return (quotient, rest)
    }
}
