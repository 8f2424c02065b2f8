/// A way to write values as bytes, known by its content type.
///
/// A codec keeps nothing between calls and may be used by any number of tasks at once.
public protocol Codec: Sendable {
    /// What the bytes that it writes are.
    var contentType: ContentType { get }

    /// The most bytes that it writes into memory of its own: 1 MiB, unless it says otherwise.
    var byteCountMax: Int { get }

    /// Appends the value. On a failure it throws `notEncodable` with a `CodingFailure` as its
    /// cause, or `messageTooLarge`, and the buffer is as it was.
    func encode<Value: Encodable>(
        _ value: Value, into buffer: inout EncodingBuffer
    ) throws(MartletError)

    /// Reads the value that all of the bytes together are. On a failure it throws `notDecodable`
    /// with a `CodingFailure` as its cause.
    func decode<Value: Decodable>(
        _ type: Value.Type, from bytes: RawSpan
    ) throws(MartletError) -> Value

    /// Appends a value of a type that writes itself, which is several times faster.
    func encode(
        directly value: some DirectlyCodable, into buffer: inout EncodingBuffer
    ) throws(MartletError)

    /// Reads a value of a type that reads itself.
    func decode<Value: DirectlyCodable>(
        directly type: Value.Type, from bytes: RawSpan
    ) throws(MartletError) -> Value
}

extension Codec {
    /// As large as an event may be.
    public var byteCountMax: Int { Limits.encodedBytesMax }

    /// The value as bytes of its own.
    public func encode<Value: Encodable>(_ value: Value) throws(MartletError) -> Bytes {
        var buffer = EncodingBuffer(byteCountMax: byteCountMax)
        try encode(value, into: &buffer)
        return buffer.takeBytes()
    }

    /// The value as bytes of its own.
    public func encode(directly value: some DirectlyCodable) throws(MartletError) -> Bytes {
        var buffer = EncodingBuffer(byteCountMax: byteCountMax)
        try encode(directly: value, into: &buffer)
        return buffer.takeBytes()
    }

    /// Reads the value that all of the bytes together are.
    public func decode<Value: Decodable>(
        _ type: Value.Type, from bytes: Bytes
    ) throws(MartletError) -> Value {
        try bytes.withBytes { (span) throws(MartletError) in try decode(type, from: span) }
    }

    /// Reads a value of a type that reads itself.
    public func decode<Value: DirectlyCodable>(
        directly type: Value.Type, from bytes: Bytes
    ) throws(MartletError) -> Value {
        try bytes.withBytes { (span) throws(MartletError) in try decode(directly: type, from: span)
        }
    }
}

/// A codec whose bytes are values within values: JSON, MessagePack, CBOR.
protocol StructuredCodec: Codec {
    var options: CodingOptions { get }

    /// The tape of the one value that the bytes hold. The bytes must outlive it.
    func scan(_ bytes: UnsafeRawBufferPointer) throws(ScanFailure) -> ValueTape
    /// What is done with the bytes of a whole value, which begin at this place.
    func finish(_ memory: inout EncodingMemory, from place: Int) throws(MartletError)
}

extension StructuredCodec {
    /// What it was told when it was made.
    public var byteCountMax: Int { options.byteCountMax }

    func finish(_ memory: inout EncodingMemory, from place: Int) throws(MartletError) {}

    /// Appends the value.
    public func encode<Value: Encodable>(
        _ value: Value, into buffer: inout EncodingBuffer
    ) throws(MartletError) {
        let sink = EncodingSink(options.makeWriter(0), options)
        try write(into: &buffer, sink.writer) {
            defer { sink.end() }
            if try !sink.encodeKnown(value) { try sink.encodeNested(value, 0) }
            try sink.finish()
        } path: {
            unsafe sink.state.pointee.path.keys(.max)
        }
    }

    /// Appends a value of a type that writes itself.
    public func encode(
        directly value: some DirectlyCodable, into buffer: inout EncodingBuffer
    ) throws(MartletError) {
        let writer = options.makeWriter(0)
        try write(into: &buffer, writer) {
            try value.write(to: writer)
        } path: {
            []
        }
    }

    private func write(
        into buffer: inout EncodingBuffer, _ writer: ValueWriter, _ body: () throws -> Void,
        path: () -> [any CodingKey]
    ) throws(MartletError) {
        let place = unsafe buffer.storage.pointee.count
        do {
            try writer.write(into: &buffer) {
                try body()
                guard unsafe writer.memory.pointee.count > place else {
                    throw MartletError(
                        .notEncodable, "A type wrote nothing. Mend its `write(to:)`.")
                }
                unsafe try finish(&writer.memory.pointee, from: place)
            }
        } catch { throw writingError(error, path()) }
    }

    /// Reads the value that all of the bytes together are.
    public func decode<Value: Decodable>(
        _ type: Value.Type, from bytes: RawSpan
    ) throws(MartletError) -> Value {
        try withSource(bytes) { source in
            try source.decode(type, at: 0, depth: 0, frozen: nil)
        }
    }

    /// Reads a value of a type that reads itself.
    public func decode<Value: DirectlyCodable>(
        directly type: Value.Type, from bytes: RawSpan
    ) throws(MartletError) -> Value {
        try withSource(bytes, isDirect: true) { source in try Value(from: ValueReader(source)) }
    }

    @inline(__always)
    private func withSource<Value>(
        _ bytes: RawSpan, isDirect: Bool = false, _ body: (DecodingSource) throws -> Value
    ) throws(MartletError) -> Value {
        unsafe try bytes.withUnsafeBytes { (bytes) throws(MartletError) in
            let source: DecodingSource
            do throws(ScanFailure) {
                guard bytes.count <= options.byteCountMax else {
                    throw ScanFailure(.tooLarge, at: options.byteCountMax)
                }
                source = unsafe DecodingSource(try scan(bytes), bytes, options)
            } catch {
                throw CodingFailure(path: "", byteOffset: error.offset, reason: error.description)
                    .asError(reading: contentType)
            }
            defer { source.end() }
            do { return try body(source) } catch {
                let offset = Int(source.token(source.lastPlace).offset)
                throw unsafe CodingFailure.reading(
                    error, path: isDirect ? source.state.pointee.fields : source.currentPath,
                    isDirect: isDirect,
                    offset: offset
                ).asError(reading: contentType)
            }
        }
    }

    /// Errors of the codec itself stay what they are, with the path as their cause.
    private func writingError(_ error: any Error, _ path: [any CodingKey]) -> MartletError {
        let failure = CodingFailure.writing(error, path: path)
        if let known = error as? MartletError {
            return MartletError(known.code, known.message, cause: failure)
        }
        return failure.asError(writing: contentType)
    }
}
