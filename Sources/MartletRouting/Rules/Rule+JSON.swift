extension Rule: Decodable {
    /// The rule that is written there.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(
            of: ["name", "topics", "when", "then"], in: "a rule")
        self.init(
            try container.decode(String.self, forKey: NameKey("name")),
            topics: try container.optional("topics", RuleTopics.self)?.patterns ?? [],
            when: try container.optional("when", Filter.self),
            then: try container.decode(Actions.self, forKey: NameKey("then")).actions)
    }

    /// What a rule is about: one pattern at least, where it says so at all.
    private struct RuleTopics: Decodable {
        let patterns: [TopicPattern]

        init(from decoder: any Decoder) throws {
            patterns = try Patterns(from: decoder).patterns
            guard !patterns.isEmpty else {
                throw MartletError(
                    .invalidExpression,
                    "`topics` is empty, which would mean all. Leave it out for all topics.")
            }
        }
    }

    /// One action, or several.
    private struct Actions: Decodable {
        let actions: [RuleAction]

        init(from decoder: any Decoder) throws {
            if (try? decoder.unkeyedContainer()) != nil {
                actions = try decoder.singleValueContainer().decode([RuleAction].self)
            } else {
                actions = [try RuleAction(from: decoder)]
            }
        }
    }
}

extension RuleAction: Decodable {
    /// The action that is written there.
    public init(from decoder: any Decoder) throws {
        if let word = try? decoder.singleValueContainer().decode(String.self) {
            switch word {
            case "drop": self = .drop
            case "stop": self = .stop
            default:
                throw MartletError(
                    .invalidExpression,
                    "There is no action `\(word.prefix(40))`. \(RuleAction.advice)")
            }
            return
        }
        guard (try? decoder.container(keyedBy: NameKey.self)) != nil else {
            throw MartletError(.invalidExpression, "This is no action. \(RuleAction.advice)")
        }
        let container = try decoder.container(
            of: ["send", "copy", "rename", "set"], in: "an action")
        guard container.allKeys.count == 1, let verb = container.allKeys.first else {
            throw MartletError(
                .invalidExpression,
                "An action does one thing, not \(container.allKeys.count). Make several of it.")
        }
        switch verb.stringValue {
        case "send": self = .send(try container.decode(Topics.self, forKey: verb).topics)
        case "copy": self = .copy(try container.decode(Topics.self, forKey: verb).topics)
        case "rename": self = .rename(try Topic(container.decode(String.self, forKey: verb)))
        default:
            let change = try container.decode(Change.self, forKey: verb)
            self = .set(change.field, change.value)
        }
    }

    private static let advice =
        "There are \"drop\", \"stop\", and objects with send, copy, rename or set."

    /// One topic, or several.
    private struct Topics: Decodable {
        let topics: [Topic]

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let one = try? container.decode(String.self) {
                topics = [try Topic(one)]
            } else if let several = try? container.decode([String].self) {
                topics = try several.map { try Topic($0) }
            } else {
                throw MartletError(
                    .invalidExpression, "A topic must stand here, or several in [ ].")
            }
        }
    }

    /// An attribute and its new value.
    private struct Change: Decodable {
        let field: EventField
        let value: AttributeValue?

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: NameKey.self)
            guard values.allKeys.count == 1, let name = values.allKeys.first else {
                throw MartletError(
                    .invalidExpression,
                    "`set` sets one attribute, not \(values.allKeys.count). Make several of it.")
            }
            field = try EventField(name.stringValue)
            if try values.decodeNil(forKey: name) {
                value = nil
            } else if let flag = try? values.decode(Bool.self, forKey: name) {
                value = .boolean(flag)
            } else if let number = try? values.decode(Int32.self, forKey: name) {
                value = .integer(number)
            } else if let text = try? values.decode(String.self, forKey: name) {
                value = .string(text)
            } else {
                throw MartletError(
                    .invalidExpression,
                    "`\(field)` can be a text, true, false, a whole number of 32 bits, or null.")
            }
        }
    }
}
