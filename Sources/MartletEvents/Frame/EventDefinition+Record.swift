extension EventDefinition {
    private var texts: [String] {
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
        try memory.appendVarint(UInt64(recordByteCount(number: number)))
        try memory.append(RecordFlags.definition)
        try memory.appendVarint(number)
        for text in texts {
            try memory.appendVarint(UInt64(text.utf8.count))
            try AttributeBlock.append(utf8: text, to: &memory)
        }
    }
}
