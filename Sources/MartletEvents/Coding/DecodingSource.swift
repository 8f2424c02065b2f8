/// An input that is being decoded: its tape, and how far its reading has come.
///
/// All decoders and containers of one value share it. What changes lies behind a pointer, which
/// spares the checks that a class would make at every access. Somebody may keep a decoder for
/// longer than the input lives: then there are no bytes any more, and it finds nothing.
@safe
@usableFromInline
final class DecodingSource {
    @safe
    struct State: ~Copyable {
        var tape: ValueTape
        /// Empty when the value has been decoded.
        var input: UnsafeRawBufferPointer
        /// The steps from the outermost value to the one that is being read, and how many they are.
        var steps: InlineArray<34, PathStep> = .init(repeating: .index(0))
        var depth = 0
        /// In direct coding, the fields through which an error has come.
        var fields: [any CodingKey] = []
        /// For each depth, the key that is expected to be asked for next.
        var hints: InlineArray<33, UInt32> = .init(repeating: 0)
        /// What those readers have that are not like most.
        var rareParts: [RareParts] = []
        /// The value that was looked at last, for errors; and in direct coding the next to read.
        var place = 0

        init(_ tape: consuming ValueTape, _ input: UnsafeRawBufferPointer) {
            self.tape = tape
            unsafe self.input = unsafe input
        }
    }

    struct RareParts {
        let frozen: FrozenPath?
        /// The keys in the order of their bytes, of maps that are too large to look through.
        let index: KeyIndex?
    }

    let state: UnsafeMutablePointer<State>
    let options: CodingOptions

