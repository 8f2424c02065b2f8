/// Rules in their order, and what becomes of an event that goes through them.
///
/// ```
/// let table = try RuleTable {
///     Rule("large orders", topics: ["orders.placed"], when: try .sql("data.total > 1000"),
///          then: .copy(to: "audit.orders"), .set("priority", "high"))
///     Rule("tests", when: try .exact(["source": "/test"]), then: .drop)
/// }
/// ```
///
/// Rules look at an event under its own topic; what they send elsewhere meets rules there again. A
/// table whose rules can send an event in a circle is refused unless you allow it; and wherever
/// tables send to each other, every event carries in its extension `hops` how often it has been
/// sent on. After eight times it stays where it is: rules that would send it on do nothing.
public struct RuleTable: Sendable, Hashable {
    /// How many of the rules that match apply.
    public enum Match: String, Sendable, Hashable, CaseIterable {
        /// The first one alone.
        case first
        /// All of them, in their order.
        case all
    }

    /// What to think of rules that can send an event in a circle.
    public enum Loops: String, Sendable, Hashable, CaseIterable {
        /// Such a table is an error.
        case refuse
        /// The event goes round until it has been sent on eight times.
        case bound
    }

    /// The rules.
    public let rules: [Rule]
    /// How many of those that match apply.
    public let match: Match
    /// What was thought of circles.
    public let loops: Loops

    /// A table. It throws `invalidExpression` when a rule cannot be meant so, when two have one
    /// name, or when rules send in a circle and `loops` does not allow it.
    public init(
        _ rules: [Rule], match: Match = .all, loops: Loops = .refuse
    ) throws(MartletError) {
        guard rules.count <= Limits.rulesMax else {
            throw MartletError(
                .invalidExpression,
                "A table has at most \(Limits.rulesMax) rules, not \(rules.count). Split it up.")
        }
        var names: Set<String> = []
        for (place, rule) in rules.enumerated() {
            if let failure = rule.failure { throw RuleFailure(place, failure).error(rule.name) }
            guard names.insert(rule.name).inserted else {
                throw RuleFailure(place, "another rule has this name. Give it its own.")
                    .error(rule.name)
            }
        }
        if loops == .refuse, let loop = RuleLoop.find(in: rules, match) {
            throw loop.error
        }
        self.rules = rules
        self.match = match
        self.loops = loops
    }

    /// The same with the rules in a builder.
    public init(
        match: Match = .all, loops: Loops = .refuse, @RuleBuilder _ rules: () throws -> [Rule]
    ) throws {
        try self.init(rules(), match: match, loops: loops)
    }

    /// What becomes of an event.
    public func route(_ event: RecordedEvent) -> RoutingDecision {
        var walk = RuleWalk(self, RoutedEvent(.recorded(event), event.topic), of: event)
        return walk.run(over: event)
    }

    /// What becomes of an event. It throws `invalidTopic` when neither its extension `topic` nor
    /// its type is a topic.
    public func route(_ event: CloudEvent) throws(MartletError) -> RoutingDecision {
        var walk = RuleWalk(self, RoutedEvent(.other(event), try event.topic()), of: event)
        return walk.run(over: event)
    }
}

/// Rules one after another, with conditions and loops around them.
@resultBuilder
public enum RuleBuilder {
    /// One rule.
    public static func buildExpression(_ rule: Rule) -> [Rule] { [rule] }
    /// Several rules.
    public static func buildExpression(_ rules: [Rule]) -> [Rule] { rules }
    /// One after another.
    public static func buildBlock(_ rules: [Rule]...) -> [Rule] { rules.flatMap { $0 } }
    /// Those that there are.
    public static func buildOptional(_ rules: [Rule]?) -> [Rule] { rules ?? [] }
    /// Those of the branch that was taken.
    public static func buildEither(first rules: [Rule]) -> [Rule] { rules }
    /// Those of the branch that was taken.
    public static func buildEither(second rules: [Rule]) -> [Rule] { rules }
    /// Those of every turn.
    public static func buildArray(_ rules: [[Rule]]) -> [Rule] { rules.flatMap { $0 } }
}

/// Which rule of a table is at fault: the cause of the error that the table throws.
struct RuleFailure: Error {
    /// Where it stands in the table.
    let place: Int
    let reason: String

    init(_ place: Int, _ reason: String) {
        self.place = place
        self.reason = reason
    }

    func error(_ name: String) -> MartletError {
        MartletError(
            .invalidExpression, "Rule `\(name.prefix(60))`: \(reason)", cause: self)
    }
}
