import FoundationEssentials

/// Bytes as text in the alphabet of RFC 4648 §4, with padding.
enum Base64 {
    static func encode(_ bytes: Bytes) -> String {
        unsafe bytes.withUnsafeMemory { memory, _ in unsafe encode(memory) }
    }

    static func encode(_ bytes: UnsafeRawBufferPointer) -> String {
        unsafe Data(bytes).base64EncodedString()
    }

    /// Nil if the text is anything else.
    static func decode(_ text: String) -> Bytes? {
        guard let data = Data(base64Encoded: text) else { return nil }
        return unsafe data.withUnsafeBytes { bytes in unsafe Bytes(copying: bytes.bytes) }
    }
}
