extension EventDefinition {
    /// The record by which a frame names the definition.
    func record(numbered number: UInt64) throws(MartletError) -> Bytes {
        let buffer = EncodingBuffer(byteCountMax: Limits.frameBytesMax)
        let memory = unsafe buffer.storage
        unsafe try memory.pointee.append(RecordFlags.definition)
        unsafe try memory.pointee.appendVarint(number)
        // Those that are not there are empty.
        for text in [topic.text, contentType?.text ?? "", type ?? "", schema ?? "", source ?? ""] {
            unsafe try memory.pointee.appendVarint(UInt64(text.utf8.count))
            unsafe try AttributeBlock.append(utf8: text, to: &memory.pointee)
        }
        unsafe try memory.pointee.setLength(at: 0, reserved: 0)
        return buffer.bytes()
    }
}
