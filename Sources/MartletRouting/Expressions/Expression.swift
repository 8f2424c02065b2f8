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
    /// What can only fail, whatever the event: functions that do not exist, literals that cannot
    /// be cast. Evaluation gives the error; filters refuse such an expression.
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
        var checker = TypeChecker(program, functions)
        type = checker.type(of: program.root)
        // Where the type of one side decides over the other, a part is looked at twice.
        defects = checker.defects.reduce(into: []) { unique, defect in
            if !unique.contains(defect) { unique.append(defect) }
        }
    }

    /// Compiles the expression that these bytes of UTF-8 are.
    public init(
        utf8 bytes: Bytes, isStrict: Bool = false, functions: FunctionSet = .standard
    ) throws(MartletError) {
        guard let text = String(validating: bytes.array(), as: UTF8.self) else {
            throw MartletError(
                .invalidExpression, "The expression is not valid UTF-8. Save it as UTF-8.")
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
        var payload: PayloadReader?
        return holds(for: source, &payload)
    }

    /// The same with a payload that may have been looked through already.
    func holds(for source: some FieldSource, _ payload: inout PayloadReader?) -> Bool {
        var evaluator = Evaluator(program, source, payload)
        defer { payload = evaluator.payload }
        do throws(EvaluationFailure) {
            guard case .boolean(let value) = try evaluator.value(of: program.root) else {
                return false
            }
            return value
        } catch { return false }
    }

    func evaluation(of source: some FieldSource) -> Evaluation {
        var evaluator = Evaluator(program, source)
        do throws(EvaluationFailure) {
            let value = try evaluator.value(of: program.root)
            return Evaluation(value: source.value(of: value), error: nil)
        } catch {
            let own = error.node == program.root ? error.value : nil
            return Evaluation(
                value: own ?? (type ?? program.typeOfFailure).zero,
                error: EvaluationError(kind: error.kind, message: message(for: error)))
        }
    }

    /// What failed, with the part of the text that did.
    private func message(for failure: EvaluationFailure) -> String {
        let part = "`\(part(failure.node).prefix(60))`"
        switch failure.kind {
        case .missingAttribute: return "the event has no \(part)"
        case .missingFunction: return "there is no function for \(part)"
        case .cast: return "a value in \(part) is not of the type that is needed there"
        case .math: return "\(part) divides by zero or leaves the range"
        case .functionEvaluation: return "the arguments of \(part) do not suit it"
        case .parse, .generic: return "the payload cannot be read for \(part)"
        }
    }

    /// The part of the text that a node stands for.
    func part(_ node: Int32) -> String {
        let place = program.places[Int(node)]
        return String(decoding: Array(text.utf8)[place], as: UTF8.self)
    }
}

extension Expression: Hashable {
    /// Whether both have the same text and were compiled alike.
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
