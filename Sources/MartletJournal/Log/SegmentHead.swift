package import MartletCore

/// What a segment begins with.
package struct SegmentHead: Equatable {
    static let byteCount = 64
    private static let magic: UInt64 = 0x4A54_454C_5452_414D
    private static let version: UInt64 = 1

    let node: NodeID
    let number: UInt64
    let salt: UInt64
    let firstGroup: UInt64

    /// The head of a segment.
    package init(node: NodeID, number: UInt64, salt: UInt64, firstGroup: UInt64) {
        self.node = node
        self.number = number
        self.salt = salt
        self.firstGroup = firstGroup
    }

    /// It, as it is written.
    package var bytes: Bytes {
        var writer = FieldWriter()
        writer.number(SegmentHead.magic)
        writer.number(SegmentHead.version)
        writer.node(node)
        writer.number(number)
        writer.number(salt)
        writer.number(firstGroup)
        writer.number(LogChecksum.of(Bytes(writer.bytes)))
        return Bytes(writer.bytes)
    }

    /// What became of reading one.
    enum Reading {
        case head(SegmentHead)
        /// Of a later version of Martlet.
        case unknownVersion(UInt64)
        /// None, or a damaged one.
        case none
    }

    static func read(_ bytes: Bytes) -> Reading {
        guard bytes.count >= byteCount else { return .none }
        var reader = FieldReader(bytes[0..<byteCount])
        guard reader.number() == magic, let version = reader.number() else { return .none }
        guard version == SegmentHead.version else { return .unknownVersion(version) }
        guard let node = reader.node(), let number = reader.number(), let salt = reader.number(),
            let firstGroup = reader.number(), let checksum = reader.number(),
            checksum == LogChecksum.of(bytes[0..<(byteCount - 8)]),
            number <= Limits.sequenceMax, firstGroup <= Limits.sequenceMax
        else { return .none }
        return .head(
            SegmentHead(node: node, number: number, salt: salt, firstGroup: firstGroup))
    }

    /// The name of a segment's file.
    package static func fileName(_ number: UInt64) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 10 - digits.count)) + digits + ".segment"
    }

    /// The number in the name of a file; nil if it is no segment's.
    static func number(of fileName: String) -> UInt64? {
        guard fileName.hasSuffix(".segment"),
            let number = UInt64(fileName.dropLast(".segment".count)),
            SegmentHead.fileName(number) == fileName
        else { return nil }
        return number
    }
}
