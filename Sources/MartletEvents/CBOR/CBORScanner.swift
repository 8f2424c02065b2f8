/// Reads CBOR (RFC 8949) into a tape: lengths definite and indefinite, all numbers, any tag.
@safe
struct CBORScanner: ~Copyable {
    private let bytes: UnsafeRawBufferPointer
    private var place = 0
    private var tape: ValueTape

    @unsafe
    private init(_ bytes: UnsafeRawBufferPointer) {
        unsafe self.bytes = unsafe bytes
        tape = ValueTape(byteCount: bytes.count)
    }

    /// The tape of the one value that these bytes must hold. The bytes must outlive the tape.
    @unsafe
    static func scan(_ bytes: UnsafeRawBufferPointer) throws(ScanFailure) -> ValueTape {
        var scanner = unsafe CBORScanner(bytes)
        try scanner.value(depth: 0)
        guard scanner.place == bytes.count else {
            throw ScanFailure(.trailingBytes, at: scanner.place)
        }
        return scanner.takeTape()
    }

    private consuming func takeTape() -> ValueTape { tape }

    /// The initial byte of an item: three bits of type, five that give or announce its argument.
    private struct Head {
        let type: UInt8
        let info: UInt8

        var isIndefinite: Bool { info == 31 }
    }

    private static let breakByte: UInt8 = 0xFF

    private mutating func value(depth: Int) throws(ScanFailure) {
        let start = place
        let head = try takeHead()
        switch head.type {
        case 0: _ = try tape.append(Token(.unsigned, at: start, payload: argument(head, start)))
        case 1: try negative(argument(head, start), start)
        case 2: try string(.bytes, head, start)
        case 3: try string(.text, head, start)
        case 4: try collection(.array, head, start, depth)
        case 5: try collection(.map, head, start, depth)
        case 6: try tagged(head, start, depth)
        default: try simple(head, start)
        }
    }

    // MARK: Numbers

    /// The number that the head gives or that follows it.
    @inline(__always)
    private mutating func argument(_ head: Head, _ start: Int) throws(ScanFailure) -> UInt64 {
        switch head.info {
        case 0..<24: return UInt64(head.info)
        case 24: return UInt64(try take(UInt8.self))
        case 25: return UInt64(try take(UInt16.self))
        case 26: return UInt64(try take(UInt32.self))
        case 27: return try take(UInt64.self)
        default: throw ScanFailure(.invalid("this initial byte is reserved"), at: start)
        }
    }

    private mutating func negative(_ argument: UInt64, _ start: Int) throws(ScanFailure) {
        if argument <= UInt64(Int64.max) {
            _ = try tape.append(Token(.negative, at: start, payload: ~argument))
        } else {
            _ = try tape.append(Token(.largeNegative, at: start, payload: argument))
        }
    }

    private mutating func simple(_ head: Head, _ start: Int) throws(ScanFailure) {
        switch head.info {
        case 20: _ = try tape.append(Token(.falseValue, at: start))
        case 21: _ = try tape.append(Token(.trueValue, at: start))
        case 22: _ = try tape.append(Token(.null, at: start))
        case 0..<24: _ = try tape.append(Token(.simple, at: start, payload: UInt64(head.info)))
        case 24:
            let value = try take(UInt8.self)
            guard value >= 32 else {
                throw ScanFailure(.invalid("a simple value below 32 takes one byte"), at: start)
            }
            _ = try tape.append(Token(.simple, at: start, payload: UInt64(value)))
        case 25: try double(HalfFloat.double(try take(UInt16.self)), start)
        case 26: try double(Double(Float(bitPattern: try take(UInt32.self))), start)
        case 27: try double(Double(bitPattern: try take(UInt64.self)), start)
        default:
            throw ScanFailure(
                head.isIndefinite
                    ? .invalid("a break stands outside of what it could end")
                    : .invalid("this initial byte is reserved"), at: start)
        }
    }

    private mutating func double(_ value: Double, _ start: Int) throws(ScanFailure) {
        _ = try tape.append(Token(.double, at: start, payload: value.bitPattern))
    }

    // MARK: Texts and bytes

    private mutating func string(
        _ kind: Token.Kind, _ head: Head, _ start: Int
    ) throws(ScanFailure) {
        if head.isIndefinite {
            try pieces(kind, start)
            return
        }
        let range = try piece(kind, head, start)
        _ = try tape.append(Token(kind, at: start, low: range.lowerBound, high: range.count))
    }

