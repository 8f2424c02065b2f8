extension RecordedEvent {
    /// The value of one extension, read where it stands, without reading the others.
    public func attribute(_ name: AttributeName) -> AttributeValue? {
        if name == .partitionKey { return key.map { .string($0) } }
        guard let (type, value) = attributeEntry(name.text) else { return nil }
        var entry = value
        defer { extendLifetime(frame) }
        return AttributeBlock.value(type, &entry)
    }

    /// Where the value of an extension or the subject stands.
    package func attributePlace(_ name: String) -> AttributePlace? {
        guard let (type, value) = attributeEntry(name) else { return nil }
        var entry = value
        defer { extendLifetime(frame) }
        switch type {
        case 1: return .boolean(entry.byte() == 1)
        case 2:
            return .integer(Int32(truncatingIfNeeded: Zigzag.decode(entry.varint() ?? 0)))
        case 3, 5, 6: return unsafe range(of: entry.lengthPrefixed()).map { .text($0) }
        default: return .other
        }
    }

    /// The type of an attribute's value, and a cursor before the value, which is valid for as long
    /// as the frame lives.
    @inline(__always)
    private func attributeEntry(_ name: String) -> (type: UInt8, value: ByteCursor)? {
        defer { extendLifetime(frame) }
        guard let block = unsafe part(RecordFlags.attributes) else { return nil }
        return unsafe name.utf8Span.span.withUnsafeBytes { name in
            unsafe AttributeBlock.find(name, in: block)
        }
    }

    /// How many bytes the event takes in its frame.
    package var recordByteCount: Int { place.end - place.start }

    /// How many bytes the attributes take; each takes three at least.
    package var attributesByteCount: Int { place(of: RecordFlags.attributes)?.count ?? 0 }

    /// Where in the frame's bytes the key stands.
    package var keyPlace: Range<Int>? { place(of: RecordFlags.key) }

    /// Where in the frame's bytes the id stands that the producer gave.
    package var explicitIDPlace: Range<Int>? { place(of: RecordFlags.id) }

    private func place(of flag: UInt8) -> Range<Int>? { unsafe range(of: part(flag)) }

    /// Where in the frame's bytes a part of the record lies.
    @unsafe
    private func range(of part: UnsafeRawBufferPointer?) -> Range<Int>? {
        defer { extendLifetime(frame) }
        guard let part = unsafe part, let start = part.baseAddress,
            let memory = unsafe frame.memory.baseAddress
        else { return nil }
        let offset = unsafe start - memory
        return offset..<offset + part.count
    }
}

/// A value among a record's attributes, in a form that costs nothing to make.
package enum AttributePlace: Sendable {
    case boolean(Bool)
    case integer(Int32)
    /// A text, URI or URI reference: where it lies in the frame's bytes.
    case text(Range<Int>)
    /// Bytes or a moment.
    case other
}

extension AttributeBlock {
    /// Looks for one entry of a valid block, without making values of the others.
    @unsafe
    static func find(
        _ name: UnsafeRawBufferPointer, in block: UnsafeRawBufferPointer
    ) -> (type: UInt8, value: ByteCursor)? {
        var cursor = unsafe ByteCursor(block)
        while let length = cursor.byte(), Int(length) <= cursor.left {
            let entry = unsafe cursor.take(Int(length))
            guard let type = cursor.byte() else { return nil }
            if unsafe entry.count == name.count && Memory.isEqual(entry, name) {
                return (type, cursor)
            }
            switch type {
            case 1: _ = cursor.byte()
            case 2, 7: _ = cursor.varint()
            default: _ = unsafe cursor.lengthPrefixed()
            }
        }
        return nil
    }
}
