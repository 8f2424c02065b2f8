/// The values of a map by their keys.
///
/// Most readers ask in the order in which the values stand, so the next key is looked at first;
/// only then are the others. Keys that occur twice are marked when the reader is made.
struct KeyedReader<Key: CodingKey>: KeyedDecodingContainerProtocol {
    private let source: DecodingSource
    private let place: UInt32
    /// The depth in the low byte; above it, where the source keeps what few readers have. A
    /// reference here would cost all of them, since readers are copied for every value that is
    /// read.
    private let bits: UInt32

    init(_ source: DecodingSource, map: Int, depth: Int, frozen: FrozenPath?) {
        self.source = source
        place = UInt32(truncatingIfNeeded: map)
        let index = source.markDuplicateKeys(of: map)
        var rare = 0
        if frozen != nil || index != nil {
            unsafe source.state.pointee.rareParts.append(.init(frozen: frozen, index: index))
            rare = unsafe source.state.pointee.rareParts.count
        }
        bits = UInt32(truncatingIfNeeded: depth | rare << 8)
        unsafe source.state.pointee.hints[depth] = UInt32(truncatingIfNeeded: map + 1)
    }

    private var map: Int { Int(place) }
    private var depth: Int { Int(bits & 0xFF) }
    private var frozen: FrozenPath? {
        unsafe bits > 0xFF ? source.state.pointee.rareParts[Int(bits >> 8) - 1].frozen : nil
    }
    private var index: KeyIndex? {
        unsafe bits > 0xFF ? source.state.pointee.rareParts[Int(bits >> 8) - 1].index : nil
    }

    var codingPath: [any CodingKey] { source.path(depth, frozen) }

    var allKeys: [Key] {
        source.keys(of: map).compactMap { place in
            if let text = source.text(ofKey: place), let key = Key(stringValue: text) { return key }
            return source.number(ofKey: place).flatMap { Key(intValue: $0) }
        }
    }

    func contains(_ key: Key) -> Bool { (find(key.stringValue) ?? findNumber(key)) != nil }

    func decodeNil(forKey key: Key) throws -> Bool { source.isNull(try value(key)) }

    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool {
        let place = try value(key)
        do throws(ValueFailure) { return try source.bool(place) } catch { throw failed(error, key) }
    }
    func decode(_ type: String.Type, forKey key: Key) throws -> String {
        let place = try value(key)
        do throws(ValueFailure) { return try source.string(place) } catch {
            throw failed(error, key)
        }
    }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double {
        let place = try value(key)
        do throws(ValueFailure) { return try source.double(place) } catch {
            throw failed(error, key)
        }
    }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float {
        let place = try value(key)
        do throws(ValueFailure) { return try source.float(place) } catch {
            throw failed(error, key)
        }
    }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try integer(type, key) }
    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try integer(type, key) }
    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try integer(type, key) }
    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try integer(type, key) }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try integer(type, key) }
    func decode(_ type: Int128.Type, forKey key: Key) throws -> Int128 { try integer(type, key) }
    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try integer(type, key) }
    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try integer(type, key) }
    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try integer(type, key) }
    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try integer(type, key) }
    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try integer(type, key) }
    func decode(_ type: UInt128.Type, forKey key: Key) throws -> UInt128 { try integer(type, key) }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        try decode(type, under: keyPlace(key))
    }

    // Looked up once, where the default would do so three times.
    func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
        guard let found = try presentKey(key) else { return nil }
        return try decode(type, under: found)
    }
    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? {
        guard let place = try present(key) else { return nil }
        do throws(ValueFailure) { return try source.string(place) } catch {
            throw failed(error, key)
        }
    }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? {
        guard let place = try present(key) else { return nil }
        do throws(ValueFailure) { return try source.integer(type, place) } catch {
            throw failed(error, key)
        }
    }
    func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? {
        guard let place = try present(key) else { return nil }
        do throws(ValueFailure) { return try source.double(place) } catch {
            throw failed(error, key)
        }
    }
    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? {
        guard let place = try present(key) else { return nil }
        do throws(ValueFailure) { return try source.bool(place) } catch { throw failed(error, key) }
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try nested(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try nested(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder {
        let key = SuperKey()
        guard let found = find(key.stringValue) else {
            // As everywhere: what is missing is null to its superclass.
            let null = source.appendNull()
            return decoder(at: null, .key(null))
        }
        if source.token(found).detail & Token.duplicate != 0 {
            throw ambiguous(key.stringValue, found)
        }
        return decoder(at: source.next(found), .key(found))
    }

    func superDecoder(forKey key: Key) throws -> any Decoder { try nested(key) }

    // MARK: Looking up

    @inline(__always)
    private func integer<Number: FixedWidthInteger>(
        _ type: Number.Type, _ key: Key
    ) throws -> Number {
        let place = try value(key)
        do throws(ValueFailure) { return try source.integer(type, place) } catch {
            throw failed(error, key)
        }
    }

    private func decode<T: Decodable>(_ type: T.Type, under found: Int) throws -> T {
        source.enter(.key(found), depth: depth, frozen: frozen)
        return try source.decode(type, at: source.next(found), depth: depth + 1, frozen: nil)
    }

    /// The value under the key, which must be there once.
    @inline(__always)
    private func value(_ key: Key) throws -> Int { source.next(try keyPlace(key)) }

    /// Where the key stands, which must be there once.
    @inline(__always)
    private func keyPlace(_ key: Key) throws -> Int {
        let text = key.stringValue
        guard let found = find(text) ?? findNumber(key) else { throw missing(key) }
        if source.token(found).detail & Token.duplicate != 0 { throw ambiguous(text, found) }
        return found
    }

    /// The value under the key, unless there is none or it is null.
    private func present(_ key: Key) throws -> Int? { try presentKey(key).map(source.next) }

    private func presentKey(_ key: Key) throws -> Int? {
        let text = key.stringValue
        guard let found = find(text) ?? findNumber(key) else { return nil }
        if source.token(found).detail & Token.duplicate != 0 { throw ambiguous(text, found) }
        return source.isNull(source.next(found)) ? nil : found
    }

    @inline(__always)
    private func find(_ text: String) -> Int? { source.find(text, in: map, depth: depth, index) }

    /// Binary formats know keys that are numbers.
    private func findNumber(_ key: Key) -> Int? {
        key.intValue.flatMap { source.find(number: $0, in: map, index) }
    }

    private func ambiguous(_ text: String, _ found: Int) -> DecodingError {
        source.error(
            ValueFailure("the key `\(text)` occurs more than once", at: found), codingPath)
    }

    private func failed(_ failure: ValueFailure, _ key: Key) -> DecodingError {
        source.error(failure, codingPath + [key])
    }

    private func missing(_ key: some CodingKey) -> DecodingError {
        unsafe source.state.pointee.place = map
        return .keyNotFound(
            key,
            .init(
                codingPath: codingPath,
                debugDescription: "there is no value for the key `\(key.stringValue)`"))
    }

    private func nested(_ key: Key) throws -> ValueDecoder {
        let found = try keyPlace(key)
        return decoder(at: source.next(found), .key(found))
    }

    private func decoder(at place: Int, _ step: PathStep) -> ValueDecoder {
        ValueDecoder(
            source, at: place, depth: depth + 1, frozen: source.freeze(step, depth, frozen))
    }
}
