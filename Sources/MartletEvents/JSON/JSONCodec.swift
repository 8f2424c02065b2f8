/// JSON (RFC 8259), in UTF-8.
///
/// Keys are written in the order in which a type encodes them. Whole numbers are exact to 64 bits,
/// floating-point numbers have the fewest digits that stand for them and no other, `Data` and
/// `Bytes` are base64, `Decimal` is a number with all its digits, `URL` a text. What is read must
/// be JSON to the last byte: nothing behind the value, no key twice among those asked for, no text
/// that is not UTF-8. Keys that nobody asks for are ignored.
public struct JSONCodec: StructuredCodec {
    let options: CodingOptions

    /// JSON with dates as you wish, RFC 3339 unless you say otherwise.
    public init(
        dates: DateCoding = .rfc3339, userInfo: [CodingUserInfoKey: any Sendable] = [:],
        byteCountMax: Int = Limits.encodedBytesMax
    ) {
        options = CodingOptions(
            dates: dates, userInfo: userInfo, byteCountMax: byteCountMax
        ) { JSONWriter(byteCountMax: $0) }
    }

    /// `application/json`.
    public var contentType: ContentType { .json }

    func scan(_ bytes: UnsafeRawBufferPointer) throws(ScanFailure) -> ValueTape {
        unsafe try JSONScanner.scan(bytes)
    }
}
