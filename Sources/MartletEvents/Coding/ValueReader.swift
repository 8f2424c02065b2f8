/// Reads values one after the other, whatever their format. `DirectlyCodable` types are given one.
///
/// It must not be kept; later it finds nothing.
public struct ValueReader {
    let source: DecodingSource

    init(_ source: DecodingSource) { self.source = source }

    /// Reads a map: `body` gets each field and reads its value, or leaves it. A field that occurs twice
    /// and is read throws.
    public func map(_ body: (FieldName) throws -> Void) throws {
        let map = source.untagged(place)
        let token = source.token(map)
        guard token.kind == .map else { throw source.mismatch([String: Any].self, at: map, []) }
        _ = source.markDuplicateKeys(of: map)
        var key = map &+ 1
        while key < token.low {
            let value = source.next(key)
            let end = source.next(value)
            place = value
            do {
                try body(FieldName(source: source, place: key))
                try check(value, end, isDuplicate: isDuplicate(key))
            } catch {
                unsafe source.state.pointee.path.insert(TextKey(source.text(ofKey: key) ?? ""), at: 0)
                throw error
            }
            key = end
        }
        place = token.low
    }

    /// Reads an array: `body` reads each element, and its results are the array's.
    public func array<Element>(_ body: () throws -> Element) throws -> [Element] {
        let array = source.untagged(place)
        let token = source.token(array)
        guard token.kind == .array else { throw source.mismatch([Any].self, at: array, []) }
        var elements: [Element] = []
        elements.reserveCapacity(token.high)
        var element = array &+ 1
        while element < token.low {
            let end = source.next(element)
            place = element
            do {
                elements.append(try body())
                try check(element, end, isDuplicate: false)
            } catch {
                unsafe source.state.pointee.path.insert(IndexKey(elements.count), at: 0)
                throw error
            }
            element = end
        }
        place = token.low
        return elements
    }

    /// Reads an array of these.
    public func array<Element: DirectlyCodable>(of type: Element.Type) throws -> [Element] {
        try array { try Element(from: self) }
    }

    /// Reads a text.
    public func string() throws -> String { try take { try source.string($0) { [] } } }

    /// Reads a whole number.
    public func integer<Number: FixedWidthInteger>(_ type: Number.Type = Int.self) throws -> Number {
        try take { try source.integer(type, $0) { [] } }
    }

    /// Reads a number.
    public func double() throws -> Double { try take { try source.double($0) { [] } } }

    /// Reads true or false.
    public func bool() throws -> Bool { try take { try source.bool($0) { [] } } }

    /// Reads bytes.
    public func bytes() throws -> Bytes { try take { try source.bytes($0) { [] } } }

    /// Reads a moment, to the microsecond.
    public func timestamp() throws -> Timestamp {
        try take { place in
            guard let moment = Timestamp(try source.date(place) { [] }) else {
                throw source.corrupted("the moment is beyond the years 1 to 9999", at: place, [])
            }
            return moment
        }
    }

    /// Moves on if the next value is null; false if it is not.
    public func nothing() throws -> Bool {
        guard source.isNull(place) else { return false }
        place = source.next(place)
        return true
    }

    /// The value of a field that must have come; throws if it has not.
    public func require<Value>(_ value: Value?, _ name: StaticString) throws -> Value {
        guard let value else {
            throw DecodingError.keyNotFound(
                TextKey("\(name)"), .init(codingPath: [], debugDescription: ""))
        }
        return value
    }

    // MARK: Walking

    private var place: Int {
        @inline(__always) get { unsafe source.state.pointee.place }
        @inline(__always) nonmutating set { unsafe source.state.pointee.place = newValue }
    }

    @inline(__always)
    private func take<Value>(_ read: (Int) throws -> Value) throws -> Value {
        let start = place
        guard unsafe start < source.state.pointee.tape.count else {
            throw source.corrupted("a type read more values than there are", at: 0, [])
        }
        let value = try read(start)
        place = source.next(start)
        return value
    }

    private func isDuplicate(_ key: Int) -> Bool {
        let token = source.token(key)
        return token.kind == .text && token.detail & Token.duplicate != 0
    }

    @inline(__always)
    private func check(_ start: Int, _ end: Int, isDuplicate: Bool) throws {
        if place == start { return }
        guard place == end else {
            throw source.corrupted("a type read more than the one value of a field", at: start, [])
        }
        if isDuplicate {
            throw source.corrupted("the key occurs more than once", at: start, [])
        }
    }
}

/// The name of a field of a map, to be compared with those that a type knows.
public struct FieldName {
    let source: DecodingSource
    let place: Int

    /// Whether the field has this name: `switch field { case "id": … }`.
    public static func ~= (name: StaticString, field: FieldName) -> Bool {
        let token = field.source.token(field.place)
        guard token.kind == .text else { return field.text == "\(name)" }
        guard token.high == name.utf8CodeUnitCount else { return false }
        return unsafe field.source.withBytes(of: token) { bytes in
            unsafe bytes.count == name.utf8CodeUnitCount
                && Memory.isEqual(
                    bytes, UnsafeRawBufferPointer(start: name.utf8Start, count: bytes.count))
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

    var intValue: Int? { nil }
}
