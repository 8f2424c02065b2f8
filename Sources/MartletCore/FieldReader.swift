/// Takes bytes apart into fields. What is not there, or is not what it should be, is nil.
package struct FieldReader {
    private let bytes: Bytes
    private var place = 0

    /// A reader of these bytes, from the first on.
    package init(_ bytes: Bytes) { self.bytes = bytes }

    /// How many bytes are left.
    package var left: Int { bytes.count - place }

    package mutating func byte() -> UInt8? {
        guard place < bytes.count else { return nil }
        defer { place += 1 }
        // Sound: it is left.
        return bytes.withBytes { unsafe $0.unsafeLoad(fromByteOffset: place, as: UInt8.self) }
    }

    /// 64 bits, the low byte first.
    package mutating func number() -> UInt64? {
        guard left >= 8 else { return nil }
        defer { place += 8 }
        // Sound: so many bytes are left.
        return bytes.withBytes { span in
            unsafe UInt64(
                littleEndian: span.unsafeLoadUnaligned(fromByteOffset: place, as: UInt64.self))
        }
    }

    /// At most ten bytes that make 64 bits.
    package mutating func varint() -> UInt64? {
        guard let first = byte() else { return nil }
        if first < 0x80 { return UInt64(first) }
        var value = UInt64(first & 0x7F)
        for shift in stride(from: UInt64(7), to: 70, by: 7) {
            guard let byte = byte() else { return nil }
            let bits = UInt64(byte & 0x7F)
            guard shift < 63 || bits <= 1 else { return nil }
            value |= bits << shift
            if byte < 0x80 { return value }
        }
        return nil
    }

    /// A number of an event, so small that numbers near it are numbers too.
    package mutating func sequence() -> UInt64? {
        varint().flatMap { $0 <= Limits.sequenceMax ? $0 : nil }
    }

    /// A count of things that take so many bytes each at least, and are therefore there.
    package mutating func count(ofThingsOf byteCount: Int) -> Int? {
        guard let value = varint(), value <= UInt64(left / byteCount) else { return nil }
        return Int(value)
    }

    package mutating func text(atMost byteCountMax: Int) -> String? {
        guard let count = count(ofThingsOf: 1), count <= byteCountMax else { return nil }
        defer { place += count }
        return bytes.withBytes { span in
            // Sound: so many bytes are left, and a text is made of a copy of them.
            unsafe span.extracting(place..<place + count).withUnsafeBytes { memory in
                let part = unsafe memory.bindMemory(to: UInt8.self).span
                guard let text = try? UTF8Span(validating: part) else { return nil }
                return String(copying: text)
            }
        }
    }

    package mutating func bytes(atMost byteCountMax: Int) -> Bytes? {
        guard let count = count(ofThingsOf: 1), count <= byteCountMax else { return nil }
        defer { place += count }
        return bytes[place..<place + count].detached()
    }

    /// The 16 bytes of an id.
    package mutating func node() -> NodeID? {
        guard let high = number(), let low = number() else { return nil }
        return NodeID(high: high.byteSwapped, low: low.byteSwapped)
    }

    package mutating func stream() -> StreamName? {
        text(atMost: Limits.topicBytesMax).flatMap { try? StreamName($0) }
    }

    package mutating func channel() -> (stream: StreamName, lane: Int)? {
        guard let stream = stream(), let lane = varint(), lane <= UInt64(Limits.partitionsMax)
        else { return nil }
        return (stream, Int(lane))
    }

    package mutating func time() -> Timestamp? {
        number().flatMap { Timestamp(microseconds: Int64(bitPattern: $0)) }
    }
}
