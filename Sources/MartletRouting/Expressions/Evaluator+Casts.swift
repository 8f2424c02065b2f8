/// What an operator needs of its operands.
extension Evaluator {
    @inline(__always)
    func boolean(_ value: Operand, _ node: Int32) throws(EvaluationFailure) -> Bool {
        if case .boolean(let value) = value { return value }
        return try castBoolean(value, node)
    }

    func castBoolean(_ value: Operand, _ node: Int32) throws(EvaluationFailure) -> Bool {
        switch value {
        case .boolean(let value): return value
        case .integer(let value): return value != 0
        case .number(let value): return !value.isZero
        case .text, .place:
            guard let value = source.withUTF8(value, { Casting.boolean($0) }) else {
                throw EvaluationFailure(.cast, node)
            }
            return value
        }
    }

    @inline(__always)
    func integer(_ value: Operand, _ node: Int32) throws(EvaluationFailure) -> Int32 {
        if case .integer(let value) = value { return value }
        return try castInteger(value, node)
    }

    func castInteger(_ value: Operand, _ node: Int32) throws(EvaluationFailure) -> Int32 {
        let cast: Int32? =
            switch value {
            case .boolean(let value): value ? 1 : 0
            case .integer(let value): value
            case .number(let value): value.small
            case .text, .place: source.withUTF8(value) { Casting.integer($0) }
            }
        guard let cast else { throw EvaluationFailure(.cast, node) }
        return cast
    }

    func number(_ value: Operand, _ node: Int32) throws(EvaluationFailure) -> ExpressionNumber {
        let cast: ExpressionNumber? =
            switch value {
            case .boolean(let value): .whole(value ? 1 : 0)
            case .integer(let value): .whole(Int64(value))
            case .number(let value): value
            case .text, .place: Casting.number(source.text(of: value))
            }
        guard let cast else { throw EvaluationFailure(.cast, node) }
        return cast
    }
}
