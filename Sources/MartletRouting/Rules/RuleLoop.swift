/// Rules that can send an event in a circle: each sends to a topic under which the next may look at
/// it, and the last to one of the first's.
///
/// What filters let pass does not count, since that depends on the event. But a rule is out of
/// reach behind one that ends the way of every event on the topic.
struct RuleLoop {
    let rules: [Rule]
    /// Where the first of them stands in the table.
    let place: Int

    /// A circle, if there is one.
    static func find(in rules: [Rule], _ match: RuleTable.Match) -> RuleLoop? {
        let next = RuleReach(rules, match).next
        var isDone = [Bool](repeating: false, count: rules.count)
        var isOnWay = isDone
        for start in rules.indices where !isDone[start] {
            // The way from the start, and how many of the next rules have been looked at.
            var way: [(rule: Int, looked: Int)] = [(start, 0)]
            isOnWay[start] = true
            while let (rule, looked) = way.last {
                guard looked < next[rule].count else {
                    isDone[rule] = true
                    isOnWay[rule] = false
                    way.removeLast()
                    continue
                }
                way[way.count - 1].looked += 1
                let following = next[rule][looked]
                if isOnWay[following] {
                    let circle = way.drop { $0.rule != following }.map { rules[$0.rule] }
                    return RuleLoop(rules: circle, place: following)
                }
                if !isDone[following] {
                    way.append((following, 0))
                    isOnWay[following] = true
                }
            }
        }
        return nil
    }

    /// So many steps of a circle are told.
    private static let stepsMax = 4

    var error: MartletError {
        let steps = rules.indices.prefix(RuleLoop.stepsMax).map { place in
            let following = rules[(place + 1) % rules.count]
            let topic = rules[place].targets.first { following.isAbout($0) }
            return "`\(rules[place].name)` sends to `\(topic?.text ?? "")`, which "
                + "`\(following.name)` is about"
        }
        let rest = rules.count > RuleLoop.stepsMax ? "; and so on, \(rules.count) rules" : ""
        return RuleFailure(
            place,
            "it sends events in a circle: \(steps.joined(separator: "; "))\(rest). Give one of "
                + "them `topics` that leave the other's target out, let a rule before it stop for "
                + "that topic, or allow circles with the loops `bound`."
        ).error(rules[0].name)
    }
}

/// Which rules can meet what a rule sends.
private struct RuleReach {
    /// For each rule the rules that can meet what it sends, and send it on.
    let next: [[Int]]

    init(_ rules: [Rule], _ match: RuleTable.Match) {
        var matcher = TopicMatcher<Int>()
        var always: [Int] = []
        for (place, rule) in rules.enumerated() {
            for pattern in rule.topics { matcher.add(pattern, place) }
            if rule.topics.isEmpty { always.append(place) }
        }
        var known: [Topic: [Int]] = [:]
        next = rules.map { rule in
            var reached: Set<Int> = []
            for topic in rule.targets {
                if known[topic] == nil {
                    let about = Set(matcher.matches(topic)).union(always).sorted()
                    known[topic] = RuleReach.reachable(about, rules, match)
                }
                reached.formUnion(known[topic] ?? [])
            }
            return reached.sorted()
        }
    }

    /// Of the rules about a topic, those that an event can come to and that send.
    private static func reachable(
        _ about: [Int], _ rules: [Rule], _ match: RuleTable.Match
    ) -> [Int] {
        var reachable: [Int] = []
        for place in about {
            let rule = rules[place]
            if rule.sends { reachable.append(place) }
            let endsWay = match == .first || rule.actions.last?.endsWay == true
            if rule.filter == nil, endsWay { break }
        }
        return reachable
    }
}
