extension ExpressionFunction {
    /// The functions that CESQL 1.0 defines. Characters are code points of Unicode.
    static let standard: [ExpressionFunction] = casts + texts + [absolute]

    private static let casts: [ExpressionFunction] = [
        ExpressionFunction("INT", [nil], .integer) { (arguments) throws(FunctionFailure) in
            try cast(arguments[0], to: .integer)
        },
        ExpressionFunction("BOOL", [nil], .boolean) { (arguments) throws(FunctionFailure) in
            try cast(arguments[0], to: .boolean)
        },
        ExpressionFunction("STRING", [nil], .string) { (arguments) throws(FunctionFailure) in
            try cast(arguments[0], to: .string)
        },
    ]

    private static func cast(
        _ value: ExpressionValue, to type: ExpressionType
    ) throws(FunctionFailure) -> ExpressionValue {
        guard let cast = value.cast(to: type) else { throw FunctionFailure(.cast) }
        return cast
    }

    private static let absolute = ExpressionFunction("ABS", [.integer], .integer) {
        (arguments) throws(FunctionFailure) in
        let value = arguments[0].wholeNumber
        guard value != .min else { throw FunctionFailure(.math, returning: .integer(.max)) }
        return .integer(abs(value))
    }

    private static let texts: [ExpressionFunction] = [
        ExpressionFunction("LENGTH", [.string], .integer) { arguments in
            .integer(Int32(arguments[0].text.unicodeScalars.count))
        },
        ExpressionFunction("CONCAT", [], variadic: .string, .string) { arguments in
            .string(arguments.map(\.text).joined())
        },
        ExpressionFunction("CONCAT_WS", [.string], variadic: .string, .string) {
            (arguments) throws(FunctionFailure) in
            let (parts, delimiter) = (arguments.dropFirst().map(\.text), arguments[0].text)
            // The delimiter may be long, and stands between all.
            guard delimiter.utf8.count * parts.count <= Limits.expressionTextBytesMax else {
                throw FunctionFailure(.functionEvaluation, "it returns too long a text")
            }
            return .string(parts.joined(separator: delimiter))
        },
        ExpressionFunction("LOWER", [.string], .string) { arguments in
            .string(arguments[0].text.lowercased())
        },
        ExpressionFunction("UPPER", [.string], .string) { arguments in
            .string(arguments[0].text.uppercased())
        },
        ExpressionFunction("TRIM", [.string], .string) { arguments in
            .string(trim(arguments[0].text))
        },
        ExpressionFunction("LEFT", [.string, .integer], .string) {
            (arguments) throws(FunctionFailure) in
            let count = try part(of: arguments)
            return .string(String(arguments[0].text.unicodeScalars.prefix(count)))
        },
        ExpressionFunction("RIGHT", [.string, .integer], .string) {
            (arguments) throws(FunctionFailure) in
            let count = try part(of: arguments)
            return .string(String(arguments[0].text.unicodeScalars.suffix(count)))
        },
        ExpressionFunction("SUBSTRING", [.string, .integer], .string) {
            (arguments) throws(FunctionFailure) in
            try substring(arguments[0].text, arguments[1].wholeNumber, .max)
        },
        ExpressionFunction("SUBSTRING", [.string, .integer, .integer], .string) {
            (arguments) throws(FunctionFailure) in
            try substring(
                arguments[0].text, arguments[1].wholeNumber, arguments[2].wholeNumber)
        },
    ]

    private static func trim(_ text: String) -> String {
        let isSpace = { (scalar: Unicode.Scalar) in scalar.properties.isWhitespace }
        let rest = text.unicodeScalars.drop(while: isSpace)
        guard let last = rest.lastIndex(where: { !isSpace($0) }) else { return "" }
        return String(rest[...last])
    }

    private static func part(of arguments: [ExpressionValue]) throws(FunctionFailure) -> Int {
        let count = arguments[1].wholeNumber
        guard count >= 0 else {
            throw FunctionFailure(
                .functionEvaluation, "a count is negative", returning: arguments[0])
        }
        return Int(count)
    }

    private static func substring(
        _ text: String, _ position: Int32, _ length: Int32
    ) throws(FunctionFailure) -> ExpressionValue {
        let scalars = text.unicodeScalars
        let count = scalars.count
        guard length >= 0, position.magnitude <= UInt32(count) else {
            throw FunctionFailure(.functionEvaluation, "it begins or ends outside of the text")
        }
        guard position != 0 else { return .string("") }
        let skipped = position > 0 ? Int(position) - 1 : count + Int(position)
        return .string(String(scalars.dropFirst(skipped).prefix(Int(length))))
    }
}

extension ExpressionValue {
    /// The text of an argument, which has been cast to one.
    fileprivate var text: String {
        if case .string(let text) = self { text } else { description }
    }

    /// The number of an argument, which has been cast to one.
    fileprivate var wholeNumber: Int32 {
        if case .integer(let value) = self { value } else { 0 }
    }
}
