/// Writes JSON (RFC 8259) without white space.
final class JSONWriter: ValueWriter {
    override func writeNull() throws(MartletError) { unsafe try memory.pointee.append("null") }

    override func writeBool(_ value: Bool) throws(MartletError) {
        unsafe try memory.pointee.append(value ? "true" : "false")
    }

    override func writeUnsigned(_ value: UInt64) throws(MartletError) {
        unsafe try memory.pointee.reserve(JSONNumber.digitsMax)
        unsafe memory.pointee.writeDigits(value)
    }

    override func writeSigned(_ value: Int64) throws(MartletError) {
        unsafe try memory.pointee.reserve(JSONNumber.digitsMax)
        if value < 0 { unsafe try memory.pointee.append(UInt8(ascii: "-")) }
        unsafe memory.pointee.writeDigits(value.magnitude)
    }

    override func writeDouble(_ value: Double) throws(MartletError) {
        unsafe try memory.pointee.reserve(JSONNumber.digitsMax)
        if unsafe memory.pointee.writeShortDecimal(value) { return }
        guard value.isFinite else { throw unsafe memory.pointee.fail(JSONNumber.notANumber(value)) }
        try writeDecimal(value.description)
    }

    override func writeFloat(_ value: Float) throws(MartletError) {
        guard value.isFinite else {
            throw unsafe memory.pointee.fail(JSONNumber.notANumber(Double(value)))
        }
        if value.rounded() == value, abs(value) < 1e7, value != 0 {
            try writeSigned(Int64(value))
        } else {
            try writeDecimal(value == 0 && value.sign == .plus ? "0" : value.description)
        }
    }

    override func writeWide(_ value: some FixedWidthInteger) throws(MartletError) {
        try writeDecimal(String(value))
    }

    override func writeDecimal(_ text: String) throws(MartletError) {
        unsafe try text.utf8Span.span.withUnsafeBytes { (utf8) throws(MartletError) in
            unsafe try memory.pointee.append(utf8)
        }
    }

    override func writeTimestamp(_ moment: Timestamp) throws(MartletError) {
        try write(moment.description)
    }

    override func writeBytes(_ bytes: UnsafeRawBufferPointer) throws(MartletError) {
        unsafe try write(Base64.encode(bytes))
    }

    @inline(__always)
    override func writeText(_ utf8: UnsafeRawBufferPointer) throws(MartletError) {
        unsafe try memory.pointee.reserve(utf8.count &+ 2 &+ MemoryLayout<UInt64>.size)
        unsafe memory.pointee.put(UInt8(ascii: "\""))
        guard unsafe memory.pointee.copyPlain(utf8) else {
            unsafe try writeEscaped(utf8)
            return
        }
        unsafe memory.pointee.put(UInt8(ascii: "\""))
    }

    override func writeKey(
        _ utf8: UnsafeRawBufferPointer, isFirst: Bool
    ) throws(MartletError) {
        if !isFirst { unsafe try memory.pointee.append(UInt8(ascii: ",")) }
        unsafe try writeText(utf8)
        unsafe try memory.pointee.append(UInt8(ascii: ":"))
    }

    override func separate(isFirst: Bool) throws(MartletError) {
        if !isFirst { unsafe try memory.pointee.append(UInt8(ascii: ",")) }
    }

    override func open(isMap: Bool) throws(MartletError) {
        unsafe try memory.pointee.append(UInt8(ascii: isMap ? "{" : "["))
    }

    override func close(isMap: Bool, at place: Int, count: Int) throws(MartletError) -> Int {
        unsafe try memory.pointee.append(UInt8(ascii: isMap ? "}" : "]"))
        return 0
    }

