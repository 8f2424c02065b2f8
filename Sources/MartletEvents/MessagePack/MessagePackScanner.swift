/// Reads MessagePack into a tape: all formats, in any of their lengths.
@safe
struct MessagePackScanner: ~Copyable {
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
        var scanner = unsafe MessagePackScanner(bytes)
        try scanner.value(depth: 0)
        guard scanner.place == bytes.count else {
            throw ScanFailure(.trailingBytes, at: scanner.place)
        }
        return scanner.takeTape()
    }

    private consuming func takeTape() -> ValueTape { tape }

    private mutating func value(depth: Int) throws(ScanFailure) {
        let start = place
        let head = try take(UInt8.self)
        switch head {
        case 0x00...0x7F: try unsigned(UInt64(head), start)
        case 0xE0...0xFF: try signed(Int64(Int8(bitPattern: head)), start)
        case 0x80...0x8F: try collection(.map, Int(head & 0x0F), start, depth)
        case 0x90...0x9F: try collection(.array, Int(head & 0x0F), start, depth)
        case 0xA0...0xBF: try text(Int(head & 0x1F), start)
        case 0xC0: _ = try tape.append(Token(.null, at: start))
        case 0xC2: _ = try tape.append(Token(.falseValue, at: start))
        case 0xC3: _ = try tape.append(Token(.trueValue, at: start))
        case 0xC4: try binary(Int(take(UInt8.self)), start)
        case 0xC5: try binary(Int(take(UInt16.self)), start)
        case 0xC6: try binary(Int(take(UInt32.self)), start)
        case 0xC7: try typed(Int(take(UInt8.self)), start)
        case 0xC8: try typed(Int(take(UInt16.self)), start)
        case 0xC9: try typed(Int(take(UInt32.self)), start)
        case 0xCA: try double(Double(Float(bitPattern: take(UInt32.self))), start)
        case 0xCB: try double(Double(bitPattern: take(UInt64.self)), start)
        case 0xCC: try unsigned(UInt64(take(UInt8.self)), start)
        case 0xCD: try unsigned(UInt64(take(UInt16.self)), start)
        case 0xCE: try unsigned(UInt64(take(UInt32.self)), start)
        case 0xCF: try unsigned(take(UInt64.self), start)
        case 0xD0: try signed(Int64(take(Int8.self)), start)
        case 0xD1: try signed(Int64(take(Int16.self)), start)
        case 0xD2: try signed(Int64(take(Int32.self)), start)
        case 0xD3: try signed(take(Int64.self), start)
        case 0xD4...0xD8: try typed(1 << Int(head - 0xD4), start)
        case 0xD9: try text(Int(take(UInt8.self)), start)
        case 0xDA: try text(Int(take(UInt16.self)), start)
        case 0xDB: try text(Int(take(UInt32.self)), start)
        case 0xDC: try collection(.array, Int(take(UInt16.self)), start, depth)
        case 0xDD: try collection(.array, Int(take(UInt32.self)), start, depth)
        case 0xDE: try collection(.map, Int(take(UInt16.self)), start, depth)
        case 0xDF: try collection(.map, Int(take(UInt32.self)), start, depth)
        default: throw ScanFailure(.invalid("the byte 0xC1 begins no value"), at: start)
        }
    }

    // MARK: Values

    @inline(__always)
    private mutating func unsigned(_ value: UInt64, _ start: Int) throws(ScanFailure) {
        _ = try tape.append(Token(.unsigned, at: start, payload: value))
    }

    private mutating func signed(_ value: Int64, _ start: Int) throws(ScanFailure) {
        _ = try tape.append(
            Token(
                value < 0 ? .negative : .unsigned, at: start, payload: UInt64(bitPattern: value)))
    }

    private mutating func double(_ value: Double, _ start: Int) throws(ScanFailure) {
        _ = try tape.append(Token(.double, at: start, payload: value.bitPattern))
    }

    private mutating func text(_ count: Int, _ start: Int) throws(ScanFailure) {
        let range = try skip(count)
        guard unsafe Text.isUTF8(UnsafeRawBufferPointer(rebasing: bytes[range])) else {
            throw ScanFailure(.invalidUTF8, at: start)
        }
        _ = try tape.append(Token(.text, at: start, low: range.lowerBound, high: count))
    }

    private mutating func binary(_ count: Int, _ start: Int) throws(ScanFailure) {
        let range = try skip(count)
        _ = try tape.append(Token(.bytes, at: start, low: range.lowerBound, high: count))
    }

    private mutating func typed(_ count: Int, _ start: Int) throws(ScanFailure) {
        let type = try take(UInt8.self)
        let range = try skip(count)
        _ = try tape.append(
            Token(.typed, at: start, detail: type, low: range.lowerBound, high: count))
    }

    private mutating func collection(
        _ kind: Token.Kind, _ count: Int, _ start: Int, _ depth: Int
    ) throws(ScanFailure) {
        guard depth < Limits.nestingMax else { throw ScanFailure(.tooDeep, at: start) }
        // Each value takes a byte at least: what cannot be there is not waited for.
        let values = kind == .map ? count * 2 : count
        guard unsafe values <= bytes.count - place else {
            throw ScanFailure(.unexpectedEnd, at: start)
        }
        let opened = try tape.append(Token(kind, at: start))
        var keys = KeySketch()
        for _ in 0..<count {
            if kind == .map {
                let key = tape.count
                try value(depth: depth &+ 1)
                unsafe keys.note(tape.tokens[key], in: bytes)
            }
            try value(depth: depth &+ 1)
        }
        tape.close(opened, count: count, keys)
    }

    // MARK: Bytes

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

    @inline(__always)
    private mutating func skip(_ count: Int) throws(ScanFailure) -> Range<Int> {
        guard unsafe count <= bytes.count &- place else {
            throw ScanFailure(.unexpectedEnd, at: place)
        }
        let start = place
        place &+= count
        return start..<place
    }
}
