/// What a structured codec was told. A class, so that handing it on costs one reference.
@safe
final class CodingOptions: Sendable {
    let makeWriter: @Sendable (UnsafeMutablePointer<EncodingMemory>) -> ValueWriter
    let dates: DateCoding
    let userInfo: [CodingUserInfoKey: any Sendable]
    let byteCountMax: Int

    init(
        dates: DateCoding, userInfo: [CodingUserInfoKey: any Sendable], byteCountMax: Int,
        makeWriter: @escaping @Sendable (UnsafeMutablePointer<EncodingMemory>) -> ValueWriter
    ) {
        unsafe self.makeWriter = unsafe makeWriter
        self.dates = dates
        self.userInfo = userInfo
        self.byteCountMax = byteCountMax
    }
}
