// The attributes of an event record: entries in the strictly rising order of their names, each the
// length of the name (one byte), the name, the type (one byte), and the value:
//
//   1  boolean         one byte, 0 or 1
//   2  integer         zigzag varint within 32 bits
//   3  string          text
//   4  binary          varint length and bytes
//   5  URI             text
//   6  URI-reference   text
//   7  timestamp       zigzag varint of microseconds since 1970
//
// The subject is the entry `subject` of type 3. `partitionkey` is the event's key and no entry.

/// Writes and reads the attributes of an event record.
enum AttributeBlock {
    private static let subjectName: [UInt8] = Array("subject".utf8)

    // MARK: Writing

    static func append(
        _ attributes: EventAttributes, to memory: inout EncodingMemory
    ) throws(MartletError) {
        var subject = attributes.subject
        for (name, value) in attributes.extensions where name != .partitionKey {
            if let text = subject, name.text > "subject" {
                unsafe try append("subject", .string(text), to: &memory)
                subject = nil
            }
            unsafe try append(name.text, value, to: &memory)
        }
        if let subject { unsafe try append("subject", .string(subject), to: &memory) }
    }

    private static func append(
        _ name: String, _ value: AttributeValue, to memory: inout EncodingMemory
    ) throws(MartletError) {
        unsafe try memory.append(UInt8(name.utf8.count))
        unsafe try append(utf8: name, to: &memory)
        switch value {
        case .boolean(let value):
            unsafe try memory.append(1)
            unsafe try memory.append(value ? 1 : 0)
        case .integer(let value):
            unsafe try memory.append(2)
            unsafe try memory.appendVarint(Zigzag.encode(Int64(value)))
        case .string(let text): unsafe try append(text, type: 3, to: &memory)
        case .binary(let bytes):
            unsafe try memory.append(4)
            unsafe try memory.appendVarint(UInt64(bytes.count))
            try bytes.withBytes { (span) throws(MartletError) in
                unsafe try span.withUnsafeBytes { (buffer) throws(MartletError) in
                    unsafe try memory.append(buffer)
                }
            }
        case .uri(let text): unsafe try append(text, type: 5, to: &memory)
        case .uriReference(let text): unsafe try append(text, type: 6, to: &memory)
        case .timestamp(let moment):
            unsafe try memory.append(7)
            unsafe try memory.appendVarint(Zigzag.encode(moment.microseconds))
        }
    }

    private static func append(
        _ text: String, type: UInt8, to memory: inout EncodingMemory
    ) throws(MartletError) {
        unsafe try memory.append(type)
        unsafe try memory.appendVarint(UInt64(text.utf8.count))
        unsafe try append(utf8: text, to: &memory)
    }

    static func append(utf8 text: String, to memory: inout EncodingMemory) throws(MartletError) {
        unsafe try text.utf8Span.span.withUnsafeBytes { (utf8) throws(MartletError) in
            unsafe try memory.append(utf8)
        }
    }

    // MARK: Reading

    /// Whether all of it is well-formed, and every value is one that CloudEvents allows.
    @unsafe
    static func isValid(_ block: UnsafeRawBufferPointer) -> Bool {
        var cursor = unsafe ByteCursor(block)
        var last: UnsafeRawBufferPointer?
        var extensions = 0
        while cursor.left > 0 {
            guard let (name, value) = unsafe entry(&cursor) else { return false }
            if let last = unsafe last, !(unsafe last.lexicographicallyPrecedes(name)) {
                return false
            }
            unsafe last = unsafe name
            if unsafe name.elementsEqual(subjectName) {
                guard case .string(let text) = value,
                    (try? AttributeText.check(text, of: "subject")) != nil
                else { return false }
            } else {
                let text = unsafe String(decoding: name, as: UTF8.self)
                guard !AttributeName.reserved.contains(text) else { return false }
                let name = AttributeName(unchecked: text)
                guard name != .partitionKey, (try? value.check(as: name)) != nil else {
                    return false
                }
                if EventAttributes.counts(name) { extensions += 1 }
            }
        }
        return extensions <= Limits.attributesMax
    }

    /// What a valid block says.
    @unsafe
    static func read(_ block: UnsafeRawBufferPointer, into attributes: inout EventAttributes) {
        var cursor = unsafe ByteCursor(block)
        while let (name, value) = unsafe entry(&cursor) {
            if unsafe name.elementsEqual(subjectName), case .string(let text) = value {
                attributes.setCheckedSubject(text)
            } else {
                let name = unsafe AttributeName(unchecked: String(decoding: name, as: UTF8.self))
                attributes.appendChecked(name, value)
            }
        }
    }

    @unsafe
    private static func entry(
        _ cursor: inout ByteCursor
    ) -> (name: UnsafeRawBufferPointer, value: AttributeValue)? {
        guard let length = cursor.byte(), Int(length) <= cursor.left else { return nil }
        let name = unsafe cursor.take(Int(length))
        guard unsafe AttributeName.isName(name), let type = cursor.byte(),
            let value = value(type, &cursor)
        else { return nil }
        return unsafe (name, value)
    }

    /// The value of an entry, of which the type has been read.
    static func value(_ type: UInt8, _ cursor: inout ByteCursor) -> AttributeValue? {
        switch type {
        case 1:
            guard let byte = cursor.byte(), byte <= 1 else { return nil }
            return .boolean(byte == 1)
        case 2:
            guard let value = cursor.varint().flatMap({ Int32(exactly: Zigzag.decode($0)) }) else {
                return nil
            }
            return .integer(value)
        case 4:
            guard let bytes = unsafe cursor.lengthPrefixed() else { return nil }
            return unsafe .binary(Bytes(copying: bytes.bytes))
        case 7:
            return cursor.varint()
                .flatMap { Timestamp(microseconds: Zigzag.decode($0)) }.map { .timestamp($0) }
        case 3, 5, 6:
            guard let text = cursor.text(atMost: Limits.attributeBytesMax) else { return nil }
            return type == 3 ? .string(text) : type == 5 ? .uri(text) : .uriReference(text)
        default: return nil
        }
    }
}
