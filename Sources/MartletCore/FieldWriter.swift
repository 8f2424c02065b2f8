/// Puts fields together.
package struct FieldWriter {
    /// What has been written.
    package private(set) var bytes: [UInt8] = []

    /// Most messages and directories of the log are no longer.
    private static let usualByteCount = 128

    /// Nothing yet.
    package init() { bytes.reserveCapacity(FieldWriter.usualByteCount) }

    package mutating func byte(_ value: UInt8) { bytes.append(value) }

    package mutating func number(_ value: UInt64) {
        // Sound: the bytes of a number are read while it is there.
        unsafe withUnsafeBytes(of: value.littleEndian) { unsafe bytes.append(contentsOf: $0) }
    }

    package mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    package mutating func text(_ text: String) {
        varint(UInt64(text.utf8.count))
        bytes += text.utf8
    }

    package mutating func bytes(_ value: Bytes) {
        varint(UInt64(value.count))
        bytes += value.array()
    }

    package mutating func node(_ node: NodeID) {
        number(node.high.byteSwapped)
        number(node.low.byteSwapped)
    }

    package mutating func time(_ time: Timestamp) {
        number(UInt64(bitPattern: time.microseconds))
    }

    /// Puts a number in the place of eight bytes that have been written.
    package mutating func overwrite(_ value: UInt64, at place: Int) {
        for offset in 0..<8 {
            bytes[place + offset] = UInt8(truncatingIfNeeded: value >> UInt64(8 * offset))
        }
    }

    /// Zeros until the length is a multiple of eight.
    package mutating func pad() { while !bytes.count.isMultiple(of: 8) { bytes.append(0) } }
}
