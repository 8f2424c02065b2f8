/// Evaluates a program for one event.
///
/// An operator whose operand fails yields the zero of its own type and the error, as CESQL has it.
/// Nothing in the language goes on behind an error, so that a failure goes all the way up, and the
/// expression's value is the zero of the outermost operator's type.
struct Evaluator<Source: FieldSource> {
    private let program: ExpressionProgram
    let source: Source
    /// The payload, once something in it has been asked for.
    private(set) var payload: PayloadCache
    /// How many bytes functions and patterns may still go through.
    private var budget = Limits.evaluationBytesMax

    init(_ program: ExpressionProgram, _ source: Source, _ payload: PayloadCache) {
        self.program = program
        self.source = source
        self.payload = payload
    }

    mutating func value(of node: Int32) throws(EvaluationFailure) -> Operand {
        let part = program.nodes[Int(node)]
        switch part.kind {
        case .literal: return Operand(program.literals[Int(part.index)])
        case .field:
            guard let value = source.operand(for: program.fields[Int(part.index)]) else {
                throw EvaluationFailure(.missingAttribute, node, .boolean(false))
            }
            return value
        case .payload:
            guard let value = try payloadValue(part.index, node) else {
                throw EvaluationFailure(.missingAttribute, node, .boolean(false))
            }
            return value
        case .exists:
            return .boolean(source.operand(for: program.fields[Int(part.index)]) != nil)
        case .existsPayload: return .boolean(try isInPayload(part.index, node))
        case .call: return try call(part, node)
        case .chain:
            var value = try value(of: part.index)
            for place in part.links { value = try apply(program.links[Int(place)], value, node) }
            return value
        }
    }

    // MARK: Operators

    @inline(__always)
    private mutating func apply(
        _ link: ExpressionLink, _ left: Operand, _ node: Int32
    ) throws(EvaluationFailure) -> Operand {
        switch link.operation {
        case .equal: .boolean(try isEqual(left, link, node))
        case .unequal: .boolean(try !isEqual(left, link, node))
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            .boolean(try compare(left, link, node))
        case .and:
            .boolean(try boolean(left, node) ? boolean(value(of: link.operand), node) : false)
        case .or:
            .boolean(try boolean(left, node) ? true : boolean(value(of: link.operand), node))
        case .xor: .boolean(try boolean(left, node) != boolean(value(of: link.operand), node))
        case .not: .boolean(try !boolean(left, node))
        case .like: .boolean(try isLike(left, link.operand, node))
        case .notLike: .boolean(try !isLike(left, link.operand, node))
        case .isIn: .boolean(try isIn(left, program.sets[Int(link.operand)], node))
        case .notIn: .boolean(try !isIn(left, program.sets[Int(link.operand)], node))
        case .negate: try negate(left, node)
        case .multiply, .divide, .remainder, .add, .subtract:
            try calculate(link.operation, left, value(of: link.operand), node)
        case .argument: left
        }
    }

    /// The left side is cast to the type of the right one.
    private mutating func isEqual(
        _ left: Operand, _ link: ExpressionLink, _ node: Int32
    ) throws(EvaluationFailure) -> Bool {
        let right = program.nodes[Int(link.operand)]
        // The most common condition of all: a text against a literal.
        if right.kind == .literal, case .string(let wanted) = program.literals[Int(right.index)] {
            return source.withUTF8(left) { TextBytes.isEqual($0, wanted.utf8Span.span) }
        }
        return try isSame(left, value(of: link.operand), node)
    }

    private func isSame(
        _ left: Operand, _ right: Operand, _ node: Int32
    ) throws(EvaluationFailure) -> Bool {
        switch right {
        case .boolean(let value): return try boolean(left, node) == value
        case .number(let value):
            return ExpressionNumber.order(try number(left, node), value)?.isEqual ?? false
        case .integer(let value):
            if case .number(let number) = left { return number.small == value }
            return try integer(left, node) == value
        case .text, .place:
            return source.withUTF8(left) { left in
                source.withUTF8(right) { TextBytes.isEqual(left, $0) }
            }
        }
    }

