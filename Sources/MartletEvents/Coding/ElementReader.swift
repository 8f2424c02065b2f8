/// The values of an array, one after the other.
struct ElementReader: UnkeyedDecodingContainer {
    private let source: DecodingSource
    private let depth: Int
    private let frozen: FrozenPath?
    private let end: Int
    private var place: Int
    private let elementCount: Int
    private(set) var currentIndex = 0

    init(_ source: DecodingSource, array: Int, depth: Int, frozen: FrozenPath?) {
        self.source = source
        self.depth = depth
        self.frozen = frozen
        let token = source.token(array)
        end = token.low
        place = array + 1
        elementCount = token.high
    }

    var codingPath: [any CodingKey] { source.path(depth, frozen) }
    var count: Int? { elementCount }
    var isAtEnd: Bool { place >= end }

    mutating func decodeNil() throws -> Bool {
        guard source.isNull(try current(Any?.self)) else { return false }
        advance()
        return true
    }

    mutating func decode(_ type: Bool.Type) throws -> Bool {
        let place = try current(type)
        do throws(ValueFailure) {
            let value = try source.bool(place)
            advance()
            return value
        } catch { throw failed(error) }
    }
    mutating func decode(_ type: String.Type) throws -> String {
        let place = try current(type)
        do throws(ValueFailure) {
            let value = try source.string(place)
            advance()
            return value
        } catch { throw failed(error) }
    }
    mutating func decode(_ type: Double.Type) throws -> Double {
        let place = try current(type)
        do throws(ValueFailure) {
            let value = try source.double(place)
            advance()
            return value
        } catch { throw failed(error) }
    }
    mutating func decode(_ type: Float.Type) throws -> Float {
        let place = try current(type)
        do throws(ValueFailure) {
            let value = try source.float(place)
            advance()
            return value
        } catch { throw failed(error) }
    }
    mutating func decode(_ type: Int.Type) throws -> Int { try integer(type) }
    mutating func decode(_ type: Int8.Type) throws -> Int8 { try integer(type) }
    mutating func decode(_ type: Int16.Type) throws -> Int16 { try integer(type) }
    mutating func decode(_ type: Int32.Type) throws -> Int32 { try integer(type) }
    mutating func decode(_ type: Int64.Type) throws -> Int64 { try integer(type) }
    mutating func decode(_ type: Int128.Type) throws -> Int128 { try integer(type) }
    mutating func decode(_ type: UInt.Type) throws -> UInt { try integer(type) }
    mutating func decode(_ type: UInt8.Type) throws -> UInt8 { try integer(type) }
    mutating func decode(_ type: UInt16.Type) throws -> UInt16 { try integer(type) }
    mutating func decode(_ type: UInt32.Type) throws -> UInt32 { try integer(type) }
    mutating func decode(_ type: UInt64.Type) throws -> UInt64 { try integer(type) }
    mutating func decode(_ type: UInt128.Type) throws -> UInt128 { try integer(type) }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        let place = try current(type)
        source.enter(.index(currentIndex), depth: depth, frozen: frozen)
        let value = try source.decode(type, at: place, depth: depth + 1, frozen: nil)
        advance()
        return value
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> {
        let container = try nested().container(keyedBy: type)
        advance()
        return container
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let container = try nested().unkeyedContainer()
        advance()
        return container
    }

    mutating func superDecoder() throws -> any Decoder {
        let decoder = try nested()
        advance()
        return decoder
    }

    // MARK: Walking

    private var elementPath: [any CodingKey] { codingPath + [IndexKey(currentIndex)] }

    @inline(__always)
    private mutating func integer<Number: FixedWidthInteger>(_ type: Number.Type) throws -> Number {
        let place = try current(type)
        do throws(ValueFailure) {
            let value = try source.integer(type, place)
            advance()
            return value
        } catch { throw failed(error) }
    }

    private func failed(_ failure: ValueFailure) -> DecodingError {
        source.error(failure, elementPath)
    }

    /// Where the next value stands.
    @inline(__always)
    private func current(_ type: Any.Type) throws -> Int {
        guard place < end else {
            unsafe source.state.pointee.place = place - 1
            throw DecodingError.valueNotFound(
                type,
                .init(
                    codingPath: elementPath,
                    debugDescription: "the array ends after \(elementCount) values"))
        }
        return place
    }

    @inline(__always)
    private mutating func advance() {
        place = source.next(place)
        currentIndex &+= 1
    }

    private func nested() throws -> ValueDecoder {
        ValueDecoder(
            source, at: try current(Any.self), depth: depth + 1,
            frozen: source.freeze(.index(currentIndex), depth, frozen))
    }
}
