/// Evaluates a program for one event.
///
/// An operator whose operand fails yields the zero of its own type and the error, as CESQL has it.
/// Nothing in the language goes on behind an error, so that a failure goes all the way up, and the
/// expression's value is the zero of the outermost operator's type.
struct Evaluator<Source: FieldSource> {
    private let program: ExpressionProgram
    private let source: Source
    /// The payload, once something in it has been asked for.
    private(set) var payload: PayloadReader?

    init(_ program: ExpressionProgram, _ source: Source) {
        self.program = program
        self.source = source
    }

    /// With a payload that has been looked through already.
    init(_ program: ExpressionProgram, _ source: Source, _ payload: PayloadReader?) {
        self.init(program, source)
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
        case .like: .boolean(isLike(left, link.operand))
        case .notLike: .boolean(!isLike(left, link.operand))
        case .isIn: .boolean(try isIn(left, program.sets[Int(link.operand)], node))
        case .notIn: .boolean(try !isIn(left, program.sets[Int(link.operand)], node))
        case .negate: try negate(left, node)
        case .multiply, .divide, .remainder, .add, .subtract:
            try calculate(link.operation, left, value(of: link.operand), node)
        case .argument: left
        }
    }

    /// The left side is cast to the type of the right one. Where either is a number of a payload,
    /// both are compared as numbers.
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
        case .number(let value): return try number(left, node) == value
        case .integer(let value):
            if case .number(let number) = left { return number == Double(value) }
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
            let (left, right) = (try number(left, node), try number(right, node))
            return link.operation.holds(left < right, left == right, left > right)
        }
        let (first, second) = (try integer(left, node), try integer(right, node))
        return link.operation.holds(first < second, first == second, first > second)
    }

    private func isLike(_ left: Operand, _ pattern: Int32) -> Bool {
        source.withUTF8(left) { program.patterns[Int(pattern)].matches($0) }
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
        if case .number(let value) = left { return .number(-value) }
        let value = try integer(left, node)
        guard value != .min else { throw EvaluationFailure(.math, node) }
        return .integer(-value)
    }

    private func calculate(
        _ operation: ExpressionLink.Operator, _ left: Operand, _ right: Operand, _ node: Int32
    ) throws(EvaluationFailure) -> Operand {
        if left.type == .number || right.type == .number {
            let value = operation.apply(try number(left, node), try number(right, node))
            guard let value, value.isFinite else { throw EvaluationFailure(.math, node) }
            return .number(value)
        }
        guard let value = operation.apply(try integer(left, node), try integer(right, node))
        else { throw EvaluationFailure(.math, node) }
        return .integer(value)
    }

    // MARK: Casts

    @inline(__always)
    private func boolean(_ value: Operand, _ node: Int32) throws(EvaluationFailure) -> Bool {
        if case .boolean(let value) = value { return value }
        return try castBoolean(value, node)
    }

    private func castBoolean(_ value: Operand, _ node: Int32) throws(EvaluationFailure) -> Bool {
        switch value {
        case .boolean(let value): return value
        case .integer(let value): return value != 0
        case .number(let value): return value != 0
        case .text, .place:
            guard let value = source.withUTF8(value, { Casting.boolean($0) }) else {
                throw EvaluationFailure(.cast, node)
            }
            return value
        }
    }

    @inline(__always)
    private func integer(_ value: Operand, _ node: Int32) throws(EvaluationFailure) -> Int32 {
        if case .integer(let value) = value { return value }
        return try castInteger(value, node)
    }

    private func castInteger(_ value: Operand, _ node: Int32) throws(EvaluationFailure) -> Int32 {
        let cast: Int32? =
            switch value {
            case .boolean(let value): value ? 1 : 0
            case .integer(let value): value
            case .number(let value): Casting.integer(value)
            case .text, .place: source.withUTF8(value) { Casting.integer($0) }
            }
        guard let cast else { throw EvaluationFailure(.cast, node) }
        return cast
    }

    private func number(_ value: Operand, _ node: Int32) throws(EvaluationFailure) -> Double {
        let cast: Double? =
            switch value {
            case .boolean(let value): value ? 1 : 0
            case .integer(let value): Double(value)
            case .number(let value): value
            case .text, .place: Casting.number(source.text(of: value))
            }
        guard let cast else { throw EvaluationFailure(.cast, node) }
        return cast
    }

    // MARK: Calls

    private mutating func call(
        _ part: ExpressionNode, _ node: Int32
    ) throws(EvaluationFailure) -> Operand {
        guard let function = program.calls[Int(part.index)].function else {
            throw EvaluationFailure(.missingFunction, node, .boolean(false))
        }
        var arguments: [ExpressionValue] = []
        for place in part.links {
            let value = source.value(of: try value(of: program.links[Int(place)].operand))
            guard let type = function.parameter(arguments.count) else {
                arguments.append(value)
                continue
            }
            guard let cast = value.cast(to: type) else { throw EvaluationFailure(.cast, node) }
            arguments.append(cast)
        }
        do throws(FunctionFailure) {
            return Operand(try function.body(arguments))
        } catch {
            throw EvaluationFailure(error.kind, node, error.value)
        }
    }

    // MARK: The payload

    private mutating func reader(_ node: Int32) throws(EvaluationFailure) -> PayloadReader {
        if let payload { return payload }
        do throws(MartletError) {
            let reader = try source.payloadReader()
            payload = reader
            return reader
        } catch { throw EvaluationFailure(.generic, node) }
    }

    private mutating func payloadValue(
        _ path: Int32, _ node: Int32
    ) throws(EvaluationFailure) -> Operand? {
        let reader = try reader(node)
        do throws(PayloadFailure) {
            guard let value = try reader.value(at: program.paths[Int(path)].steps) else {
                return nil
            }
            let operand = Operand(value)
            if case .text(let text) = operand, text.utf8.count > Limits.expressionTextBytesMax {
                throw PayloadFailure.unreadable
            }
            return operand
        } catch { throw EvaluationFailure(error == .container ? .cast : .generic, node) }
    }

    private mutating func isInPayload(
        _ path: Int32, _ node: Int32
    ) throws(EvaluationFailure) -> Bool {
        let reader = try reader(node)
        do throws(PayloadFailure) {
            return try reader.value(at: program.paths[Int(path)].steps) != nil
        } catch {
            guard error == .container else { throw EvaluationFailure(.generic, node) }
            return true
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

    init(_ kind: EvaluationError.Kind, _ node: Int32, _ value: ExpressionValue? = nil) {
        self.kind = kind
        self.node = node
        self.value = value
    }
}

extension ExpressionLink.Operator {
    /// What a comparison says of two values in this order.
    fileprivate func holds(_ isLess: Bool, _ isEqual: Bool, _ isGreater: Bool) -> Bool {
        switch self {
        case .less: isLess
        case .lessOrEqual: isLess || isEqual
        case .greater: isGreater
        case .greaterOrEqual: isGreater || isEqual
        default: false
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

    fileprivate func apply(_ left: Double, _ right: Double) -> Double? {
        switch self {
        case .multiply: left * right
        case .divide: right == 0 ? nil : left / right
        case .remainder: right == 0 ? nil : left.truncatingRemainder(dividingBy: right)
        case .add: left + right
        default: left - right
        }
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
