/// A value while an expression or a filter works with it. Texts stay where they are: an operand
/// says where in the frame one lies, and is copied out only if need be.
enum Operand {
    case boolean(Bool)
    case integer(Int32)
    /// A number of a payload that is no whole number of 32 bits.
    case number(ExpressionNumber)
    case text(String)
    /// A text in the bytes of the event's frame.
    case place(start: Int32, end: Int32)

    static func place(_ range: Range<Int>) -> Operand {
        .place(
            start: Int32(truncatingIfNeeded: range.lowerBound),
            end: Int32(truncatingIfNeeded: range.upperBound))
    }

    var type: ExpressionType {
        switch self {
        case .boolean: .boolean
        case .integer: .integer
        case .number: .number
        case .text, .place: .string
        }
    }
}

extension Operand {
    /// An attribute's value as expressions know it: what is no primitive of theirs is a text.
    init(_ value: AttributeValue) {
        switch value {
        case .boolean(let value): self = .boolean(value)
        case .integer(let value): self = .integer(value)
        case .string, .binary, .uri, .uriReference, .timestamp: self = .text(value.canonicalText)
        }
    }

    /// A payload's value.
    init(_ value: PayloadValue) {
        switch value {
        case .boolean(let value): self = .boolean(value)
        case .integer(let value): self = Operand(.whole(value))
        case .number(let value): self = Operand(ExpressionNumber(value))
        case .text(let text): self = .text(text)
        case .bytes(let bytes): self = .text(AttributeValue.binary(bytes).canonicalText)
        }
    }

    private init(_ number: ExpressionNumber) {
        self = number.small.map { .integer($0) } ?? .number(number)
    }
}
