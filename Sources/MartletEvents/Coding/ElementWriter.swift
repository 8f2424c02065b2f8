/// Writes the values of an array, one after the other.
struct ElementWriter: UnkeyedEncodingContainer {
    private let sink: EncodingSink
    private let depth: Int

    init(_ sink: EncodingSink, _ depth: Int) {
        self.sink = sink
        self.depth = depth
    }

    var codingPath: [any CodingKey] { sink.path(depth) }
    var count: Int { unsafe Int(sink.state.pointee.open[depth].count) }

    func encodeNil() throws {
        _ = try sink.element(depth)
        try sink.writer.writeNull()
    }
    func encode(_ value: Bool) throws {
        _ = try sink.element(depth)
        try sink.writer.writeBool(value)
    }
    func encode(_ value: String) throws {
        _ = try sink.element(depth)
        try sink.writer.write(value)
    }
    func encode(_ value: Double) throws {
        let mark = sink.mark(depth)
        let index = try sink.element(depth)
        try sink.encode(under: IndexKey(index), depth, mark) { (writer) throws(MartletError) in
            try writer.writeDouble(value)
        }
    }
    func encode(_ value: Float) throws {
        let mark = sink.mark(depth)
        let index = try sink.element(depth)
        try sink.encode(under: IndexKey(index), depth, mark) { (writer) throws(MartletError) in
            try writer.writeFloat(value)
        }
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
        let mark = sink.mark(depth)
        let index = try sink.element(depth)
        try sink.encode(value, under: IndexKey(index), depth, mark)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) -> KeyedEncodingContainer<Nested> {
        part().container(keyedBy: type)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { part().unkeyedContainer() }

    func superEncoder() -> any Encoder { part() }

    @inline(__always)
    private func integer(_ value: some FixedWidthInteger) throws {
        _ = try sink.element(depth)
        try sink.writer.write(value)
    }

    private func part() -> ValueEncoder {
        do throws(MartletError) {
            let index = try sink.element(depth)
            return ValueEncoder(sink.fragment(under: IndexKey(index), depth), 0)
        } catch {
            return ValueEncoder(sink.refused(error, depth), 0)
        }
    }
}
