/// Reads values one after the other, whatever their format. `DirectlyCodable` types are given one.
///
/// It must not be kept; later it finds nothing.
@frozen
public struct ValueReader {
    @usableFromInline let source: DecodingSource

    init(_ source: DecodingSource) { self.source = source }

    /// Reads a map: `body` gets each field and reads its value, or leaves it. A field that occurs
    /// twice and is read throws.
    public func map(_ body: (FieldName) throws -> Void) throws {
        let map = source.untagged(try current())
        let token = source.token(map)
        guard token.kind == .map else {
            throw source.error(ValueFailure([String: Any].self, at: map), [])
        }
        let mayRepeat = token.detail & Token.mayRepeat != 0
        if mayRepeat { _ = source.markDuplicateKeys(of: map) }
        var key = map &+ 1
        while key < token.low {
            let value = source.next(key)
            let end = source.next(value)
            place = value
            do {
                try body(.at(key, of: source))
                // Errors that the type caught are over.
                if unsafe !source.state.pointee.fields.isEmpty {
                    unsafe source.state.pointee.fields = []
                }
                if place != value, place != end || mayRepeat { try check(value, end, key) }
            } catch {
                unsafe source.state.pointee.fields.insert(
                    TextKey(source.text(ofKey: key) ?? ""), at: 0)
                throw error
            }
            key = end
        }
        place = token.low
    }

    /// Reads an array: `body` reads each element, and its results are the array's.
    @inlinable
    public func array<Element>(_ body: () throws -> Element) throws -> [Element] {
        let bounds = try openArray()
        var elements: [Element] = []
        elements.reserveCapacity(bounds.count)
        var start = bounds.start
        while start < bounds.end {
            do {
                elements.append(try body())
                start = try closeElement(start)
            } catch {
                throw failed(elements.count, error)
            }
        }
        return elements
    }

    /// Reads an array of these.
    @inlinable
    public func array<Element: DirectlyCodable>(of type: Element.Type) throws -> [Element] {
        try array { try Element(from: self) }
    }

    /// Reads a text.
    public func string() throws -> String {
        try read { (place) throws(ValueFailure) in try source.string(place) }
    }

    /// Reads a whole number, of the type that the context asks for.
    @inlinable
    public func integer<Number: FixedWidthInteger>() throws -> Number { try integer(Number.self) }

    /// Reads a whole number of this type.
    @inlinable
    public func integer<Number: FixedWidthInteger>(_ type: Number.Type) throws -> Number {
        if let small = smallInteger(), let value = Number(exactly: small) {
            advance()
            return value
        }
        return try rareInteger(type)
    }

    /// Reads a number.
    public func double() throws -> Double {
        try read { (place) throws(ValueFailure) in try source.double(place) }
    }

    /// Reads true or false.
    public func bool() throws -> Bool {
        try read { (place) throws(ValueFailure) in try source.bool(place) }
    }

    /// Reads bytes.
    public func bytes() throws -> Bytes {
        try read { (place) throws(ValueFailure) in try source.bytes(place) }
    }

    /// Reads a moment, to the microsecond.
    public func timestamp() throws -> Timestamp {
        try read { (place) throws(ValueFailure) in try source.timestamp(place) }
    }

    /// Moves on if the next value is null; false if it is not.
    public func nothing() throws -> Bool {
        guard source.isNull(try current()) else { return false }
        advance()
        return true
    }

    /// The value of a field that must have come; throws if it has not.
    @inlinable
    @inline(__always)
    public func require<Value>(_ value: Value?, _ name: StaticString) throws -> Value {
        guard let value else { throw missing(name) }
        return value
    }

    // MARK: Walking

    /// The elements of an array: how many, where they begin and where they end.
    @frozen
    @usableFromInline
    struct Bounds {
        @usableFromInline let count: Int
        @usableFromInline let start: Int
        @usableFromInline let end: Int
    }

    @usableFromInline
    func openArray() throws -> Bounds {
        let array = source.untagged(try current())
        let token = source.token(array)
        guard token.kind == .array else {
            throw source.error(ValueFailure([Any].self, at: array), [])
        }
        place = array &+ 1
        if token.high == 0 { place = token.low }
        return Bounds(count: token.high, start: array &+ 1, end: token.low)
    }

