/// The values of a map by their keys.
///
/// Most readers ask in the order in which the values stand, so the next key is looked at first; only
/// then are the others. Keys that occur twice are marked when the reader is made.
struct KeyedReader<Key: CodingKey>: KeyedDecodingContainerProtocol {
    private let source: DecodingSource
    private let map: Int
    private let depth: Int
    private let frozen: FrozenPath?
    /// The keys in alphabetical order, of maps that are too large to look through.
    private let index: KeyIndex?

    init(_ source: DecodingSource, map: Int, depth: Int, frozen: FrozenPath?) {
        self.source = source
        self.map = map
        self.depth = depth
        self.frozen = frozen
        index = source.markDuplicateKeys(of: map)
        unsafe source.state.pointee.hints[depth] = map + 1
    }

    var codingPath: [any CodingKey] { frozen?.keys ?? source.path(depth) }

    var allKeys: [Key] {
        source.keys(of: map).compactMap { place in
            if let text = source.text(ofKey: place), let key = Key(stringValue: text) { return key }
            return source.number(ofKey: place).flatMap { Key(intValue: $0) }
        }
    }

    func contains(_ key: Key) -> Bool { find(key) != nil }

    func decodeNil(forKey key: Key) throws -> Bool { source.isNull(try value(key)) }

    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool {
        try source.bool(value(key)) { codingPath + [key] }
    }
    func decode(_ type: String.Type, forKey key: Key) throws -> String {
        try source.string(value(key)) { codingPath + [key] }
    }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double {
        try source.double(value(key)) { codingPath + [key] }
    }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float {
        try source.float(value(key)) { codingPath + [key] }
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
        try decode(type, at: value(key), key)
    }

    // Looked up once, where the default would do so three times.
    func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
        guard let place = try present(key) else { return nil }
        return try decode(type, at: place, key)
    }
    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? {
        guard let place = try present(key) else { return nil }
        return try source.string(place) { codingPath + [key] }
    }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? {
        guard let place = try present(key) else { return nil }
        return try source.integer(type, place) { codingPath + [key] }
    }
    func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? {
        guard let place = try present(key) else { return nil }
        return try source.double(place) { codingPath + [key] }
    }
    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? {
        guard let place = try present(key) else { return nil }
        return try source.bool(place) { codingPath + [key] }
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
        guard let place = try findOnce(key) else { throw missing(key) }
        return decoder(at: place, key)
    }

    func superDecoder(forKey key: Key) throws -> any Decoder { try nested(key) }

    // MARK: Looking up

    @inline(__always)
    private func integer<Number: FixedWidthInteger>(
        _ type: Number.Type, _ key: Key
    ) throws -> Number {
        try source.integer(type, value(key)) { codingPath + [key] }
    }

    private func decode<T: Decodable>(_ type: T.Type, at place: Int, _ key: Key) throws -> T {
        source.enter(key, depth: depth, frozen: frozen)
        return try source.decode(type, at: place, depth: depth + 1, frozen: nil)
    }

    /// The value under the key, which must be there once.
    @inline(__always)
    private func value(_ key: Key) throws -> Int {
        guard let place = try findOnce(key) else { throw missing(key) }
        return place
    }

    /// The value under the key, unless there is none or it is null.
    private func present(_ key: Key) throws -> Int? {
        guard let place = try findOnce(key), !source.isNull(place) else { return nil }
        return place
    }

    private func findOnce(_ key: some CodingKey) throws -> Int? {
        guard let found = source.find(key.stringValue, in: map, depth: depth, index) else {
            return nil
        }
        guard source.token(found).detail & Token.duplicate == 0 else {
            throw source.corrupted(
                "the key `\(key.stringValue)` occurs more than once", at: found, codingPath)
        }
        return source.next(found)
    }

    private func find(_ key: Key) -> Int? {
        source.find(key.stringValue, in: map, depth: depth, index)
    }

    private func missing(_ key: some CodingKey) -> DecodingError {
        unsafe source.state.pointee.place = map
        return .keyNotFound(
            key,
            .init(
                codingPath: codingPath,
                debugDescription: "there is no value for the key `\(key.stringValue)`"))
    }

    private func nested(_ key: Key) throws -> ValueDecoder { decoder(at: try value(key), key) }

    private func decoder(at place: Int, _ key: some CodingKey) -> ValueDecoder {
        ValueDecoder(
            source, at: place, depth: depth + 1, frozen: FrozenPath(codingPath + [key]))
    }
}
