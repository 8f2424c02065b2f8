extension EventDefinition {
    /// All texts of the definition, those that are not there empty.
    var texts: [String] {
        [topic.text, contentType?.text ?? "", type ?? "", schema ?? "", source ?? ""]
    }

    /// The size of the definition's record without its length.
    func recordByteCount(number: UInt64) -> Int {
        texts.reduce(1 + Varint.byteCount(number)) { sum, text in
            sum + Varint.byteCount(UInt64(text.utf8.count)) + text.utf8.count
        }
    }

    /// Appends the definition's record.
    func append(to memory: inout EncodingMemory, number: UInt64) throws(MartletError) {
        unsafe try memory.appendVarint(UInt64(recordByteCount(number: number)))
        unsafe try memory.append(RecordFlags.definition)
        unsafe try memory.appendVarint(number)
        for text in texts {
            unsafe try memory.appendVarint(UInt64(text.utf8.count))
            unsafe try AttributeBlock.append(utf8: text, to: &memory)
        }
    }
}
