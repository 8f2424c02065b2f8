/// CBOR (RFC 8949): the values of JSON, bytes, and tags that say what a value means.
///
/// Lengths are definite and numbers have their smallest form. Dates are tag 1 unless you say
/// otherwise, URLs tag 32, `Decimal` is a text. Everything well-formed is read: indefinite lengths,
/// half floats, big numbers, texts and numbers as dates by tags 0 and 1; other tags are passed
/// over.
public struct CBORCodec: StructuredCodec {
    let options: CodingOptions
    private let isDeterministic: Bool

    /// CBOR with dates as you wish. With `deterministic`, the keys of maps stand in the order of
    /// their bytes (RFC 8949 §4.2.1), so that equal values have equal bytes.
    public init(
        deterministic: Bool = false, dates: DateCoding = .native,
        userInfo: [CodingUserInfoKey: any Sendable] = [:],
        byteCountMax: Int = Limits.encodedBytesMax
    ) {
        options = CodingOptions(
            dates: dates, userInfo: userInfo, byteCountMax: byteCountMax
        ) { CBORWriter(byteCountMax: $0) }
        isDeterministic = deterministic
    }

    /// `application/cbor`.
    public var contentType: ContentType { .cbor }

    func scan(_ bytes: UnsafeRawBufferPointer) throws(ScanFailure) -> ValueTape {
        unsafe try CBORScanner.scan(bytes)
    }

    func finish(_ memory: inout EncodingMemory, from place: Int) throws(MartletError) {
        if isDeterministic { unsafe try CBOROrder.sort(&memory, from: place) }
    }
}
