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
/// What rules send somewhere may meet rules there again. A table whose rules can send an event in a
/// circle is refused unless you allow it; and wherever tables send to each other, every event
/// carries in its extension `hops` how often it has been sent on, and after eight times stays where
/// it is.
public struct RuleTable: Sendable, Hashable {
    /// How many of the rules that match apply.
    public enum Match: String, Sendable, Hashable {
        /// The first one alone.
        case first
        /// All of them, in their order.
        case all
    }

    /// What to think of rules that can send an event in a circle.
    public enum Loops: String, Sendable, Hashable {
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
        if loops == .refuse, let loop = RuleLoop.find(in: rules) { throw loop.error }
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
        var walk = RuleWalk(table: self, RoutedEvent(.recorded(event), event.topic))
        return walk.run(over: event)
    }

    /// What becomes of an event. It throws `invalidTopic` when neither its extension `topic` nor
    /// its type is a topic.
    public func route(_ event: CloudEvent) throws(MartletError) -> RoutingDecision {
        var walk = RuleWalk(table: self, RoutedEvent(.other(event), try event.topic()))
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

/// Rules that can send an event in a circle.
struct RuleLoop {
    let rules: [Rule]
    /// Where the first of them stands in the table.
    let place: Int

    /// A circle, if there is one: each of its rules sends to a topic that the next one is about,
    /// and the last to one of the first's. What filters let pass does not count: whether they do
    /// depends on the event.
    static func find(in rules: [Rule]) -> RuleLoop? {
        let next = rules.map { rule in
            rules.indices.filter { place in rule.targets.contains { rules[place].isAbout($0) } }
                .filter { !rules[$0].targets.isEmpty }
        }
        var isDone = [Bool](repeating: false, count: rules.count)
        for start in rules.indices where !isDone[start] {
            // The way from the start, and how many of the next rules have been looked at.
            var way: [(rule: Int, looked: Int)] = [(start, 0)]
            while let (rule, looked) = way.last {
                guard looked < next[rule].count else {
                    isDone[rule] = true
                    way.removeLast()
                    continue
                }
                way[way.count - 1].looked += 1
                let following = next[rule][looked]
                if let place = way.firstIndex(where: { $0.rule == following }) {
                    return RuleLoop(
                        rules: way[place...].map { rules[$0.rule] }, place: way[place].rule)
                }
                if !isDone[following] { way.append((following, 0)) }
            }
        }
        return nil
    }

    var error: MartletError {
        let steps = rules.indices.map { place in
            let following = rules[(place + 1) % rules.count]
            let topic = rules[place].targets.first { following.isAbout($0) }
            return "`\(rules[place].name)` sends to `\(topic?.text ?? "")`, which "
                + "`\(following.name)` is about"
        }
        return RuleFailure(
            place,
            "it sends events in a circle: \(steps.joined(separator: "; ")). Give one of them "
                + "`topics` that leave the other's target out, or allow circles with the loops "
                + "`bound`."
        ).error(rules[0].name)
    }
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
