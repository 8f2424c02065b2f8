/// The way to a value within a payload, as in `data.items[0].price`.
///
/// `data` is the payload itself. `.name` leads to the value under a key that begins with a letter
/// or `_` and goes on with these and digits, `['any key']` to the value under any key, `[0]` to a
/// value of an array. It is read straight from JSON, MessagePack or CBOR, whatever the event has.
public struct PayloadPath: Sendable, Hashable {
    /// The whole text, `data` included.
    public let text: String
    let steps: [PayloadStep]

    /// Whether both are written with the same bytes.
    public static func == (left: PayloadPath, right: PayloadPath) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8)
    }

    /// Hashes the text.
    public func hash(into hasher: inout Hasher) { hasher.combine(text) }

    /// The path with this text. `data.` may be left out: `customer.id` means `data.customer.id`.
    public init(_ text: String) throws(MartletError) {
        let isWhole = text == "data" || text.hasPrefix("data.") || text.hasPrefix("data[")
        let full = isWhole ? text : text.hasPrefix("[") ? "data" + text : "data." + text
        let bytes = Array(full.utf8)
        var place = 4
        do throws(SyntaxFailure) {
            steps = try PayloadPath.steps(in: bytes, &place)
            guard place == bytes.count else {
                throw SyntaxFailure(at: place, expected: "`.name`, `[index]` or the end")
            }
        } catch {
            throw error.error(in: full, what: "payload path")
        }
        self.text = full
    }

    init(text: String, steps: [PayloadStep]) {
        self.text = text
        self.steps = steps
    }

    /// Reads the steps from behind `data`, and moves behind the last of them.
    static func steps(
        in bytes: [UInt8], _ place: inout Int
    ) throws(SyntaxFailure) -> [PayloadStep] {
        var steps: [PayloadStep] = []
        while place < bytes.count {
            let start = place
            switch bytes[place] {
            case UInt8(ascii: "."): steps.append(.key(try name(in: bytes, &place)))
            case UInt8(ascii: "["): steps.append(try bracket(in: bytes, &place))
            default: return steps
            }
            guard steps.count <= Limits.nestingMax else {
                throw SyntaxFailure(at: start, expected: "at most \(Limits.nestingMax) steps")
            }
        }
        return steps
    }

    private static func name(
        in bytes: [UInt8], _ place: inout Int
    ) throws(SyntaxFailure) -> String {
        let start = place + 1
        var end = start
        while end < bytes.count, isNameByte(bytes[end], isFirst: end == start) { end += 1 }
        guard end > start else {
            throw SyntaxFailure(
                at: start, expected: "a name of letters, digits and `_` (for other keys `['key']`)")
        }
        place = end
        return String(decoding: bytes[start..<end], as: UTF8.self)
    }

    private static func isNameByte(_ byte: UInt8, isFirst: Bool) -> Bool {
        ByteClass.isLetter(byte) || byte == UInt8(ascii: "_")
            || !isFirst && ByteClass.isDigit(byte)
    }

    private static func bracket(
        in bytes: [UInt8], _ place: inout Int
    ) throws(SyntaxFailure) -> PayloadStep {
        let start = place + 1
        var end = start
        let step: PayloadStep
        if start < bytes.count, ByteClass.isQuote(bytes[start]) {
            let quoted = try QuotedText.read(bytes, &end)
            step = .key(quoted)
        } else {
            while end < bytes.count, ByteClass.isDigit(bytes[end]) { end += 1 }
            guard let index = Int32(String(decoding: bytes[start..<end], as: UTF8.self)) else {
                throw SyntaxFailure(at: start, expected: "an index such as 0, or a key in quotes")
            }
            step = .index(Int(index))
        }
        guard end < bytes.count, bytes[end] == UInt8(ascii: "]") else {
            throw SyntaxFailure(at: end, expected: "`]`")
        }
        place = end + 1
        return step
    }
}

extension PayloadPath: ExpressibleByStringLiteral {
    /// A path written in code; it traps when the text is not a path.
    public init(stringLiteral text: String) {
        do { try self.init(text) } catch { preconditionFailure(error.message) }
    }
}

extension PayloadPath: CustomStringConvertible {
    /// The whole text.
    public var description: String { text }
}
