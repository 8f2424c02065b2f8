/// Something in an expression that can only fail, whatever the event.
public struct ExpressionDefect: Sendable, Hashable {
    /// The error that evaluating it gives.
    public let kind: EvaluationError.Kind
    /// What is wrong, and what to do.
    public let message: String
    /// Where it stands, in bytes of UTF-8 from the start of the text.
    public let byteOffset: Int
}

/// Finds the types of the parts of an expression, as far as they do not depend on the event, and
/// what can only fail.
struct TypeChecker {
    private let program: ExpressionProgram
    private let functions: FunctionSet
    private(set) var defects: [ExpressionDefect] = []

    init(_ program: ExpressionProgram, _ functions: FunctionSet) {
        self.program = program
        self.functions = functions
    }

    /// The type that the part yields when nothing fails; nil where the event decides.
    mutating func type(of node: Int32) -> ExpressionType? {
        let part = program.nodes[Int(node)]
        switch part.kind {
        case .literal: return program.literals[Int(part.index)].type
        case .field:
            let field = program.fields[Int(part.index)]
            checkName(of: field, node)
            return field.kind == .attribute ? nil : .string
        case .exists:
            checkName(of: program.fields[Int(part.index)], node)
            return .boolean
        case .payload: return nil
        case .existsPayload: return .boolean
        case .call: return checkCall(part, node)
        case .chain:
            var left = Side(type: type(of: part.index), literal: literal(part.index))
            for place in part.links {
                left = Side(type: check(program.links[Int(place)], left, node), literal: nil)
            }
            return left.type
        }
    }

    /// One side of an operator.
    private struct Side {
        let type: ExpressionType?
        let literal: ExpressionValue?
    }

    private func literal(_ node: Int32) -> ExpressionValue? {
        let part = program.nodes[Int(node)]
        return part.kind == .literal ? program.literals[Int(part.index)] : nil
    }

    private mutating func note(_ kind: EvaluationError.Kind, _ message: String, at node: Int32) {
        defects.append(
            ExpressionDefect(
                kind: kind, message: message,
                byteOffset: program.places[Int(node)].lowerBound))
    }

    private mutating func checkName(of field: EventField, _ node: Int32) {
        guard (try? EventField(field.name)) == nil else { return }
        let advice =
            field.name == "data"
            ? "The payload can be asked for outside of strict mode only."
            : "Names have 1 to \(Limits.attributeNameBytesMax) lower-case letters and digits."
        note(
            .missingAttribute,
            "`\(field.name.prefix(40))` is an attribute that no event can have. \(advice)",
            at: node)
    }

    private mutating func checkCall(_ part: ExpressionNode, _ node: Int32) -> ExpressionType? {
        let call = program.calls[Int(part.index)]
        for (count, place) in part.links.enumerated() {
            let argument = program.links[Int(place)].operand
            _ = type(of: argument)
            if let type = call.function?.parameter(count) { checkCast(argument, to: type) }
        }
        guard let function = call.function else {
            note(.missingFunction, missingFunction(call.name, part.links.count), at: node)
            return nil
        }
        return function.result
    }

    private func missingFunction(_ name: String, _ count: Int) -> String {
        let name = String(name.uppercased().prefix(40))
        let arguments = count == 1 ? "one argument" : "\(count) arguments"
        if let arities = functions.arities(of: name) {
            return "`\(name)` does not take \(arguments) but \(arities)."
        }
        let guess = Spelling.nearest(to: name, among: functions.names)
            .map { "Did you mean `\($0)`?" }
        let all = "There are \(functions.names.joined(separator: ", "))."
        return "There is no function `\(name)`. \(guess ?? all)"
    }

    private mutating func check(
        _ link: ExpressionLink, _ left: Side, _ node: Int32
    ) -> ExpressionType? {
        switch link.operation {
        case .like, .notLike, .argument: return .boolean
        case .not:
            checkCast(left.literal, to: .boolean, at: node)
            return .boolean
        case .negate:
            checkCast(left.literal, to: .integer, at: node)
            if left.type == .number { return .number }
            return left.type == nil && !program.paths.isEmpty ? nil : .integer
        case .isIn, .notIn:
            for place in program.sets[Int(link.operand)] {
                let element = program.links[Int(place)].operand
                _ = type(of: element)
                if let type = left.type { checkCast(element, to: type) }
            }
            return .boolean
        case .and, .or, .xor:
            _ = type(of: link.operand)
            checkCast(left.literal, to: .boolean, at: node)
            checkCast(link.operand, to: .boolean)
            return .boolean
        case .equal, .unequal:
            let right = type(of: link.operand)
            if let right { checkCast(left.literal, to: right, at: node) }
            return .boolean
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            _ = checkNumbers(link, left, node)
            return .boolean
        case .multiply, .divide, .remainder, .add, .subtract:
            return checkNumbers(link, left, node)
        }
    }

    /// Nil where a number of a payload may come of it.
    private mutating func checkNumbers(
        _ link: ExpressionLink, _ left: Side, _ node: Int32
    ) -> ExpressionType? {
        let right = type(of: link.operand)
        checkCast(left.literal, to: .number, at: node)
        checkCast(link.operand, to: .number)
        let divides = link.operation == .divide || link.operation == .remainder
        if divides, literal(link.operand)?.cast(to: .number) == .number(0) {
            note(.math, "This divides by zero.", at: link.operand)
        }
        if left.type == .number || right == .number { return .number }
        let mayBeNumber = mayYieldNumber(link.operand) || left.type == nil
        return mayBeNumber && !program.paths.isEmpty ? nil : .integer
    }

    private mutating func mayYieldNumber(_ node: Int32) -> Bool {
        program.nodes[Int(node)].kind != .literal && type(of: node) == nil
    }

    private mutating func checkCast(_ node: Int32, to type: ExpressionType) {
        checkCast(literal(node), to: type, at: node)
    }

    private mutating func checkCast(
        _ literal: ExpressionValue?, to type: ExpressionType, at node: Int32
    ) {
        guard let literal, literal.cast(to: type) == nil else { return }
        note(
            .cast,
            "The literal `\(literal.description.prefix(40))` is needed as \(type.words) here, and "
                + "cannot be one.", at: node)
    }
}

extension ExpressionType {
    /// The type with its article.
    var words: String {
        switch self {
        case .boolean: "true or false"
        case .integer: "a whole number"
        case .string: "a text"
        case .number: "a number"
        }
    }
}
