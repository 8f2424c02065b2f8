/// What the byte of flags of a record says.
enum RecordFlags {
    static let definition: UInt8 = 0x80
    static let key: UInt8 = 0x01
    static let id: UInt8 = 0x02
    static let attributes: UInt8 = 0x04
    static let knownOfEvents: UInt8 = 0x07
}

/// The beginning of a record: how far it reaches, what it is, and where its parts begin.
@safe
struct RecordHead {
    let flags: UInt8
    /// The number of the definition.
    let definition: UInt64
    /// Microseconds since the frame's base time.
    let timeOffset: Int64
    /// What follows, up to the end of the record.
    var rest: ByteCursor
}

extension ByteCursor {
    /// The head of the next record in one word, if it is a common one and well-formed.
    @inline(__always)
    var commonHead: RecordWord? {
        guard left >= 8,
            let word = unsafe RecordWord(
                UInt64(littleEndian: position.loadUnaligned(as: UInt64.self))),
            word.length >= word.headByteCount, word.length <= left &- word.lengthByteCount
        else { return nil }
        return word
    }

    /// Reads the head of the next record and moves behind the record. Nil where there is none, or
    /// none that is well-formed.
    @inline(__always)
    mutating func recordHead() -> RecordHead? {
        guard let count = length(), count > 0 else { return nil }
        let recordEnd = unsafe position + count
        var cursor = unsafe ByteCursor(position, end: recordEnd)
        unsafe position = unsafe recordEnd
        guard let flags = cursor.byte(), let definition = cursor.varint() else { return nil }
        if flags == RecordFlags.definition {
            return RecordHead(flags: flags, definition: definition, timeOffset: 0, rest: cursor)
        }
        guard flags & ~RecordFlags.knownOfEvents == 0, let time = cursor.varint() else {
            return nil
        }
        return RecordHead(
            flags: flags, definition: definition, timeOffset: Zigzag.decode(time), rest: cursor)
    }
}

extension RecordHead {
    /// Where the part of this flag begins, behind those that come before it; the payload for a flag
    /// above all. The record must have been validated.
    func partCursor(before flag: UInt8) -> ByteCursor {
        var cursor = rest
        // Not a loop over an array: looking an attribute up comes through here.
        if flag > RecordFlags.key, flags & RecordFlags.key != 0 {
            _ = unsafe cursor.lengthPrefixed()
        }
        if flag > RecordFlags.id, flags & RecordFlags.id != 0 {
            _ = unsafe cursor.lengthPrefixed()
        }
        if flag > RecordFlags.attributes, flags & RecordFlags.attributes != 0 {
            _ = unsafe cursor.lengthPrefixed()
        }
        return cursor
    }
}
