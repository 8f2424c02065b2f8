// The form of a file of rules; keys that are not named here are errors.
//
//   {
//     "match": "all",                 or "first": how many of the rules that match apply
//     "loops": "refuse",              or "bound": circles are an error, or end after eight times
//     "partitions": 16,               for `route explain`: the lanes of the streams
//     "key": "data.customer.id",      and where keys are found: a path, or an attribute's name
//     "patterns": ["orders.>"],       and who listens
//     "rules": [
//       { "name": "large orders",
//         "topics": ["orders.placed"],             all topics without it
//         "when": "data.total > 1000",             an expression, a filter, or an array of both
//         "then": [ { "copy": "audit.orders" }, { "send": ["a", "b"] }, { "rename": "c" },
//                   { "set": { "priority": "high", "region": null } }, "drop", "stop" ] }
//     ]
//   }

/// A table of rules in a file of JSON, and what an explanation needs to know beside it.
public struct RuleFile: Sendable {
    /// The rules.
    public let table: RuleTable
    /// How the streams are partitioned, if the file says so.
    public let partitioning: Partitioning?
    /// The patterns of those who listen, for explanations.
    public let patterns: [TopicPattern]

    /// Reads a file. Errors are `invalidExpression`, and name the file, line, column and rule.
    public init(json: Bytes, named name: String = "rules") throws(MartletError) {
        let contents: Contents
        do throws(MartletError) {
            contents = try JSONCodec().decode(Contents.self, from: json)
        } catch { throw RuleFile.error(error, in: json, named: name) }
        do throws(MartletError) {
            table = try RuleTable(contents.rules, match: contents.match, loops: contents.loops)
        } catch { throw RuleFile.error(error, in: json, named: name) }
        partitioning = contents.partitioning
        patterns = contents.patterns
    }

    private struct Contents: Decodable {
        var match = RuleTable.Match.all
        var loops = RuleTable.Loops.refuse
        var partitioning: Partitioning?
        var patterns: [TopicPattern] = []
        var rules: [Rule] = []

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(
                of: ["match", "loops", "partitions", "key", "patterns", "rules"], in: "the file")
            match = try container.choice("match", RuleTable.Match.all, ["all", "first"])
            loops = try container.choice("loops", RuleTable.Loops.refuse, ["refuse", "bound"])
            rules = try container.decode([Rule].self, forKey: NameKey("rules"))
            patterns = try container.patterns("patterns")
            let key = try container.decodeIfPresent(String.self, forKey: NameKey("key"))
            let source = try key.map { try Partitioning.KeySource($0) } ?? .key
            if let count = try container.decodeIfPresent(Int.self, forKey: NameKey("partitions")) {
                partitioning = try Partitioning(count, by: source)
            } else if key != nil {
                throw MartletError(
                    .invalidExpression, "`key` says nothing without `partitions`. Add it.")
            }
        }
    }

    // MARK: Errors

    /// Where in the file an error is, and in which rule.
    private static func error(
        _ error: MartletError, in json: Bytes, named name: String
    ) -> MartletError {
        let reader = try? PayloadReader(json, .json)
        var offset: Int?
        var rule: Int?
        var reason = error.message
        if let failure = error.cause as? CodingFailure {
            offset = failure.byteOffset
            reason = failure.reason
            rule = index(in: failure.path)
        } else if let failure = error.cause as? RuleFailure {
            offset = reader?.byteOffset(at: [.key("rules"), .index(failure.place)])
            rule = failure.place
            reason = failure.reason
        }
        var place = name
        if let offset { place += position(of: offset, in: json) }
        if let rule, let reader,
            case .text(let title)? = try? reader.value(
                at: [.key("rules"), .index(rule), .key("name")])
        {
            place += ": rule `\(title.prefix(60))`"
        } else if let rule {
            place += ": rule \(rule + 1)"
        }
        return MartletError(.invalidExpression, "\(place): \(reason)", cause: error)
    }

    /// The number in `rules[3].when`.
    private static func index(in path: String) -> Int? {
        guard path.hasPrefix("rules[") else { return nil }
        return Int(path.dropFirst(6).prefix { $0 != "]" })
    }

    /// Line and column, both from 1.
    private static func position(of offset: Int, in json: Bytes) -> String {
        let before = json.array().prefix(offset)
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        let column = String(decoding: before[start...], as: UTF8.self).count + 1
        return ":\(line):\(column)"
    }
}