    @unsafe
    init(
        _ tape: consuming ValueTape, _ input: UnsafeRawBufferPointer, _ options: CodingOptions
    ) {
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: State(tape, input))
        self.options = options
    }

    deinit {
        unsafe state.deinitialize(count: 1)
        unsafe state.deallocate()
    }

    /// The input is about to go.
    func end() { unsafe state.pointee.input = unsafe UnsafeRawBufferPointer(start: nil, count: 0) }

    /// The value that was looked at last.
    var lastPlace: Int { unsafe min(state.pointee.place, state.pointee.tape.count - 1) }

    // MARK: The tape

    @inline(__always)
    func token(_ place: Int) -> Token { unsafe state.pointee.tape.tokens[place] }

    /// Where the value after this one begins.
    @inline(__always)
    func next(_ place: Int) -> Int {
        var place = place
        while true {
            let token = token(place)
            switch token.kind {
            case .array, .map: return token.low
            case .tag: place &+= 1
            default: return place &+ 1
            }
        }
    }

    /// The value itself, behind its tags.
    @inline(__always)
    func untagged(_ place: Int) -> Int {
        var place = place
        while token(place).kind == .tag { place &+= 1 }
        return place
    }

    /// Shows the bytes of a text or of bytes.
    @inline(__always)
    func withBytes<Result>(of token: Token, _ body: (UnsafeRawBufferPointer) throws -> Result)
        rethrows -> Result
    {
        if token.detail & Token.aside != 0 {
            return unsafe try state.pointee.tape.aside.withUnsafeBytes { aside in
                unsafe try body(
                    UnsafeRawBufferPointer(rebasing: aside[token.low..<token.low + token.high]))
            }
        }
        let input = unsafe state.pointee.input
        guard token.low &+ token.high <= input.count else {
            return unsafe try body(UnsafeRawBufferPointer(start: nil, count: 0))
        }
        return unsafe try body(
            UnsafeRawBufferPointer(
                start: input.baseAddress.map { unsafe $0 + token.low }, count: token.high))
    }

    /// The text of a token that is one.
    @inline(__always)
    func text(_ token: Token) -> String {
        unsafe withBytes(of: token) { bytes in unsafe String(decoding: bytes, as: UTF8.self) }
    }

    /// Whether the text of a key is this one.
    func isKey(_ place: Int, _ text: String) -> Bool {
        let token = token(place)
        guard token.kind == .text else { return self.text(ofKey: place) == text }
        return unsafe withBytes(of: token) { bytes in
            unsafe text.utf8Span.span.withUnsafeBytes { wanted in
                unsafe wanted.count == bytes.count && Memory.isEqual(wanted, bytes)
            }
        }
    }

    /// The key at this place as a text. Whole numbers can be keys too; nothing else can.
    func text(ofKey place: Int) -> String? {
        let token = token(untagged(place))
        switch token.kind {
        case .text: return text(token)
        case .unsigned: return String(token.payload)
        case .negative: return String(Int64(bitPattern: token.payload))
        default: return nil
        }
    }

    /// The key at this place as a number, if it is one.
    func number(ofKey place: Int) -> Int? {
        let token = token(untagged(place))
        switch token.kind {
        case .unsigned: return Int(exactly: token.payload)
        case .negative: return Int(exactly: Int64(bitPattern: token.payload))
        default: return nil
        }
    }

    /// Where a null stands for what is missing.
    func appendNull() -> Int {
        let last = unsafe state.pointee.tape.count
        _ = unsafe try? state.pointee.tape.append(Token(.null, at: Int(token(0).offset)))
        return unsafe min(last, state.pointee.tape.count - 1)
    }

    // MARK: Errors

    /// The path of the value at this depth.
    func path(_ depth: Int) -> [any CodingKey] {
        (0..<min(depth, 34)).map { unsafe state.pointee.steps[$0].key(in: self) }
    }

    /// The path of what was read last.
    var currentPath: [any CodingKey] { unsafe path(state.pointee.depth) }

    /// The path of a container at this depth.
    func path(_ depth: Int, _ frozen: FrozenPath?) -> [any CodingKey] {
        frozen?.steps.map { $0.key(in: self) } ?? path(depth)
    }

    /// The steps to a container at this depth, and one more.
    func freeze(_ step: PathStep, _ depth: Int, _ frozen: FrozenPath?) -> FrozenPath {
        let steps = frozen?.steps ?? (0..<min(depth, 34)).map { unsafe state.pointee.steps[$0] }
        return FrozenPath(steps + [step])
    }

    /// A type with its article; containers by what they are in the input.
    private static func words(for type: Any.Type) -> String {
        if type == [Any].self { return "an array" }
        return type == [String: Any].self ? "a map" : "a \(type)"
    }

    /// What `Codable` says of a failure.
    func error(_ failure: ValueFailure, _ path: [any CodingKey]) -> DecodingError {
        unsafe state.pointee.place = failure.place
        // Fields through which an error came before are those of one that a type caught.
        unsafe state.pointee.fields = []
        let found = token(untagged(failure.place)).kind
        guard let type = failure.expected else {
            return .dataCorrupted(
                .init(
                    codingPath: path, debugDescription: failure.reason, underlyingError: failure))
        }
        let context = DecodingError.Context(
            codingPath: path,
            debugDescription:
                "\(DecodingSource.words(for: type)) must stand there, not \(found.words)",
            underlyingError: failure)
        return found == .null ? .valueNotFound(type, context) : .typeMismatch(type, context)
    }
}

/// Why a value is not what was asked for.
struct ValueFailure: Error {
    let place: Int
    /// The type that the value cannot be, or nil if it is not what it says.
    let expected: Any.Type?
    let reason: String

    init(_ expected: Any.Type, at place: Int) {
        self.place = place
        self.expected = expected
        reason = ""
    }

    init(_ reason: String, at place: Int) {
        self.place = place
        expected = nil
        self.reason = reason
    }
}

extension Token.Kind {
    /// What a value is, for errors.
    var words: String {
        switch self {
        case .null: "null"
        case .falseValue, .trueValue: "true or false"
        case .unsigned, .negative, .largeNegative: "a whole number"
        case .double, .number, .shortNumber: "a number"
        case .text: "a text"
        case .bytes: "bytes"
        case .array: "an array"
        case .map: "a map"
        case .typed: "an extension value"
        case .tag: "a tagged value"
        case .simple: "a simple value"
        }
    }
}
