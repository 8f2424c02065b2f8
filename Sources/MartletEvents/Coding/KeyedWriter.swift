/// Writes the values of a map under their keys, in the order of the calls.
struct KeyedWriter<Key: CodingKey>: KeyedEncodingContainerProtocol {
    private let sink: EncodingSink
    private let depth: Int

    init(_ sink: EncodingSink, _ depth: Int) {
        self.sink = sink
        self.depth = depth
    }

    var codingPath: [any CodingKey] { sink.path(depth) }

    func encodeNil(forKey key: Key) throws {
        try sink.key(key, depth)
        try sink.writer.writeNull()
    }
    func encode(_ value: Bool, forKey key: Key) throws {
        try sink.key(key, depth)
        try sink.writer.writeBool(value)
    }
    func encode(_ value: String, forKey key: Key) throws {
        try sink.key(key, depth)
        try sink.writer.write(value)
    }
    func encode(_ value: Double, forKey key: Key) throws {
        let mark = sink.mark(depth)
        try sink.key(key, depth)
        try sink.encode(under: key, depth, mark) { (writer) throws(MartletError) in
            try writer.writeDouble(value)
        }
    }
    func encode(_ value: Float, forKey key: Key) throws {
        let mark = sink.mark(depth)
        try sink.key(key, depth)
        try sink.encode(under: key, depth, mark) { (writer) throws(MartletError) in
            try writer.writeFloat(value)
        }
    }
    func encode(_ value: Int, forKey key: Key) throws { try integer(value, key) }
    func encode(_ value: Int8, forKey key: Key) throws { try integer(value, key) }
    func encode(_ value: Int16, forKey key: Key) throws { try integer(value, key) }
    func encode(_ value: Int32, forKey key: Key) throws { try integer(value, key) }
    func encode(_ value: Int64, forKey key: Key) throws { try integer(value, key) }
    func encode(_ value: Int128, forKey key: Key) throws { try integer(value, key) }
    func encode(_ value: UInt, forKey key: Key) throws { try integer(value, key) }
    func encode(_ value: UInt8, forKey key: Key) throws { try integer(value, key) }
    func encode(_ value: UInt16, forKey key: Key) throws { try integer(value, key) }
    func encode(_ value: UInt32, forKey key: Key) throws { try integer(value, key) }
    func encode(_ value: UInt64, forKey key: Key) throws { try integer(value, key) }
    func encode(_ value: UInt128, forKey key: Key) throws { try integer(value, key) }

    func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
        let mark = sink.mark(depth)
        try sink.key(key, depth)
        try sink.encode(value, under: key, depth, mark)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        part(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        part(key).unkeyedContainer()
    }

    func superEncoder() -> any Encoder { part(SuperKey()) }
    func superEncoder(forKey key: Key) -> any Encoder { part(key) }

    @inline(__always)
    private func integer(_ value: some FixedWidthInteger, _ key: Key) throws {
        try sink.key(key, depth)
        try sink.writer.write(value)
    }

    private func part(_ key: some CodingKey) -> ValueEncoder {
        do throws(MartletError) {
            try sink.key(key, depth)
            return ValueEncoder(sink.fragment(under: key, depth), 0)
        } catch {
            return ValueEncoder(sink.refused(error, depth), 0)
        }
    }
}
