/// Writes values one after the other in the format of a codec. `DirectlyCodable` types are given
/// one.
///
/// A writer that is kept for longer than the call writes nowhere.
@safe
public class ValueWriter {
    /// The writer's own. What a caller's buffer holds is moved here for the time of writing.
    let memory: UnsafeMutablePointer<EncodingMemory>
    /// How many arrays and maps are open.
    var depth = 0
    /// The entries of the innermost open array or map so far.
    var entries = 0

    /// A writer into memory of its own, of this size at most. Nothing, until it is lent a buffer.
    init(byteCountMax: Int = 0) {
        unsafe memory = .allocate(capacity: 1)
        unsafe memory.initialize(to: EncodingMemory(byteCountMax: byteCountMax))
    }

    deinit {
        unsafe memory.pointee.release()
        unsafe memory.deinitialize(count: 1)
        unsafe memory.deallocate()
    }

    /// Lends the buffer's memory to the writer while `body` writes. After a failure the buffer is
    /// as it was.
    final func write(
        into buffer: inout EncodingBuffer, _ body: () throws -> Void
    ) throws {
        let start = buffer.count
        unsafe buffer.storage.pointee.failure = nil
        unsafe exchange(buffer.storage)
        do {
            defer { unsafe exchange(buffer.storage) }
            try body()
            unsafe try memory.pointee.check()
        } catch {
            buffer.truncate(to: start)
            throw error
        }
    }

    /// Exchanges the writer's memory for a buffer's: once to begin, and once more to end.
    private final func exchange(_ other: UnsafeMutablePointer<EncodingMemory>) {
        unsafe swap(&memory.pointee, &other.pointee)
    }

    // MARK: What formats differ in

    func writeNull() throws(MartletError) { preconditionFailure("a format must say") }
    func writeBool(_ value: Bool) throws(MartletError) { preconditionFailure("a format must say") }
    func writeUnsigned(_ value: UInt64) throws(MartletError) {
        preconditionFailure("a format must say")
    }
    func writeSigned(_ value: Int64) throws(MartletError) {
        preconditionFailure("a format must say")
    }
    func writeDouble(_ value: Double) throws(MartletError) {
        preconditionFailure("a format must say")
    }
    func writeFloat(_ value: Float) throws(MartletError) {
        preconditionFailure("a format must say")
    }
    @unsafe
    func writeText(_ utf8: UnsafeRawBufferPointer) throws(MartletError) {
        preconditionFailure("a format must say")
    }
    @unsafe
    func writeBytes(_ bytes: UnsafeRawBufferPointer) throws(MartletError) {
        preconditionFailure("a format must say")
    }
    /// The moment in the format's own form.
    func writeTimestamp(_ moment: Timestamp) throws(MartletError) {
        preconditionFailure("a format must say")
    }
    func writeDecimal(_ text: String) throws(MartletError) { try write(text) }
    /// A whole number beyond 64 bits.
    func writeWide(_ value: some FixedWidthInteger) throws(MartletError) {
        throw unsafe memory.pointee.fail(
            MartletError(
                .notEncodable,
                "The format has no whole numbers beyond 64 bits. Send a text, or use JSON or CBOR.")
        )
    }
    func writeURL(_ text: String) throws(MartletError) { try write(text) }
    func writeExtension(_ value: MessagePackExtension) throws(MartletError) {
        throw MartletError(
            .notEncodable, "Only MessagePack can carry an extension value. Send it with that codec."
        )
    }
    /// The name of the next value of a map.
    @unsafe
    func writeKey(_ utf8: UnsafeRawBufferPointer, isFirst: Bool) throws(MartletError) {
        preconditionFailure("a format must say")
    }
    /// What stands between the values of an array.
    func separate(isFirst: Bool) throws(MartletError) {}
    /// Opens an array or a map, of which it is not known yet how many entries it will have.
    func open(isMap: Bool) throws(MartletError) { preconditionFailure("a format must say") }
    /// Closes the one that was opened at this place, and returns how many bytes it inserted there.
    func close(isMap: Bool, at place: Int, count: Int) throws(MartletError) -> Int {
        preconditionFailure("a format must say")
    }
}

// MARK: - Direct coding

extension ValueWriter {
    /// Writes a map: `body` writes its fields.
    @inline(__always)
    public final func map(_ body: () throws -> Void) throws { try nest(isMap: true, body) }

    /// Writes an array: `body` writes its elements, each by `element`.
    @inline(__always)
    public final func array(_ body: () throws -> Void) throws { try nest(isMap: false, body) }

    /// Writes an array of these.
    public final func array<Element: DirectlyCodable>(_ elements: [Element]) throws {
        try array { for element in elements { try self.element { try element.write(to: self) } } }
    }

