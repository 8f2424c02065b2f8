/// One value of a decoded input, or one key of a map: what it is and where it stands.
struct Token {
    enum Kind: UInt8 {
        case null
        case falseValue
        case trueValue
        /// A whole number from 0: the payload.
        case unsigned
        /// A whole number from -2^63 to -1: the bits of the payload.
        case negative
        /// A whole number below: one less than the payload's negative.
        case largeNegative
        /// The bits of the payload.
        case double
        /// A number of JSON that is no whole number of 64 bits: its text.
        case number
        /// The same, but short: the bits of the payload are the number, and the text begins at the
        /// offset and has the length of the detail.
        case shortNumber
        case text
        case bytes
        /// The payload says where the values of the array end, and how many there are.
        case array
        /// Keys and values in turn; the payload counts pairs.
        case map
        /// A type of MessagePack's own or of an application's, in `detail`.
        case typed
        /// A tag of CBOR, which applies to the next value.
        case tag
        /// A simple value of CBOR that means nothing to Swift; `undefined` is one.
        case simple
    }

    let kind: Kind
    /// Where a text or bytes lie; that keys may or do repeat; the type of a typed value; the length
    /// of a short number.
    var detail: UInt8 = 0
    /// Where the value begins in the input.
    let offset: UInt32
    var payload: UInt64

    /// Flags of `detail` for texts and bytes.
    static let aside: UInt8 = 1
    static let duplicate: UInt8 = 2
    /// Flag of `detail` for maps: two keys may be the same. Where it is not set, none are.
    static let mayRepeat: UInt8 = 4

    /// A value with two halves in its payload.
    init(_ kind: Kind, at offset: Int, detail: UInt8 = 0, low: Int, high: Int) {
        self.init(
            kind, at: offset, detail: detail,
            payload: UInt64(truncatingIfNeeded: low) | UInt64(truncatingIfNeeded: high) << 32)
    }

    init(_ kind: Kind, at offset: Int, detail: UInt8 = 0, payload: UInt64 = 0) {
        self.kind = kind
        self.detail = detail
        self.offset = UInt32(truncatingIfNeeded: offset)
        self.payload = payload
    }

    /// Where a text or bytes begin; where an array or a map ends.
    @inline(__always)
    var low: Int { Int(truncatingIfNeeded: payload & 0xFFFF_FFFF) }

    /// The length of a text or of bytes; the count of an array or a map.
    @inline(__always)
    var high: Int { Int(truncatingIfNeeded: payload >> 32) }
}
