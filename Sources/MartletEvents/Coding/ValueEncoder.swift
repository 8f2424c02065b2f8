/// The value at a depth as an `Encoder`: two words, so that passing it on allocates nothing.
struct ValueEncoder: Encoder {
    let sink: EncodingSink
    let depth: Int

    @inline(__always)
    init(_ sink: EncodingSink, _ depth: Int) {
        self.sink = sink
        self.depth = depth
    }

    var codingPath: [any CodingKey] { sink.path(depth) }
    var userInfo: [CodingUserInfoKey: Any] { sink.options.userInfo }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        do throws(MartletError) {
            try sink.open(.map, depth)
            return KeyedEncodingContainer(KeyedWriter<Key>(sink, depth))
        } catch {
            return ValueEncoder(sink.refused(error, depth), 0).container(keyedBy: type)
        }
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        do throws(MartletError) {
            try sink.open(.array, depth)
            return ElementWriter(sink, depth)
        } catch {
            return ValueEncoder(sink.refused(error, depth), 0).unkeyedContainer()
        }
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { self }
}

extension ValueEncoder: SingleValueEncodingContainer {
    func encodeNil() throws {
        try scalar { (writer) throws(MartletError) in try writer.writeNull() }
    }
    func encode(_ value: Bool) throws {
        try scalar { (writer) throws(MartletError) in try writer.writeBool(value) }
    }
    func encode(_ value: String) throws {
        try scalar { (writer) throws(MartletError) in try writer.write(value) }
    }
    func encode(_ value: Double) throws {
        try scalar { (writer) throws(MartletError) in try writer.writeDouble(value) }
    }
    func encode(_ value: Float) throws {
        try scalar { (writer) throws(MartletError) in try writer.writeFloat(value) }
    }
    func encode(_ value: Int) throws { try integer(value) }
    func encode(_ value: Int8) throws { try integer(value) }
    func encode(_ value: Int16) throws { try integer(value) }
    func encode(_ value: Int32) throws { try integer(value) }
    func encode(_ value: Int64) throws { try integer(value) }
    func encode(_ value: Int128) throws { try integer(value) }
    func encode(_ value: UInt) throws { try integer(value) }
    func encode(_ value: UInt8) throws { try integer(value) }
    func encode(_ value: UInt16) throws { try integer(value) }
    func encode(_ value: UInt32) throws { try integer(value) }
    func encode(_ value: UInt64) throws { try integer(value) }
    func encode(_ value: UInt128) throws { try integer(value) }

    func encode<T: Encodable>(_ value: T) throws {
        if EncodingSink.isKnown(T.self) {
            try sink.single(depth) { _ = try sink.encodeKnown(value) }
        } else {
            // Whatever it asks this encoder for is the one value.
            try value.encode(to: self)
        }
    }

    @inline(__always)
    private func scalar(_ write: (ValueWriter) throws(MartletError) -> Void) throws {
        try sink.single(depth) { try write(sink.writer) }
    }

    private func integer(_ value: some FixedWidthInteger) throws {
        try scalar { (writer) throws(MartletError) in try writer.write(value) }
    }
}
