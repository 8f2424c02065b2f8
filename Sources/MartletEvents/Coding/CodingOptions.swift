/// What a structured codec was told. A class, so that handing it on costs one reference.
final class CodingOptions: Sendable {
    /// A writer into so many bytes of its own.
    let makeWriter: @Sendable (Int) -> ValueWriter
    let dates: DateCoding
    let userInfo: [CodingUserInfoKey: any Sendable]
    let byteCountMax: Int

    init(
        dates: DateCoding, userInfo: [CodingUserInfoKey: any Sendable], byteCountMax: Int,
        makeWriter: @escaping @Sendable (Int) -> ValueWriter
    ) {
        self.makeWriter = makeWriter
        self.dates = dates
        self.userInfo = userInfo
        self.byteCountMax = byteCountMax
    }
}