    private mutating func piece(
        _ kind: Token.Kind, _ head: Head, _ start: Int
    ) throws(ScanFailure) -> Range<Int> {
        let count = try argument(head, start)
        guard unsafe count <= UInt64(bytes.count - place) else {
            throw ScanFailure(.unexpectedEnd, at: start)
        }
        let range = place..<place + Int(count)
        if kind == .text, unsafe !Text.isUTF8(UnsafeRawBufferPointer(rebasing: bytes[range])) {
            throw ScanFailure(.invalidUTF8, at: start)
        }
        place = range.upperBound
        return range
    }

    /// A string in pieces of definite length, each of the same type, up to a break.
    private mutating func pieces(_ kind: Token.Kind, _ start: Int) throws(ScanFailure) {
        var whole: [UInt8] = []
        while try !skipBreak() {
            let pieceStart = place
            let head = try takeHead()
            guard head.type == (kind == .text ? 3 : 2), !head.isIndefinite else {
                throw ScanFailure(
                    .invalid("a piece of a string must be a string of its type"), at: pieceStart)
            }
            unsafe whole += bytes[try piece(kind, head, pieceStart)]
        }
        try tape.appendAside(kind, at: start, whole)
    }

    // MARK: Arrays, maps, tags

    private mutating func collection(
        _ kind: Token.Kind, _ head: Head, _ start: Int, _ depth: Int
    ) throws(ScanFailure) {
        guard depth < Limits.nestingMax else { throw ScanFailure(.tooDeep, at: start) }
        let perEntry = kind == .map ? 2 : 1
        if head.isIndefinite {
            let opened = try tape.append(Token(kind, at: start))
            var keys = KeySketch()
            var count = 0
            while try !skipBreak() {
                try entry(kind, depth, &keys)
                count &+= 1
            }
            tape.close(opened, count: count, keys)
            return
        }
        let count = try argument(head, start)
        // Each value takes a byte at least: what cannot be there is not waited for.
        guard unsafe count <= UInt64((bytes.count - place) / perEntry) else {
            throw ScanFailure(.unexpectedEnd, at: start)
        }
        let opened = try tape.append(Token(kind, at: start))
        var keys = KeySketch()
        for _ in 0..<Int(count) { try entry(kind, depth, &keys) }
        tape.close(opened, count: Int(count), keys)
    }

    @inline(__always)
    private mutating func entry(
        _ kind: Token.Kind, _ depth: Int, _ keys: inout KeySketch
    ) throws(ScanFailure) {
        if kind == .map {
            let key = tape.count
            try value(depth: depth &+ 1)
            unsafe keys.note(tape.tokens[key], in: bytes)
        }
        try value(depth: depth &+ 1)
    }

    /// A value with its tags, of which there may be as many as values may nest.
    private mutating func tagged(_ head: Head, _ start: Int, _ depth: Int) throws(ScanFailure) {
        _ = try tape.append(Token(.tag, at: start, payload: argument(head, start)))
        var tags = 1
        while unsafe place < bytes.count, unsafe bytes[place] >> 5 == 6 {
            guard tags < Limits.nestingMax else { throw ScanFailure(.tooDeep, at: place) }
            let next = place
            let head = try takeHead()
            _ = try tape.append(Token(.tag, at: next, payload: argument(head, next)))
            tags &+= 1
        }
        try value(depth: depth)
    }

    // MARK: Bytes

    @inline(__always)
    private mutating func takeHead() throws(ScanFailure) -> Head {
        let byte = try take(UInt8.self)
        return Head(type: byte >> 5, info: byte & 0x1F)
    }

    private mutating func skipBreak() throws(ScanFailure) -> Bool {
        guard unsafe place < bytes.count else { throw ScanFailure(.unexpectedEnd, at: place) }
        guard unsafe bytes[place] == CBORScanner.breakByte else { return false }
        place &+= 1
        return true
    }

    @inline(__always)
    private mutating func take<Number: FixedWidthInteger & BitwiseCopyable>(
        _ type: Number.Type
    ) throws(ScanFailure) -> Number {
        let size = MemoryLayout<Number>.size
        guard unsafe size <= bytes.count &- place else {
            throw ScanFailure(.unexpectedEnd, at: place)
        }
        let value = unsafe bytes.big(place, as: type)
        place &+= size
        return value
    }
}