    private mutating func compare(
        _ left: Operand, _ link: ExpressionLink, _ node: Int32
    ) throws(EvaluationFailure) -> Bool {
        let right = try value(of: link.operand)
        if left.type == .number || right.type == .number {
            let order = ExpressionNumber.order(try number(left, node), try number(right, node))
            guard let (isLess, isEqual) = order else { return false }
            return link.operation.holds(isLess, isEqual)
        }
        let (first, second) = (try integer(left, node), try integer(right, node))
        return link.operation.holds(first < second, first == second)
    }

    private mutating func isLike(
        _ left: Operand, _ pattern: Int32, _ node: Int32
    ) throws(EvaluationFailure) -> Bool {
        let pattern = program.patterns[Int(pattern)]
        let (isMatch, byteCount) = source.withUTF8(left) { (pattern.matches($0), $0.count) }
        try spend(byteCount * pattern.cost, node)
        return isMatch
    }

    /// An expression that goes through more than this is ended: what it costs must not depend on
    /// who wrote it.
    private mutating func spend(_ byteCount: Int, _ node: Int32) throws(EvaluationFailure) {
        budget -= byteCount
        guard budget >= 0 else {
            throw EvaluationFailure(
                .generic, node, nil, "the expression goes through too much text for one event")
        }
    }

    /// The values of the set are cast to the type of the left side.
    private mutating func isIn(
        _ left: Operand, _ set: Range<Int32>, _ node: Int32
    ) throws(EvaluationFailure) -> Bool {
        for place in set {
            let element = try value(of: program.links[Int(place)].operand)
            if try isSame(element, left, node) { return true }
        }
        return false
    }

    private func negate(
        _ left: Operand, _ node: Int32
    ) throws(EvaluationFailure) -> Operand {
        if case .number = left { return try calculate(.subtract, .integer(0), left, node) }
        let value = try integer(left, node)
        guard value != .min else { throw EvaluationFailure(.math, node) }
        return .integer(-value)
    }

    private func calculate(
        _ operation: ExpressionLink.Operator, _ left: Operand, _ right: Operand, _ node: Int32
    ) throws(EvaluationFailure) -> Operand {
        if left.type == .number || right.type == .number {
            let value = operation.apply(try number(left, node), try number(right, node))
            guard let value else { throw EvaluationFailure(.math, node) }
            return .number(value)
        }
        guard let value = operation.apply(try integer(left, node), try integer(right, node))
        else { throw EvaluationFailure(.math, node) }
        return .integer(value)
    }

    // MARK: Calls

    private mutating func call(
        _ part: ExpressionNode, _ node: Int32
    ) throws(EvaluationFailure) -> Operand {
        guard let function = program.calls[Int(part.index)].function else {
            throw EvaluationFailure(.missingFunction, node, .boolean(false))
        }
        let arguments = try arguments(of: function, part, node)
        do throws(FunctionFailure) {
            let value = try function.body(arguments)
            guard value.textByteCount <= Limits.expressionTextBytesMax else {
                throw FunctionFailure(.functionEvaluation, "it returns too long a text")
            }
            return Operand(value)
        } catch {
            throw EvaluationFailure(error.kind, node, error.value, error.reason)
        }
    }

    private mutating func arguments(
        of function: ExpressionFunction, _ part: ExpressionNode, _ node: Int32
    ) throws(EvaluationFailure) -> [ExpressionValue] {
        var arguments: [ExpressionValue] = []
        var byteCount = 0
        for place in part.links {
            var value = source.value(of: try value(of: program.links[Int(place)].operand))
            if let type = function.parameter(arguments.count) {
                guard let cast = value.cast(to: type) else { throw EvaluationFailure(.cast, node) }
                value = cast
            }
            byteCount += value.textByteCount
            guard byteCount <= Limits.expressionTextBytesMax else {
                throw EvaluationFailure(
                    .functionEvaluation, node, nil, "its arguments are too long")
            }
            arguments.append(value)
        }
        try spend(byteCount, node)
        return arguments
    }