    /// Moves behind the element that began here, and returns where that is.
    @usableFromInline
    func closeElement(_ start: Int) throws -> Int {
        let end = source.next(start)
        if place != start, place != end { try check(start, end, nil) }
        place = end
        return end
    }

    @usableFromInline
    func failed(_ index: Int, _ error: any Error) -> any Error {
        unsafe source.state.pointee.fields.insert(IndexKey(index), at: 0)
        return error
    }

    @usableFromInline
    func missing(_ name: StaticString) -> any Error {
        unsafe source.state.pointee.fields = []
        return DecodingError.keyNotFound(
            TextKey("\(name)"), .init(codingPath: [], debugDescription: ""))
    }

    /// The next value, if it is a whole number of 63 bits.
    @usableFromInline
    func smallInteger() -> Int64? {
        guard unsafe place < source.state.pointee.tape.count else { return nil }
        let token = source.token(place)
        return token.kind == .unsigned ? Int64(exactly: token.payload) : nil
    }

    @usableFromInline
    func rareInteger<Number: FixedWidthInteger>(_ type: Number.Type) throws -> Number {
        try read { (place) throws(ValueFailure) in try source.integer(type, place) }
    }

    private var place: Int {
        @inline(__always) get { unsafe source.state.pointee.place }
        @inline(__always) nonmutating set { unsafe source.state.pointee.place = newValue }
    }

    /// Reads the next value and moves behind it.
    @inline(__always)
    private func read<Value>(_ read: (Int) throws(ValueFailure) -> Value) throws -> Value {
        let place = try current()
        do throws(ValueFailure) {
            let value = try read(place)
            advance()
            return value
        } catch { throw source.error(error, []) }
    }

    @inline(__always)
    private func current() throws -> Int {
        let place = place
        guard unsafe place < source.state.pointee.tape.count else {
            throw source.error(ValueFailure("a type read more values than there are", at: 0), [])
        }
        return place
    }

    /// Moves behind the value that has been read.
    @usableFromInline
    func advance() { place = source.next(place) }

    /// What was read must be the one value of a field, and the field's name must be the only such.
    private func check(_ start: Int, _ end: Int, _ key: Int?) throws {
        guard place == end else {
            throw source.error(
                ValueFailure("a type read more than the one value of a field", at: start), [])
        }
        if let key, source.number(ofKey: key) != nil || source.token(key).kind == .text,
            source.token(key).detail & Token.duplicate != 0
        {
            throw source.error(ValueFailure("the key occurs more than once", at: start), [])
        }
    }
}

/// The name of a field of a map, to be compared with those that a type knows.
@frozen
public struct FieldName {
    @usableFromInline let source: DecodingSource
    @usableFromInline let place: Int
    /// The length tells most names apart. Nothing has the length of a key that is no text.
    @usableFromInline let byteCount: Int

    // By the memberwise initialiser: one that assigns costs a retain and a release a field.
    @inline(__always)
    static func at(_ place: Int, of source: DecodingSource) -> FieldName {
        let token = source.token(place)
        return FieldName(
            source: source, place: place, byteCount: token.kind == .text ? token.high : -1)
    }

    /// Whether the field has this name: `switch field { case "id": … }`.
    @inlinable
    @inline(__always)
    public static func ~= (name: StaticString, field: FieldName) -> Bool {
        (name.utf8CodeUnitCount == field.byteCount || field.byteCount < 0) && field.isNamed(name)
    }

    @usableFromInline
    func isNamed(_ name: StaticString) -> Bool {
        guard byteCount >= 0 else { return text == "\(name)" }
        let wanted = unsafe UnsafeRawBufferPointer(start: name.utf8Start, count: byteCount)
        let token = source.token(place)
        let input = unsafe source.state.pointee.input
        if token.detail & Token.aside == 0, let start = input.baseAddress {
            return unsafe Memory.isEqual(
                UnsafeRawBufferPointer(start: start + token.low, count: byteCount), wanted)
        }
        return unsafe source.withBytes(of: token) { bytes in
            unsafe bytes.count == byteCount && Memory.isEqual(bytes, wanted)
        }
    }

    /// The name.
    public var text: String { source.text(ofKey: place) ?? "" }
}

/// A key that is known by its text alone.
struct TextKey: CodingKey {
    let stringValue: String

    init(_ text: String) { stringValue = text }

    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { nil }

    var intValue: Int? { Int(stringValue) }
}
