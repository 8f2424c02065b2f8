/// Which events are meant, by what they say: the filter dialects of the CloudEvents Subscriptions
/// API, with CESQL among them.
///
/// Texts are compared by their bytes, and with the canonical text of attributes of other types. An
/// event that lacks an attribute passes no filter that names it.
public struct Filter: Sendable, Hashable {
    indirect enum Kind: Sendable, Hashable {
        case texts(Dialect, [FieldText])
        case all([Filter])
        case any([Filter])
        case not(Filter)
        case sql(Expression)
    }

    /// The dialects that compare texts.
    enum Dialect: String, Sendable {
        case exact, prefix, suffix

        func holds(_ value: Span<UInt8>, _ text: Span<UInt8>) -> Bool {
            switch self {
            case .exact: TextBytes.isEqual(value, text)
            case .prefix: TextBytes.begins(value, with: text)
            case .suffix: TextBytes.ends(value, with: text)
            }
        }
    }

    struct FieldText: Sendable, Hashable {
        let field: EventField
        let text: String

        static func == (left: FieldText, right: FieldText) -> Bool {
            left.field == right.field && left.text.utf8.elementsEqual(right.text.utf8)
        }
    }

    let kind: Kind
    /// How deep its JSON is nested.
    private let depth: Int
    /// How many parts it has.
    private let parts: Int

    /// A file of rules holds filters, and is nested three deep itself.
    private static let depthMax = Limits.nestingMax - 3

    private init(_ kind: Kind, depth: Int, parts: Int) throws(MartletError) {
        guard depth <= Filter.depthMax else {
            throw MartletError(
                .invalidExpression,
                "The filter is nested too deep: its JSON may be \(Filter.depthMax) deep. Flatten "
                    + "it, or write it as one expression of `sql`.")
        }
        guard parts <= Limits.filterPartsMax else {
            throw MartletError(
                .invalidExpression,
                "The filter has \(parts) parts, of which \(Limits.filterPartsMax) are allowed. "
                    + "Make rules of it.")
        }
        self.kind = kind
        self.depth = depth
        self.parts = parts
    }

    /// All of these attributes have these values.
    public static func exact(
        _ texts: KeyValuePairs<EventField, String>
    ) throws(MartletError) -> Filter {
        try self.texts(.exact, texts.map { ($0, $1) })
    }

    /// All of these attributes begin so.
    public static func prefix(
        _ texts: KeyValuePairs<EventField, String>
    ) throws(MartletError) -> Filter {
        try self.texts(.prefix, texts.map { ($0, $1) })
    }

    /// All of these attributes end so.
    public static func suffix(
        _ texts: KeyValuePairs<EventField, String>
    ) throws(MartletError) -> Filter {
        try self.texts(.suffix, texts.map { ($0, $1) })
    }

    /// All of these filters let the event pass; there must be one at least.
    public static func all(_ filters: [Filter]) throws(MartletError) -> Filter {
        try Filter(.all(filters), depth: 2 + depth(of: filters, "all"), parts: parts(of: filters))
    }

    /// Any of these filters lets the event pass; there must be one at least.
    public static func any(_ filters: [Filter]) throws(MartletError) -> Filter {
        try Filter(.any(filters), depth: 2 + depth(of: filters, "any"), parts: parts(of: filters))
    }

    /// This filter does not let the event pass.
    public static func not(_ filter: Filter) throws(MartletError) -> Filter {
        try Filter(.not(filter), depth: 1 + filter.depth, parts: 1 + filter.parts)
    }

    /// The expression is true for the event.
    public static func sql(
        _ text: String, isStrict: Bool = false, functions: FunctionSet = .standard
    ) throws(MartletError) -> Filter {
        try sql(Expression(text, isStrict: isStrict, functions: functions))
    }

    /// The expression is true for the event. It throws `invalidExpression` for one that can only
    /// fail, or that yields something else than true or false.
    public static func sql(_ expression: Expression) throws(MartletError) -> Filter {
        if let defect = expression.defects.first {
            throw MartletError(
                .invalidExpression,
                "A part of the expression can only fail: \(defect.message)\n"
                    + SyntaxFailure.excerpt(of: expression.text, at: defect.byteOffset))
        }
        if let type = expression.type, type != .boolean {
            throw MartletError(
                .invalidExpression,
                "`\(expression.text.prefix(60))` yields \(type.words), and a filter needs true or "
                    + "false. Compare it with something.")
        }
        return try Filter(.sql(expression), depth: 1, parts: 1)
    }

    static func texts(
        _ dialect: Dialect, _ texts: [(EventField, String)]
    ) throws(MartletError) -> Filter {
        guard !texts.isEmpty else {
            throw MartletError(
                .invalidExpression,
                "The filter `\(dialect.rawValue)` names no attribute. Give it one.")
        }
        for (field, text) in texts where text.isEmpty {
            throw MartletError(
                .invalidExpression,
                "The filter `\(dialect.rawValue)` has an empty text for `\(field)`. To ask "
                    + "whether an attribute is there, use `EXISTS \(field)`.")
        }
        var names: Set<EventField> = []
        if let (twice, _) = texts.first(where: { !names.insert($0.0).inserted }) {
            throw MartletError(
                .invalidExpression,
                "The filter `\(dialect.rawValue)` names `\(twice)` twice. Use `any` for several "
                    + "values.")
        }
        return try Filter(
            .texts(dialect, texts.map { FieldText(field: $0, text: $1) }), depth: 2,
            parts: texts.count)
    }

    private static func parts(of filters: [Filter]) -> Int {
        filters.reduce(1) { $0 + $1.parts }
    }

    private static func depth(of filters: [Filter], _ dialect: String) throws(MartletError) -> Int {
        guard let depth = filters.map(\.depth).max() else {
            throw MartletError(
                .invalidExpression, "The filter `\(dialect)` holds no filter. Give it one.")
        }
        return depth
    }
}

extension Filter {
    /// Whether the event passes.
    public func matches(_ event: RecordedEvent) -> Bool {
        var payload = PayloadCache()
        return holds(for: event, &payload)
    }

    /// Whether the event passes.
    public func matches(_ event: CloudEvent) -> Bool {
        var payload = PayloadCache()
        return holds(for: event, &payload)
    }

    func holds(for source: some FieldSource, _ payload: inout PayloadCache) -> Bool {
        switch kind {
        case .texts(let dialect, let texts):
            return texts.allSatisfy { $0.isHeld(by: source, dialect) }
        case .all(let filters):
            for filter in filters where !filter.holds(for: source, &payload) { return false }
            return true
        case .any(let filters):
            for filter in filters where filter.holds(for: source, &payload) { return true }
            return false
        case .not(let filter): return !filter.holds(for: source, &payload)
        case .sql(let expression): return expression.holds(for: source, &payload)
        }
    }
}

extension Filter.FieldText {
    func isHeld(by source: some FieldSource, _ dialect: Filter.Dialect) -> Bool {
        guard let value = source.operand(for: field) else { return false }
        return source.withUTF8(value) { dialect.holds($0, text.utf8Span.span) }
    }
}
