/// An input in the order in which it was written, one token for each value and each key. Scanners
/// of all formats make one, after which decoding knows no formats.
///
/// Texts and bytes stay in the input, which must outlive the tape; those that cannot be used as
/// they stand there, since they hold escapes or come in pieces, lie aside.
@safe
struct ValueTape: ~Copyable {
    private(set) var tokens: UnsafeMutablePointer<Token>
    private(set) var count = 0
    private var capacity: Int
    private(set) var aside: [UInt8] = []

    /// Room for the values that an input of this size is likely to have.
    init(byteCount: Int) {
        capacity = min(byteCount, Limits.decodedValuesMax) / 5 + 16
        unsafe tokens = .allocate(capacity: capacity)
    }

    deinit { unsafe tokens.deallocate() }

    /// Appends a token and returns where it stands.
    @inline(__always)
    mutating func append(_ token: Token) throws(ScanFailure) -> Int {
        if count == capacity { try grow(token) }
        unsafe (tokens + count).initialize(to: token)
        count &+= 1
        return count &- 1
    }

    @inline(never)
    private mutating func grow(_ token: Token) throws(ScanFailure) {
        guard count < Limits.decodedValuesMax else {
            throw ScanFailure(.tooManyValues, at: Int(token.offset))
        }
        capacity = min(capacity * 2, Limits.decodedValuesMax)
        let grown = UnsafeMutablePointer<Token>.allocate(capacity: capacity)
        unsafe grown.moveInitialize(from: tokens, count: count)
        unsafe tokens.deallocate()
        unsafe tokens = unsafe grown
    }

    /// Says where an array or a map ends, which is here, and how many values or pairs it has.
    @inline(__always)
    func close(_ place: Int, count: Int, _ keys: KeySketch = KeySketch()) {
        if keys.mayRepeat { unsafe tokens[place].detail |= Token.mayRepeat }
        unsafe tokens[place].payload =
            UInt64(truncatingIfNeeded: self.count) | UInt64(truncatingIfNeeded: count) << 32
    }

    /// Puts bytes aside; the token then says so.
    mutating func appendAside(_ kind: Token.Kind, at offset: Int, _ bytes: [UInt8])
        throws(ScanFailure)
    {
        _ = try append(
            Token(kind, at: offset, detail: Token.aside, low: aside.count, high: bytes.count))
        aside += bytes
    }
}

/// Whether the keys of a map may repeat, noted while it is scanned: most are told apart by their
/// length and first byte, for which there is a bit each.
struct KeySketch {
    private var seen: UInt64 = 0
    private(set) var mayRepeat = false

    /// Notes a key that is a text and lies in the input.
    @inline(__always)
    mutating func note(_ firstByte: UInt8, _ byteCount: Int) {
        let place = byteCount &* 31 &+ Int(truncatingIfNeeded: firstByte)
        let bit: UInt64 = 1 << UInt64(truncatingIfNeeded: place & 63)
        mayRepeat = mayRepeat || seen & bit != 0
        seen |= bit
    }

    /// Notes any other key.
    mutating func noteOther() { mayRepeat = true }

    /// Notes the key that this token is.
    @inline(__always)
    mutating func note(_ token: Token, in bytes: UnsafeRawBufferPointer) {
        guard token.kind == .text, token.detail & Token.aside == 0 else {
            noteOther()
            return
        }
        unsafe note(token.high > 0 ? bytes[token.low] : 0, token.high)
    }
}

/// What makes an input unreadable, and where.
struct ScanFailure: Error {
    enum Reason {
        case unexpectedEnd
        case trailingBytes
        case tooDeep
        case tooManyValues
        case tooLarge
        case invalidUTF8
        case invalid(StaticString)
    }

    let reason: Reason
    let offset: Int

    init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    var description: String {
        switch reason {
        case .unexpectedEnd: "the input ends too early"
        case .trailingBytes: "there is more behind the value"
        case .tooDeep: "it is nested more than \(Limits.nestingMax) deep"
        case .tooManyValues: "it has more than \(Limits.decodedValuesMax) values"
        case .tooLarge: "it is larger than allowed"
        case .invalidUTF8: "a text is not UTF-8"
        case .invalid(let what): "\(what)"
        }
    }
}
