/// A function that expressions can call.
///
/// Arguments are cast to the types of the parameters before it is called. It must give the same for
/// the same arguments, since expressions are pure, and it must not block.
public struct ExpressionFunction: Sendable {
    /// The name, letters and `_`. Expressions may write it in any case.
    public let name: String
    /// The types of the arguments that there must be; nil takes any.
    let parameters: [ExpressionType?]
    /// The type of all further arguments, of which there may be any number; nil where there may be
    /// none.
    let variadic: ExpressionType?
    /// The type of what it returns.
    let result: ExpressionType
    let body: @Sendable ([ExpressionValue]) throws(FunctionFailure) -> ExpressionValue

    init(
        _ name: String, _ parameters: [ExpressionType?], variadic: ExpressionType? = nil,
        _ result: ExpressionType,
        _ body: @escaping @Sendable ([ExpressionValue]) throws(FunctionFailure) -> ExpressionValue
    ) {
        self.name = name
        self.parameters = parameters
        self.variadic = variadic
        self.result = result
        self.body = body
    }

    /// A function of yours. A parameter whose type is nil takes a value of any. When the function
    /// throws, the expression fails with `functionEvaluation`, and so it does when it returns a
    /// value that is not of the type of the result.
    public init(
        _ name: String, parameters: [ExpressionType?], variadic: ExpressionType? = nil,
        result: ExpressionType,
        body: @escaping @Sendable ([ExpressionValue]) throws -> ExpressionValue
    ) {
        self.init(name, parameters, variadic: variadic, result) {
            (arguments) throws(FunctionFailure) in
            let value: ExpressionValue
            do { value = try body(arguments) } catch {
                throw FunctionFailure(
                    .functionEvaluation, (error as? MartletError)?.message ?? "\(error)")
            }
            guard value.type == result else {
                throw FunctionFailure(
                    .functionEvaluation, "it returned \(value.type.words), not \(result.words)")
            }
            return value
        }
    }

    /// Whether it can be called with so many arguments.
    func accepts(_ count: Int) -> Bool {
        variadic == nil ? count == parameters.count : count >= parameters.count
    }

    /// The type of the argument at this place.
    func parameter(_ place: Int) -> ExpressionType? {
        place < parameters.count ? parameters[place] : variadic
    }
}

/// Why a function has no proper result, and what it returns all the same.
struct FunctionFailure: Error {
    let kind: EvaluationError.Kind
    let value: ExpressionValue?
    let reason: String?

    init(
        _ kind: EvaluationError.Kind, _ reason: String? = nil,
        returning value: ExpressionValue? = nil
    ) {
        self.kind = kind
        self.reason = reason
        self.value = value
    }
}

/// The functions that an expression may call, found by name and number of arguments.
public struct FunctionSet: Sendable {
    private var functions: [String: [ExpressionFunction]] = [:]

    /// None, not even those of CESQL.
    public init() {}

    /// Those that CESQL defines.
    public static let standard: FunctionSet = {
        var set = FunctionSet()
        for function in ExpressionFunction.standard {
            set.functions[function.name, default: []].append(function)
        }
        return set
    }()

    /// Adds a function. It throws `invalidArgument` when its name cannot be one, or when a call
    /// could mean it as well as another of its name: there may be one with each number of arguments
    /// and one with any number, which must require more than all others have.
    public mutating func add(_ function: ExpressionFunction) throws(MartletError) {
        let name = function.name.uppercased()
        let others = functions[name] ?? []
        guard let first = name.utf8.first, ByteClass.isLetter(first),
            name.utf8.allSatisfy({ ByteClass.isLetter($0) || $0 == UInt8(ascii: "_") }),
            !ExpressionLexer.keywords.contains(name), name != "DATA"
        else {
            throw MartletError(
                .invalidArgument,
                "`\(function.name.prefix(40))` cannot name a function. Use letters and `_`, the "
                    + "first a letter, no keyword and not `data`.")
        }
        guard others.allSatisfy({ FunctionSet.differ(function, $0) }) else {
            throw MartletError(
                .invalidArgument,
                "A call of `\(name)` could mean this function and another. Give it another number "
                    + "of arguments; with any number, more fixed ones than all others have.")
        }
        functions[name, default: []].append(function)
    }

    private static func differ(_ one: ExpressionFunction, _ other: ExpressionFunction) -> Bool {
        switch (one.variadic, other.variadic) {
        case (nil, nil): one.parameters.count != other.parameters.count
        case (_?, nil): one.parameters.count > other.parameters.count
        case (nil, _?): one.parameters.count < other.parameters.count
        case (_?, _?): false
        }
    }

    /// The function that a call means.
    func function(named name: String, _ count: Int) -> ExpressionFunction? {
        functions[name.uppercased()]?.first { $0.accepts(count) }
    }

    /// How many arguments functions of this name take, in words; nil if there are none.
    func arities(of name: String) -> String? {
        functions[name.uppercased()].map { functions in
            functions.map { function in
                "\(function.parameters.count)" + (function.variadic == nil ? "" : " or more")
            }.joined(separator: ", ")
        }
    }

    /// All names, in order.
    var names: [String] { functions.keys.sorted() }
}