extension Partitioning.KeySource {
    /// The source that a text names: a path such as `data.customer.id`, `partitionkey`, or another
    /// attribute.
    public init(_ text: String) throws(MartletError) {
        if text == "data" || text.hasPrefix("data.") || text.hasPrefix("data[") {
            self = .payload(try PayloadPath(text))
        } else {
            let field = try EventField(text)
            self = field.kind == .key ? .key : .field(field)
        }
    }
}

// MARK: - Rules in JSON

extension Rule: Decodable {
    /// The rule that is written there.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(
            of: ["name", "topics", "when", "then"], in: "a rule")
        self.init(
            try container.decode(String.self, forKey: NameKey("name")),
            topics: try container.patterns("topics"),
            when: try container.decodeIfPresent(Filter.self, forKey: NameKey("when")),
            then: try container.decode([RuleAction].self, forKey: NameKey("then")))
    }
}

extension RuleAction: Decodable {
    private static let verbs = ["send", "copy", "rename", "set"]

    /// The action that is written there.
    public init(from decoder: any Decoder) throws {
        if let word = try? decoder.singleValueContainer().decode(String.self) {
            switch word {
            case "drop": self = .drop
            case "stop": self = .stop
            default:
                throw MartletError(
                    .invalidExpression,
                    "There is no action `\(word.prefix(40))`. There are \"drop\", \"stop\", and "
                        + "objects with send, copy, rename or set.")
            }
            return
        }
        let container = try decoder.container(of: RuleAction.verbs, in: "an action")
        guard container.allKeys.count == 1, let verb = container.allKeys.first else {
            throw MartletError(
                .invalidExpression,
                "An action does one thing, not \(container.allKeys.count). Make several of it.")
        }
        switch verb.stringValue {
        case "send": self = .send(try container.topics(verb))
        case "copy": self = .copy(try container.topics(verb))
        case "rename": self = .rename(try Topic(container.decode(String.self, forKey: verb)))
        default: self = try RuleAction.set(container, verb)
        }
    }

    private static func set(
        _ container: KeyedDecodingContainer<NameKey>, _ verb: NameKey
    ) throws -> RuleAction {
        let values = try container.nestedContainer(keyedBy: NameKey.self, forKey: verb)
        guard values.allKeys.count == 1, let name = values.allKeys.first else {
            throw MartletError(
                .invalidExpression,
                "`set` sets one attribute, not \(values.allKeys.count). Make several of it.")
        }
        let field = try EventField(name.stringValue)
        if try values.decodeNil(forKey: name) { return .set(field, nil) }
        if let value = try? values.decode(Bool.self, forKey: name) {
            return .set(field, .boolean(value))
        }
        if let value = try? values.decode(Int32.self, forKey: name) {
            return .set(field, .integer(value))
        }
        return .set(field, .string(try values.decode(String.self, forKey: name)))
    }
}

extension Decoder {
    /// A container that has no other keys than these.
    fileprivate func container(
        of keys: [String], in what: String
    ) throws -> KeyedDecodingContainer<NameKey> {
        let container = try container(keyedBy: NameKey.self)
        let unknown = container.allKeys.first { !keys.contains($0.stringValue) }
        if let unknown {
            throw MartletError(
                .invalidExpression,
                "`\(unknown.stringValue.prefix(40))` means nothing in \(what). It may have "
                    + keys.joined(separator: ", ") + ".")
        }
        return container
    }
}

extension KeyedDecodingContainer<NameKey> {
    fileprivate func patterns(_ name: String) throws -> [TopicPattern] {
        try (decodeIfPresent([String].self, forKey: NameKey(name)) ?? [])
            .map { try TopicPattern($0) }
    }

    /// One topic, or several.
    fileprivate func topics(_ key: NameKey) throws -> [Topic] {
        if let one = try? decode(String.self, forKey: key) { return [try Topic(one)] }
        return try decode([String].self, forKey: key).map { try Topic($0) }
    }

    fileprivate func choice<Choice: RawRepresentable>(
        _ name: String, _ usual: Choice, _ choices: [String]
    ) throws -> Choice where Choice.RawValue == String {
        guard let text = try decodeIfPresent(String.self, forKey: NameKey(name)) else {
            return usual
        }
        guard let choice = Choice(rawValue: text) else {
            throw MartletError(
                .invalidExpression,
                "`\(name)` is \(choices.joined(separator: " or ")), not `\(text.prefix(40))`.")
        }
        return choice
    }
}
