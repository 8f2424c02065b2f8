/// A number of a payload that is no whole number of 32 bits: a larger whole number, exactly, or one
/// with a fraction.
public enum ExpressionNumber: Sendable, Hashable {
    /// A whole number of 64 bits.
    case whole(Int64)
    /// Any other number.
    case fraction(Double)

    /// Whole numbers that a `Double` has exactly are whole.
    init(_ value: Double) {
        if let whole = Int64(exactly: value), whole.magnitude < 1 << 53 {
            self = .whole(whole)
        } else {
            self = .fraction(value)
        }
    }

    /// The number as a `Double`, the nearest one where it has no exact one.
    public var double: Double {
        switch self {
        case .whole(let value): Double(value)
        case .fraction(let value): value
        }
    }

    /// The number as a whole one of 32 bits, if it is one.
    var small: Int32? {
        switch self {
        case .whole(let value): Int32(exactly: value)
        case .fraction(let value): Int32(exactly: value)
        }
    }

    var isZero: Bool { double == 0 }

    /// How two numbers compare, exactly; nil where one is not a number at all.
    static func order(
        _ left: ExpressionNumber, _ right: ExpressionNumber
    ) -> (isLess: Bool, isEqual: Bool)? {
        switch (left, right) {
        case (.whole(let left), .whole(let right)): return (left < right, left == right)
        case (.fraction(let left), .fraction(let right)):
            return left.isNaN || right.isNaN ? nil : (left < right, left == right)
        case (.whole(let left), .fraction(let right)):
            guard !right.isNaN else { return nil }
            if let right = Int64(exactly: right) { return (left < right, left == right) }
            // Beyond all whole numbers of 64 bits, or between two: rounding leads to no other side.
            guard right.magnitude < 0x1p63 else { return (right > 0, false) }
            return (Double(left) < right, false)
        case (.fraction, .whole):
            return order(right, left).map { (!$0.isLess && !$0.isEqual, $0.isEqual) }
        }
    }
}

extension ExpressionNumber: CustomStringConvertible {
    /// The shortest text that means the number; whole numbers have no fraction.
    public var description: String {
        switch self {
        case .whole(let value): String(value)
        case .fraction(let value): value.description
        }
    }
}

extension ExpressionLink.Operator {
    /// What an operator makes of two numbers; nil where that is none.
    func apply(_ left: ExpressionNumber, _ right: ExpressionNumber) -> ExpressionNumber? {
        if case .whole(let left) = left, case .whole(let right) = right,
            let value = apply(left, right)
        {
            return value
        }
        let (left, right) = (left.double, right.double)
        let value: Double
        switch self {
        case .multiply: value = left * right
        case .divide where right != 0: value = left / right
        case .remainder where right != 0: value = left.truncatingRemainder(dividingBy: right)
        case .divide, .remainder: return nil
        case .add: value = left + right
        default: value = left - right
        }
        return value.isFinite ? ExpressionNumber(value) : nil
    }

    /// Nil where the result leaves 64 bits.
    private func apply(_ left: Int64, _ right: Int64) -> ExpressionNumber? {
        let (value, isBeyond): (Int64, Bool)
        switch self {
        case .multiply: (value, isBeyond) = left.multipliedReportingOverflow(by: right)
        case .add: (value, isBeyond) = left.addingReportingOverflow(right)
        case .subtract: (value, isBeyond) = left.subtractingReportingOverflow(right)
        case .remainder: (value, isBeyond) = left.remainderReportingOverflow(dividingBy: right)
        default:
            guard right != 0, right != -1 else { return nil }
            let (quotient, rest) = left.quotientAndRemainder(dividingBy: right)
            if rest == 0 { return .whole(quotient) }
            // The fraction apart, which rounding both sides before would lose.
            return .fraction(Double(quotient) + Double(rest) / Double(right))
        }
        return isBeyond ? nil : .whole(value)
    }
}