    // MARK: The payload

    private mutating func payloadValue(
        _ path: Int32, _ node: Int32
    ) throws(EvaluationFailure) -> Operand? {
        guard let reader = try reader(node) else { return nil }
        do throws(PayloadFailure) {
            guard let value = try reader.value(at: program.paths[Int(path)].steps) else {
                return nil
            }
            if case .text(let text) = value, text.utf8.count > Limits.expressionTextBytesMax {
                throw .tooMuch
            }
            return Operand(value)
        } catch { throw EvaluationFailure(error, node) }
    }

    private mutating func isInPayload(
        _ path: Int32, _ node: Int32
    ) throws(EvaluationFailure) -> Bool {
        guard let reader = try reader(node) else { return false }
        do throws(PayloadFailure) {
            return try reader.exists(at: program.paths[Int(path)].steps)
        } catch { throw EvaluationFailure(error, node) }
    }

    private mutating func reader(_ node: Int32) throws(EvaluationFailure) -> PayloadReader? {
        do throws(MartletError) { return try payload.reader(of: source) } catch {
            throw EvaluationFailure(.generic, node)
        }
    }
}

/// Why an expression has no proper value.
struct EvaluationFailure: Error {
    let kind: EvaluationError.Kind
    /// The node that failed.
    let node: Int32
    /// What it yields all the same, where that is not the zero of its type.
    let value: ExpressionValue?
    /// What there is to say beyond the kind.
    let reason: String?

    init(
        _ kind: EvaluationError.Kind, _ node: Int32, _ value: ExpressionValue? = nil,
        _ reason: String? = nil
    ) {
        self.kind = kind
        self.node = node
        self.value = value
        self.reason = reason
    }

    init(_ failure: PayloadFailure, _ node: Int32) {
        switch failure {
        case .container:
            self.init(.cast, node, nil, "an array or an object stands there, which is no value")
        case .repeatedKey: self.init(.generic, node, nil, "a key occurs twice there")
        case .tooMuch:
            self.init(.generic, node, nil, "what stands there is too large to work with")
        case .unreadable:
            self.init(.generic, node, nil, "what stands there is no value of expressions")
        }
    }
}

extension ExpressionLink.Operator {
    /// What a comparison says of two values in this order.
    fileprivate func holds(_ isLess: Bool, _ isEqual: Bool) -> Bool {
        switch self {
        case .less: isLess
        case .lessOrEqual: isLess || isEqual
        case .greater: !isLess && !isEqual
        default: !isLess
        }
    }

    /// Nil where there is no result in 32 bits.
    fileprivate func apply(_ left: Int32, _ right: Int32) -> Int32? {
        let (value, isBeyond): (Int32, Bool)
        switch self {
        case .multiply: (value, isBeyond) = left.multipliedReportingOverflow(by: right)
        case .divide: (value, isBeyond) = left.dividedReportingOverflow(by: right)
        case .remainder:
            // The remainder of the least number by -1 is 0, whatever its quotient.
            if right == -1 { return 0 }
            (value, isBeyond) = left.remainderReportingOverflow(dividingBy: right)
        case .add: (value, isBeyond) = left.addingReportingOverflow(right)
        default: (value, isBeyond) = left.subtractingReportingOverflow(right)
        }
        return isBeyond ? nil : value
    }
}

extension Operand {
    init(_ value: ExpressionValue) {
        switch value {
        case .boolean(let value): self = .boolean(value)
        case .integer(let value): self = .integer(value)
        case .string(let text): self = .text(text)
        case .number(let value): self = .number(value)
        }
    }
}

extension FieldSource {
    /// The operand as a value that needs no event.
    func value(of operand: Operand) -> ExpressionValue {
        switch operand {
        case .boolean(let value): .boolean(value)
        case .integer(let value): .integer(value)
        case .number(let value): .number(value)
        case .text, .place: .string(text(of: operand))
        }
    }
}