    /// A text of which some characters need escapes, behind its opening quote.
    @inline(never)
    private func writeEscaped(_ utf8: UnsafeRawBufferPointer) throws(MartletError) {
        for place in 0..<utf8.count {
            let byte = unsafe utf8[place]
            switch byte {
            case UInt8(ascii: "\""): unsafe try memory.pointee.append("\\\"")
            case UInt8(ascii: "\\"): unsafe try memory.pointee.append("\\\\")
            case 0x08: unsafe try memory.pointee.append("\\b")
            case 0x0C: unsafe try memory.pointee.append("\\f")
            case 0x0A: unsafe try memory.pointee.append("\\n")
            case 0x0D: unsafe try memory.pointee.append("\\r")
            case 0x09: unsafe try memory.pointee.append("\\t")
            case 0..<0x20:
                unsafe try memory.pointee.append(byte < 0x10 ? "\\u000" : "\\u001")
                let digit = byte & 0xF
                unsafe try memory.pointee.append(digit < 10 ? digit + 0x30 : digit + 0x57)
            default: unsafe try memory.pointee.append(byte)
            }
        }
        unsafe try memory.pointee.append(UInt8(ascii: "\""))
    }
}

extension JSONNumber {
    /// Room for any number of 64 bits and its sign.
    static let digitsMax = 32

    static func notANumber(_ value: Double) -> MartletError {
        MartletError(
            .notEncodable,
            "JSON has no \(value.isNaN ? "NaN" : "infinity"). Send null, a text, or use "
                + "MessagePack or CBOR.")
    }
}

extension EncodingMemory {
    /// A byte for which there is room.
    @inline(__always)
    mutating func put(_ byte: UInt8) {
        unsafe target.storeBytes(of: byte, as: UInt8.self)
        unsafe count &+= 1
    }

    /// The digits of a number. There must be room for `JSONNumber.digitsMax`.
    @inline(__always)
    mutating func writeDigits(_ value: UInt64) {
        var length = 1
        var bound: UInt64 = 10
        while value >= bound {
            length &+= 1
            if length == 20 { break }
            bound &*= 10
        }
        var rest = value
        var place = unsafe target + length
        for _ in 0..<length {
            unsafe place -= 1
            let next = rest / 10
            unsafe place.storeBytes(
                of: UInt8(truncatingIfNeeded: rest &- next &* 10) | 0x30, as: UInt8.self)
            rest = next
        }
        unsafe count &+= length
    }

    /// A number that is whole or has up to six decimals and fifteen digits in all, which then are
    /// the fewest that stand for it and no other. False for all others.
    mutating func writeShortDecimal(_ value: Double) -> Bool {
        guard abs(value) < 1e15, value != 0 || value.sign == .plus else { return false }
        let magnitude = abs(value)
        for decimals in 0...6 {
            let power = JSONNumber.power(decimals)
            let scaled = (magnitude * power).rounded()
            guard scaled < 1e15 else { return false }
            guard scaled / power == magnitude else { continue }
            if value < 0 { unsafe put(UInt8(ascii: "-")) }
            let digits = UInt64(scaled)
            let whole = UInt64(power)
            unsafe writeDigits(digits / whole)
            if decimals > 0 { unsafe writeFraction(digits % whole, decimals) }
            return true
        }
        return false
    }

    private mutating func writeFraction(_ digits: UInt64, _ decimals: Int) {
        unsafe put(UInt8(ascii: "."))
        var rest = digits
        var place = unsafe target + decimals
        for _ in 0..<decimals {
            unsafe place -= 1
            unsafe place.storeBytes(of: UInt8(truncatingIfNeeded: rest % 10) | 0x30, as: UInt8.self)
            rest /= 10
        }
        unsafe count &+= decimals
    }

    /// Copies a text up to its end if no character of it needs an escape; else nothing. There must
    /// be room for it and eight bytes more.
    @inline(__always)
    mutating func copyPlain(_ utf8: UnsafeRawBufferPointer) -> Bool {
        let to = unsafe target
        var place = 0
        while place &+ 8 <= utf8.count {
            let word = unsafe utf8.little(place, as: UInt64.self)
            if JSONBytes.needsEscape(word) != 0 { return false }
            unsafe to.storeBytes(of: word.littleEndian, toByteOffset: place, as: UInt64.self)
            place &+= 8
        }
        while place < utf8.count {
            let byte = unsafe utf8[place]
            if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                return false
            }
            unsafe to.storeBytes(of: byte, toByteOffset: place, as: UInt8.self)
            place &+= 1
        }
        unsafe count &+= utf8.count
        return true
    }
}