    /// Writes an element of an array: `body` writes its one value.
    @inline(__always)
    public final func element(_ body: () throws -> Void) throws {
        try separate(isFirst: entries == 0)
        entries &+= 1
        try value(body)
    }

    /// Writes a field of a map: `body` writes its one value.
    @inline(__always)
    public final func field(_ name: StaticString, _ body: () throws -> Void) throws {
        try key(name)
        try value(body)
    }

    /// Writes a field that is a text.
    public final func field(_ name: StaticString, _ value: String) throws {
        try key(name)
        try write(value)
    }

    /// Writes a field that is a whole number.
    public final func field(_ name: StaticString, _ value: some FixedWidthInteger) throws {
        try key(name)
        try write(value)
    }

    /// Writes a field that is a number.
    public final func field(_ name: StaticString, _ value: Double) throws {
        try key(name)
        try write(value)
    }

    /// Writes a field that is true or false.
    public final func field(_ name: StaticString, _ value: Bool) throws {
        try key(name)
        try writeBool(value)
    }

    /// Writes a field that is bytes.
    public final func field(_ name: StaticString, _ value: Bytes) throws {
        try key(name)
        try write(value)
    }

    /// Writes a field that is a moment.
    public final func field(_ name: StaticString, _ value: Timestamp) throws {
        try key(name)
        try write(value)
    }

    /// Writes a field that is a value of a type that writes itself.
    public final func field(_ name: StaticString, _ value: some DirectlyCodable) throws {
        try field(name) { try value.write(to: self) }
    }

    /// Writes a field that is an array.
    public final func field<Element: DirectlyCodable>(
        _ name: StaticString, _ elements: [Element]
    ) throws {
        try key(name)
        try array(elements)
    }

    /// Writes a text.
    @inline(__always)
    public final func write(_ value: String) throws(MartletError) {
        unsafe try value.utf8Span.span.withUnsafeBytes { (utf8) throws(MartletError) in
            unsafe try writeText(utf8)
        }
    }

    /// Writes a whole number.
    @inline(__always)
    public final func write(_ value: some FixedWidthInteger) throws(MartletError) {
        if let unsigned = UInt64(exactly: value) {
            try writeUnsigned(unsigned)
        } else if let signed = Int64(exactly: value) {
            try writeSigned(signed)
        } else {
            try writeWide(value)
        }
    }

    /// Writes a number. JSON has neither infinities nor NaN; for these it throws.
    public final func write(_ value: Double) throws(MartletError) { try writeDouble(value) }

    /// Writes true or false.
    public final func write(_ value: Bool) throws(MartletError) { try writeBool(value) }

    /// Writes bytes, in base64 where there are only texts.
    public final func write(_ value: Bytes) throws(MartletError) {
        try value.withBytes { (span) throws(MartletError) in
            unsafe try span.withUnsafeBytes { (bytes) throws(MartletError) in
                unsafe try writeBytes(bytes)
            }
        }
    }

    /// Writes a moment: RFC 3339 in JSON, the formats' own timestamps elsewhere.
    public final func write(_ value: Timestamp) throws(MartletError) { try writeTimestamp(value) }

    /// Writes that there is no value.
    public final func writeNothing() throws(MartletError) { try writeNull() }

    @inline(__always)
    private final func key(_ name: StaticString) throws(MartletError) {
        unsafe try writeKey(
            UnsafeRawBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount),
            isFirst: entries == 0)
        entries &+= 1
    }

    /// Lets `body` write, which must write something.
    @inline(__always)
    private final func value(_ body: () throws -> Void) throws {
        let before = unsafe memory.pointee.count
        try keepingFailure(body)
        guard unsafe memory.pointee.count > before else {
            throw unsafe memory.pointee.fail(
                MartletError(
                    .notEncodable,
                    "A field or an element was begun and nothing was written into it. Write "
                        + "`writeNothing` where there is no value."))
        }
    }

    /// A failure that somebody catches further out has left something half written: the whole
    /// fails.
    @inline(__always)
    private final func keepingFailure(_ body: () throws -> Void) throws {
        do { try body() } catch {
            throw unsafe memory.pointee.fail(
                error as? MartletError
                    ?? MartletError(.notEncodable, "A type could not write itself.", cause: error))
        }
    }

    @inline(__always)
    private final func nest(isMap: Bool, _ body: () throws -> Void) throws {
        try enter()
        let place = unsafe memory.pointee.count
        let outer = entries
        entries = 0
        try open(isMap: isMap)
        try keepingFailure(body)
        _ = try close(isMap: isMap, at: place, count: entries)
        entries = outer
        depth &-= 1
    }

    final func enter() throws(MartletError) {
        guard depth < Limits.nestingMax else {
            throw unsafe memory.pointee.fail(
                MartletError(
                    .notEncodable,
                    "The value is nested more than \(Limits.nestingMax) deep. Make it flatter."))
        }
        depth &+= 1
    }
}
