/// The form in which the Subscriptions API writes filters: an object with the dialect as its one
/// key. A text alone is an expression, an array alone means `all`.
extension Filter: Codable {
    /// The filter that is written there.
    public init(from decoder: any Decoder) throws {
        if let container = try? decoder.singleValueContainer(),
            let text = try? container.decode(String.self)
        {
            self = try FilterReading.of(decoder).filter(text)
        } else if var elements = try? decoder.unkeyedContainer() {
            var filters: [Filter] = []
            while !elements.isAtEnd { filters.append(try elements.decode(Filter.self)) }
            self = try .all(filters)
        } else {
            self = try Filter.dialect(
                decoder.container(keyedBy: NameKey.self), FilterReading.of(decoder))
        }
    }

    private static func dialect(
        _ container: KeyedDecodingContainer<NameKey>, _ reading: FilterReading
    ) throws -> Filter {
        guard container.allKeys.count == 1, let dialect = container.allKeys.first else {
            throw MartletError(
                .invalidExpression,
                "A filter has one dialect, not \(container.allKeys.count). Put several filters "
                    + "into `all` or `any`.")
        }
        if let kind = Dialect(rawValue: dialect.stringValue) {
            let texts = try container.nestedContainer(keyedBy: NameKey.self, forKey: dialect)
            return try Filter.texts(
                kind,
                texts.allKeys.map { key in
                    (try EventField(key.stringValue), try texts.decode(String.self, forKey: key))
                })
        }
        switch dialect.stringValue {
        case "all": return try .all(container.decode([Filter].self, forKey: dialect))
        case "any": return try .any(container.decode([Filter].self, forKey: dialect))
        case "not": return try .not(container.decode(Filter.self, forKey: dialect))
        case "sql": return try reading.filter(container.decode(String.self, forKey: dialect))
        case let name:
            throw MartletError(
                .invalidExpression,
                "There is no filter dialect `\(name.prefix(40))`. There are exact, prefix, suffix, "
                    + "all, any, not and sql.")
        }
    }

    /// Writes the filter as an object. Whether an expression is strict, and what functions it may
    /// call, is not written: `init(json:)` can be told.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: NameKey.self)
        switch kind {
        case .texts(let dialect, let texts):
            var fields = container.nestedContainer(
                keyedBy: NameKey.self, forKey: NameKey(dialect.rawValue))
            for text in texts { try fields.encode(text.text, forKey: NameKey(text.field.name)) }
        case .all(let filters): try container.encode(filters, forKey: NameKey("all"))
        case .any(let filters): try container.encode(filters, forKey: NameKey("any"))
        case .not(let filter): try container.encode(filter, forKey: NameKey("not"))
        case .sql(let expression): try container.encode(expression.text, forKey: NameKey("sql"))
        }
    }

    /// The filter that these bytes of JSON are. It throws `notDecodable` or `invalidExpression`.
    public init(
        json: Bytes, isStrict: Bool = false, functions: FunctionSet = .standard
    ) throws(MartletError) {
        let reading = FilterReading(isStrict: isStrict, functions: functions)
        do throws(MartletError) {
            self = try JSONCodec(userInfo: reading.userInfo).decode(Filter.self, from: json)
        } catch {
            // What a filter itself has to say comes first, not what a decoder makes of it.
            guard let failure = error.cause as? CodingFailure,
                let own = failure.underlying as? MartletError
            else { throw error }
            let place = failure.path.isEmpty ? "" : "At `\(failure.path)`: "
            throw MartletError(own.code, place + own.message, cause: error)
        }
    }
}

/// How the expressions of a filter are read that is being decoded.
struct FilterReading: Sendable {
    private static let key = CodingUserInfoKey(rawValue: "martlet.filter")

    var isStrict = false
    var functions = FunctionSet.standard

    var userInfo: [CodingUserInfoKey: any Sendable] {
        FilterReading.key.map { [$0: self] } ?? [:]
    }

    static func of(_ decoder: any Decoder) -> FilterReading {
        key.flatMap { decoder.userInfo[$0] } as? FilterReading ?? FilterReading()
    }

    func filter(_ text: String) throws(MartletError) -> Filter {
        try .sql(text, isStrict: isStrict, functions: functions)
    }
}

/// A key that is any name.
struct NameKey: CodingKey {
    let stringValue: String

    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { nil }

    var intValue: Int? { nil }
}
