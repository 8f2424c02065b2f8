/// What an expression yields.
public enum ExpressionValue: Sendable, Hashable {
    /// True or false.
    case boolean(Bool)
    /// A whole number of 32 bits.
    case integer(Int32)
    /// A text.
    case string(String)
    /// A number from a payload that is no whole number of 32 bits.
    case number(ExpressionNumber)

    /// The type of the value.
    public var type: ExpressionType {
        switch self {
        case .boolean: .boolean
        case .integer: .integer
        case .string: .string
        case .number: .number
        }
    }
}

extension ExpressionValue: CustomStringConvertible {
    /// The value as the language writes texts, numbers and truth.
    public var description: String {
        switch self {
        case .boolean(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .string(let text): text
        case .number(let value): value.description
        }
    }
}

/// The types of the language: three that CESQL has, and the numbers of payloads.
public enum ExpressionType: String, Sendable, Hashable {
    /// True or false.
    case boolean
    /// A whole number of 32 bits.
    case integer
    /// A text.
    case string
    /// A number of a payload that may have a fraction; only payload paths and literals with a
    /// fraction yield one.
    case number

    /// The value that stands for a failure.
    var zero: ExpressionValue {
        switch self {
        case .boolean: .boolean(false)
        case .integer: .integer(0)
        case .string: .string("")
        case .number: .integer(0)
        }
    }
}

/// What evaluating an expression for an event gave: always a value, and an error where something
/// went wrong. The value is then the zero of the expression's type, unless the language says else.
public struct Evaluation: Sendable, Hashable {
    /// The value.
    public let value: ExpressionValue
    /// What went wrong, if anything did.
    public let error: EvaluationError?
}

/// What went wrong while an expression was evaluated.
public struct EvaluationError: Error, Sendable, Hashable {
    /// The kinds of errors that CESQL knows.
    public enum Kind: String, Sendable, Hashable {
        /// The expression cannot be read.
        case parse
        /// A division by zero, or a result beyond the range.
        case math
        /// A value that is not of the type that is needed, and cannot be made one.
        case cast
        /// An attribute or a value of the payload that the event lacks.
        case missingAttribute
        /// There is no function of this name with so many arguments.
        case missingFunction
        /// A function that its arguments do not suit.
        case functionEvaluation
        /// Anything else, such as a payload that cannot be read.
        case generic
    }

    /// What kind of error it is.
    public let kind: Kind
    /// What happened, without values of the event.
    public let message: String
}
