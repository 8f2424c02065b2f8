import FoundationEssentials

/// A value of the tape as a `Decoder`: three words, so that passing it on allocates nothing.
struct ValueDecoder: Decoder {
    let source: DecodingSource
    private let bits: UInt64
    /// The path of a value whose reader may come back to it after others; see `FrozenPath`.
    let frozen: FrozenPath?

    @inline(__always)
    init(_ source: DecodingSource, at place: Int, depth: Int, frozen: FrozenPath? = nil) {
        self.source = source
        bits = UInt64(truncatingIfNeeded: place) | UInt64(truncatingIfNeeded: depth) << 32
        self.frozen = frozen
    }

    var place: Int { Int(truncatingIfNeeded: bits & 0xFFFF_FFFF) }
    /// How many keys lead here.
    var depth: Int { Int(truncatingIfNeeded: bits >> 32) }

    var codingPath: [any CodingKey] { source.path(depth, frozen) }
    var userInfo: [CodingUserInfoKey: Any] { source.options.userInfo }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        let map = source.untagged(place)
        guard source.token(map).kind == .map else {
            throw source.error(ValueFailure([String: Any].self, at: place), codingPath)
        }
        return KeyedDecodingContainer(
            KeyedReader<Key>(source, map: map, depth: depth, frozen: frozen))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let array = source.untagged(place)
        guard source.token(array).kind == .array else {
            throw source.error(ValueFailure([Any].self, at: place), codingPath)
        }
        return ElementReader(source, array: array, depth: depth, frozen: frozen)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { self }
}

extension ValueDecoder: SingleValueDecodingContainer {
    func decodeNil() -> Bool { source.isNull(place) }
    func decode(_ type: Bool.Type) throws -> Bool {
        do throws(ValueFailure) { return try source.bool(place) } catch { throw failed(error) }
    }
    func decode(_ type: String.Type) throws -> String {
        do throws(ValueFailure) { return try source.string(place) } catch { throw failed(error) }
    }
    func decode(_ type: Double.Type) throws -> Double {
        do throws(ValueFailure) { return try source.double(place) } catch { throw failed(error) }
    }
    func decode(_ type: Float.Type) throws -> Float {
        do throws(ValueFailure) { return try source.float(place) } catch { throw failed(error) }
    }
    func decode(_ type: Int.Type) throws -> Int { try integer(type) }
    func decode(_ type: Int8.Type) throws -> Int8 { try integer(type) }
    func decode(_ type: Int16.Type) throws -> Int16 { try integer(type) }
    func decode(_ type: Int32.Type) throws -> Int32 { try integer(type) }
    func decode(_ type: Int64.Type) throws -> Int64 { try integer(type) }
    func decode(_ type: Int128.Type) throws -> Int128 { try integer(type) }
    func decode(_ type: UInt.Type) throws -> UInt { try integer(type) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try integer(type) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try integer(type) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try integer(type) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try integer(type) }
    func decode(_ type: UInt128.Type) throws -> UInt128 { try integer(type) }

    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        try source.decode(type, at: place, depth: depth, frozen: frozen)
    }

    @inline(__always)
    private func integer<Number: FixedWidthInteger>(_ type: Number.Type) throws -> Number {
        do throws(ValueFailure) { return try source.integer(type, place) } catch {
            throw failed(error)
        }
    }

    private func failed(_ failure: ValueFailure) -> DecodingError {
        source.error(failure, codingPath)
    }
}

extension DecodingSource {
    /// Decodes any type: those with a form of their own here, all others as they say themselves.
    func decode<T: Decodable>(
        _ type: T.Type, at place: Int, depth: Int, frozen: FrozenPath?
    ) throws -> T {
        unsafe state.pointee.place = place
        do throws(ValueFailure) {
            // Sound: in each case T is the type of the value.
            if type == String.self { return unsafe unsafeBitCast(try string(place), to: type) }
            if type == Int.self {
                return unsafe unsafeBitCast(try integer(Int.self, place), to: type)
            }
            if type == Double.self { return unsafe unsafeBitCast(try double(place), to: type) }
            if type == Date.self { return unsafe unsafeBitCast(try date(place), to: type) }
            if type == Data.self { return unsafe unsafeBitCast(try data(place), to: type) }
            if type == URL.self { return unsafe unsafeBitCast(try url(place), to: type) }
            if type == Decimal.self { return unsafe unsafeBitCast(try decimal(place), to: type) }
            if type == Bytes.self { return unsafe unsafeBitCast(try bytes(place), to: type) }
            if type == MessagePackExtension.self {
                return unsafe unsafeBitCast(try messagePackExtension(place), to: type)
            }
        } catch {
            throw self.error(error, path(depth, frozen))
        }
        return try T(from: ValueDecoder(self, at: place, depth: depth, frozen: frozen))
    }
}
