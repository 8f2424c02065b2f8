/// A part of an expression that can only fail wherever it is evaluated: a mistake, even where an
/// operator before it spares its evaluation.
public struct ExpressionDefect: Sendable, Hashable {
    /// The error that evaluating the part gives. An attribute that no event can have is one too,
    /// though `EXISTS` is content to find it missing.
    public let kind: EvaluationError.Kind
    /// What is wrong, and what to do.
    public let message: String
    /// Where it stands, in bytes of UTF-8 from the start of the text.
    public let byteOffset: Int
}

/// Finds the types of the parts of an expression, as far as they do not depend on the event, and
/// what can only fail.
///
/// Nodes stand behind those that they refer to, so that one walk through all of them suffices.
struct TypeChecker {
    private let program: ExpressionProgram
    private let functions: FunctionSet
    private(set) var defects: [ExpressionDefect] = []
    /// Of each node the type that it yields when nothing fails; nil where the event decides.
    private var types: [ExpressionType?] = []

    init(_ program: ExpressionProgram, _ functions: FunctionSet) {
        self.program = program
        self.functions = functions
        types.reserveCapacity(program.nodes.count)
        for node in program.nodes.indices { types.append(check(Int32(node))) }
        defects.sort { $0.byteOffset < $1.byteOffset }
    }

    /// The type of the whole expression.
    var type: ExpressionType? { types[Int(program.root)] }

    private mutating func check(_ node: Int32) -> ExpressionType? {
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
            var left = Side(node: part.index, type: types[Int(part.index)])
            for place in part.links {
                left = Side(node: nil, type: check(program.links[Int(place)], left))
            }
            return left.type
        }
    }

    /// What stands left of an operator: a node, or what the operators before have made.
    private struct Side {
        let node: Int32?
        let type: ExpressionType?
    }

    private func type(of node: Int32) -> ExpressionType? { types[Int(node)] }

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

    // MARK: Names and calls

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
        guard let function = call.function else {
            note(.missingFunction, missingFunction(call.name, part.links.count), at: node)
            return nil
        }
        for (count, place) in part.links.enumerated() {
            guard let type = function.parameter(count) else { continue }
            checkCast(program.links[Int(place)].operand, to: type)
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

    // MARK: Operators

    private mutating func check(_ link: ExpressionLink, _ left: Side) -> ExpressionType? {
        switch link.operation {
        case .like, .notLike, .argument: return .boolean
        case .not:
            checkCast(left.node, to: .boolean)
            return .boolean
        case .negate:
            checkNumber(left.node, beside: .integer)
            return numberType(left.type)
        case .isIn, .notIn:
            for place in program.sets[Int(link.operand)] {
                let element = program.links[Int(place)].operand
                if let type = left.type { checkComparable(element, with: type) }
            }
            return .boolean
        case .and, .or, .xor:
            checkCast(left.node, to: .boolean)
            checkCast(link.operand, to: .boolean)
            return .boolean
        case .equal, .unequal:
            if let right = type(of: link.operand) { checkComparable(left.node, with: right) }
            return .boolean
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            checkNumbers(left, link.operand)
            return .boolean
        case .multiply, .divide, .remainder, .add, .subtract:
            checkNumbers(left, link.operand)
            let divides = link.operation == .divide || link.operation == .remainder
            if divides, literal(link.operand)?.cast(to: .integer) == .integer(0) {
                note(.math, "This divides by zero.", at: link.operand)
            }
            return numberType(left.type, type(of: link.operand))
        }
    }

    /// What calculating with such operands yields. Only where numbers of payloads can come from is
    /// it not always a whole number of 32 bits.
    private func numberType(_ operands: ExpressionType?...) -> ExpressionType? {
        if operands.contains(.number) { return .number }
        return operands.contains(nil) && !program.paths.isEmpty ? nil : .integer
    }

    private mutating func checkNumbers(_ left: Side, _ right: Int32) {
        checkNumber(left.node, beside: type(of: right))
        checkNumber(right, beside: left.type)
    }

    /// A literal where a whole number is needed. One with a fraction serves as well, and so does a
    /// text with one beside a number, or beside what may be one.
    private mutating func checkNumber(_ node: Int32?, beside other: ExpressionType?) {
        guard let node, let value = literal(node), value.type != .number else { return }
        let mayBeNumber = other == .number || other == nil && !program.paths.isEmpty
        let type = mayBeNumber ? ExpressionType.number : .integer
        if value.cast(to: type) == nil { noteCast(of: value, to: .integer, at: node) }
    }

    /// A literal that is compared with something of this type, and cast to it.
    private mutating func checkComparable(_ node: Int32?, with type: ExpressionType) {
        let isNumber = type == .integer || type == .number
        if isNumber, let node, literal(node)?.type == .number { return }
        checkCast(node, to: type)
    }

    private mutating func checkCast(_ node: Int32?, to type: ExpressionType) {
        guard let node, let value = literal(node), value.cast(to: type) == nil else { return }
        noteCast(of: value, to: type, at: node)
    }

    private mutating func noteCast(
        of value: ExpressionValue, to type: ExpressionType, at node: Int32
    ) {
        note(
            .cast,
            "The literal `\(value.description.prefix(40))` is needed as \(type.words) here, and "
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
