/// MessagePack: the values of JSON and bytes, in fewer bytes and less time.
///
/// Each value is written in its smallest form, dates as the timestamp of the specification unless
/// you say otherwise, `Decimal` and `URL` as texts. All forms are read; keys may be whole numbers
/// too. Values of applications' own types are kept as `MessagePackExtension`.
public struct MessagePackCodec: StructuredCodec {
    let options: CodingOptions

    /// MessagePack with dates as you wish.
    public init(
        dates: DateCoding = .native, userInfo: [CodingUserInfoKey: any Sendable] = [:],
        byteCountMax: Int = Limits.encodedBytesMax
    ) {
        options = CodingOptions(
            dates: dates, userInfo: userInfo, byteCountMax: byteCountMax
        ) { MessagePackWriter(byteCountMax: $0) }
    }

    /// `application/vnd.msgpack`.
    public var contentType: ContentType { .messagePack }

    func scan(_ bytes: UnsafeRawBufferPointer) throws(ScanFailure) -> ValueTape {
        unsafe try MessagePackScanner.scan(bytes)
    }
}
