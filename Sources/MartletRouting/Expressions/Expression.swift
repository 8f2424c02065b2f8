/// An expression in CESQL 1.0, the SQL-like language of CloudEvents, compiled once and evaluated
/// for as many events as you like.
///
/// ```
/// type = 'orders.placed' AND (region IN ('eu', 'uk') OR data.total >= 1000)
/// ```
///
/// Names are attributes: those of CloudEvents, extensions, and `topic`. Unless it is strict, an
/// expression may also read the payload by path: `data.items[0].price`, see `PayloadPath`. A
/// payload's number that is no whole number of 32 bits is compared and calculated with as a number,
/// and literals may have a fraction; all else is as CESQL has it.
public struct Expression: Sendable {
    /// The text that was compiled.
    public let text: String
    /// Whether payload paths and fractions were allowed.
    public let isStrict: Bool
    /// Parts that can only fail, whatever the event: functions that do not exist, literals that
    /// cannot be cast. Where such a part is evaluated, it gives its error; filters refuse the
    /// expression.
    public let defects: [ExpressionDefect]
    /// The type that it yields when nothing fails; nil where the event decides.
    public let type: ExpressionType?
    let program: ExpressionProgram

    /// Compiles an expression. It throws `invalidExpression`, with a caret below the place and a
    /// `SyntaxFailure` as its cause, when the text cannot be read.
    public init(
        _ text: String, isStrict: Bool = false, functions: FunctionSet = .standard
    ) throws(MartletError) {
        do throws(SyntaxFailure) {
            program = try ExpressionParser.parse(text, isStrict: isStrict, functions: functions)
        } catch { throw error.error(in: text, what: "expression") }
        self.text = text
        self.isStrict = isStrict
        let checker = TypeChecker(program, functions)
        type = checker.type
        defects = checker.defects
    }

    /// Compiles the expression that these bytes of UTF-8 are.
    public init(
        utf8 bytes: Bytes, isStrict: Bool = false, functions: FunctionSet = .standard
    ) throws(MartletError) {
        // No more than it takes to see that it is too long.
        let first = bytes[0..<min(bytes.count, Limits.expressionBytesMax + 1)]
        guard let text = String(validating: first.array(), as: UTF8.self) else {
            let advice =
                first.count > Limits.expressionBytesMax
                ? "An expression has at most \(Limits.expressionBytesMax) bytes, not "
                    + "\(bytes.count). Split it up."
                : "The expression is not valid UTF-8. Save it as UTF-8."
            throw MartletError(.invalidExpression, advice)
        }
        try self.init(text, isStrict: isStrict, functions: functions)
    }

    /// What the expression gives for an event: a value, and an error where something failed.
    public func evaluate(_ event: RecordedEvent) -> Evaluation { evaluation(of: event) }

    /// What the expression gives for an event: a value, and an error where something failed.
    public func evaluate(_ event: CloudEvent) -> Evaluation { evaluation(of: event) }

    /// Whether the expression is true for the event. One that fails or yields something else than
    /// true is not.
    public func matches(_ event: RecordedEvent) -> Bool { holds(for: event) }

    /// Whether the expression is true for the event. One that fails or yields something else than
    /// true is not.
    public func matches(_ event: CloudEvent) -> Bool { holds(for: event) }

    private func holds(for source: some FieldSource) -> Bool {
        var payload = PayloadCache()
        return holds(for: source, &payload)
    }

    /// The same with a payload that may have been looked through already.
    func holds(for source: some FieldSource, _ payload: inout PayloadCache) -> Bool {
        var evaluator = Evaluator(program, source, payload)
        defer { payload = evaluator.payload }
        do throws(EvaluationFailure) {
            guard case .boolean(let value) = try evaluator.value(of: program.root) else {
                return false
            }
            return value
        } catch { return false }
    }

    private func evaluation(of source: some FieldSource) -> Evaluation {
        var payload = PayloadCache()
        return evaluation(of: source, &payload)
    }

    func evaluation(of source: some FieldSource, _ payload: inout PayloadCache) -> Evaluation {
        var evaluator = Evaluator(program, source, payload)
        defer { payload = evaluator.payload }
        do throws(EvaluationFailure) {
            let value = try evaluator.value(of: program.root)
            return Evaluation(value: source.value(of: value), error: nil)
        } catch {
            let own = error.node == program.root ? error.value : nil
            return Evaluation(
                value: own ?? (type ?? program.typeOfFailure).zero,
                error: EvaluationError(
                    kind: error.kind, message: message(for: error, evaluator.payload.failure)))
        }
    }

    /// What failed, with the part of the text that did.
    private func message(for failure: EvaluationFailure, _ payload: MartletError?) -> String {
        let part = "`\(part(failure.node).prefix(60))`"
        if let reason = failure.reason { return "\(part) fails: \(reason)" }
        switch failure.kind {
        case .missingAttribute: return "the event has no \(part)"
        case .missingFunction: return "there is no function for \(part)"
        case .cast: return "a value in \(part) is not of the type that is needed there"
        case .math: return "\(part) divides by zero or leaves the range"
        case .functionEvaluation: return "the arguments of \(part) do not suit it"
        case .parse, .generic:
            return "\(part) cannot be looked up: " + (payload?.message ?? "something failed")
        }
    }

    /// The part of the text that a node stands for.
    func part(_ node: Int32) -> String {
        let place = program.places[Int(node)]
        return String(decoding: Array(text.utf8)[place], as: UTF8.self)
    }
}

extension Expression: Hashable {
    /// Whether both have the same text and are strict or not alike. The functions that they may
    /// call are not compared.
    public static func == (left: Expression, right: Expression) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8) && left.isStrict == right.isStrict
    }

    /// Hashes the text.
    public func hash(into hasher: inout Hasher) { hasher.combine(text) }
}

extension Expression: CustomStringConvertible {
    /// The text.
    public var description: String { text }
}
