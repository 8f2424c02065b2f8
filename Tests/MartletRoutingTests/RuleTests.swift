import MartletRouting
import Testing

/// What rules do with events.
@Suite struct RuleTests {
    static func outputs(_ decision: RoutingDecision) -> [String] {
        decision.outputs.map(\.topic.text)
    }

    static func order(total: Int, hops: AttributeValue? = nil) throws -> CloudEvent {
        var attributes = try EventAttributes(["region": "eu"])
        try attributes.set("hops", to: hops)
        return try CloudEvent(
            id: "A-17", source: "/shop", type: "orders.placed", contentType: .json,
            attributes: attributes, data: Bytes(utf8: #"{"total": \#(total)}"#))
    }

    static func table(match: RuleTable.Match = .all) throws -> RuleTable {
        try RuleTable(match: match) {
            Rule(
                "large", topics: ["orders.placed"], when: try .sql("data.total > 1000"),
                then: .set("priority", "high"), .copy(to: "audit.orders"))
            Rule(
                "urgent", topics: ["orders.placed"], when: try .exact(["priority": "high"]),
                then: .rename("orders.urgent"))
            Rule("small", topics: ["orders.>"], when: try .sql("data.total < 10"), then: .drop)
            Rule(
                "fallback", topics: ["orders.*"], when: try .sql("region = 'us'"),
                then: .send(to: "us.orders"))
        }
    }

    @Test func allThatMatchApplyInOrder() throws {
        let event = try Self.order(total: 4_200)
        let decision = try Self.table().route(event)
        #expect(decision.rules == ["large", "urgent"])
        #expect(Self.outputs(decision) == ["audit.orders", "orders.urgent"])
        #expect(Self.outputs(try Self.table().route(event.recorded())) == Self.outputs(decision))
        let copy = try decision.outputs[0].cloudEvent()
        #expect(copy.eventID == event.eventID)
        #expect(copy.data == event.data)
        #expect(copy.type == "orders.placed")
        #expect(try copy.topic() == "audit.orders")
        #expect(copy.attributes["priority"] == "high")
        #expect(copy.attributes["hops"] == 1)
        #expect(decision.outputs[0].rule == "large")
    }

    @Test func theFirstAloneMayApply() throws {
        let decision = try Self.table(match: .first).route(Self.order(total: 4_200))
        #expect(decision.rules == ["large"])
        #expect(Self.outputs(decision) == ["audit.orders", "orders.placed"])
    }

    @Test func whatNoRuleMeansGoesOnAsItCame() throws {
        let event = try Self.order(total: 100)
        let decision = try Self.table().route(event)
        #expect(decision.rules == [])
        #expect(decision.outputs.count == 1)
        #expect(decision.outputs[0].isUnchanged)
        #expect(try decision.outputs[0].cloudEvent() == event)
    }

    @Test func droppedAndSentEventsLeaveTheirTopic() throws {
        #expect(try Self.table().route(Self.order(total: 5)).outputs.isEmpty)
        let table = try RuleTable {
            Rule("us", topics: ["orders.*"], then: .send([Topic("a.b"), Topic("c.d")]))
        }
        let decision = try table.route(Self.order(total: 5))
        #expect(Self.outputs(decision) == ["a.b", "c.d"])
    }

    @Test func stopEndsTheWalk() throws {
        let table = try RuleTable {
            Rule("one", topics: ["orders.*"], then: .copy(to: "a.b"), .stop)
            Rule("two", topics: ["orders.*"], then: .drop)
        }
        let decision = try table.route(Self.order(total: 5))
        #expect(Self.outputs(decision) == ["a.b", "orders.placed"])
        #expect(decision.rules == ["one"])
    }

    @Test func attributesAreSetAndRemoved() throws {
        let table = try RuleTable {
            Rule(
                "set", then: .set("subject", "s"), .set("region", nil), .set("level", 3),
                .set("partitionkey", "k"))
            Rule(
                "seen", when: try .sql("NOT EXISTS region AND level = 3"), then: .set("seen", true))
        }
        let output = try table.route(Self.order(total: 5)).outputs[0]
        #expect(!output.isUnchanged)
        let event = try output.cloudEvent()
        #expect(event.attributes.subject == "s")
        #expect(event.attributes["region"] == nil)
        #expect(event.attributes["level"] == 3)
        #expect(event.attributes["seen"] == true)
        #expect(event.key == "k")
        #expect(event.attributes["hops"] == nil)
        #expect(event.attributes["topic"] == nil)
    }

    @Test func loopsEndAfterEightHops() throws {
        let table = try RuleTable(loops: .bound) {
            Rule("round", topics: ["orders.*"], then: .send(to: "orders.again"))
        }
        var event = try Self.order(total: 5)
        for hop in 1...8 {
            let decision = try table.route(event)
            #expect(decision.refused == [])
            event = try decision.outputs[0].cloudEvent()
            #expect(event.attributes["hops"] == .integer(Int32(hop)))
        }
        let last = try table.route(event)
        #expect(last.refused == ["round"])
        #expect(Self.outputs(last) == ["orders.again"])
        #expect(last.outputs[0].isUnchanged)
    }

    @Test func renamedEventsCountTheirHops() throws {
        let table = try RuleTable([Rule("old", topics: ["orders.*"], then: .rename("new.orders"))])
        let decision = try table.route(Self.order(total: 5, hops: 3))
        #expect(Self.outputs(decision) == ["new.orders"])
        #expect(try decision.outputs[0].cloudEvent().attributes["hops"] == 4)
    }

    /// Rules look at an event under its own topic; under another one it meets them again there.
    @Test func aRenamedEventMeetsRulesUnderItsNewName() throws {
        let table = try RuleTable([
            Rule("rename", topics: ["old.*"], then: .rename("new.x")),
            Rule("audit", topics: ["new.*"], then: .copy(to: "audit.x")),
        ])
        let first = try table.route(.sample(type: "old.x"))
        #expect(Self.outputs(first) == ["new.x"])
        let second = try table.route(first.outputs[0].cloudEvent())
        #expect(Self.outputs(second) == ["audit.x", "new.x"])
        #expect(first.rules + second.rules == ["rename", "audit"])
    }

    @Test func anEventGoesToEachTopicOnce() throws {
        let table = try RuleTable([
            Rule("one", topics: ["orders.*"], then: .copy(to: "a.b"), .set("late", true)),
            Rule("two", topics: ["orders.*"], then: .copy([Topic("a.b"), Topic("c.d")])),
            Rule("three", topics: ["orders.*"], then: .send(to: "c.d")),
        ])
        let decision = try table.route(Self.order(total: 5))
        #expect(Self.outputs(decision) == ["a.b", "c.d"])
        #expect(decision.outputs[0].rule == "one")
        #expect(try decision.outputs[0].cloudEvent().attributes["late"] == nil)
        #expect(try decision.outputs[1].cloudEvent().attributes["late"] == true)
        #expect(decision.outputs[1].rule == "two")
    }

    @Test func sentAndDroppedEventsAreWhereTheyWereSent() throws {
        let table = try RuleTable([
            Rule("send", topics: ["orders.*"], then: .send(to: "a.b")),
            Rule("drop", topics: ["orders.*"], then: .drop),
        ])
        #expect(Self.outputs(try table.route(Self.order(total: 5))) == ["a.b"])
        let bound = try RuleTable(
            [Rule("self", topics: ["orders.*"], then: .copy(to: "orders.placed"))], loops: .bound)
        #expect(Self.outputs(try bound.route(Self.order(total: 5))) == ["orders.placed"])
    }

    @Test(arguments: ["x", -1, 8, "99", true] as [AttributeValue])
    func hopsThatCannotBeReadCountAsTooMany(hops: AttributeValue) throws {
        let table = try RuleTable { Rule("on", topics: ["orders.*"], then: .send(to: "a.b")) }
        let decision = try table.route(Self.order(total: 5, hops: hops))
        #expect(decision.refused == ["on"])
        #expect(Self.outputs(decision) == ["orders.placed"])
    }

    /// The search for circles takes the time that there are rules, not their square.
    @Test func largeTablesAreReadSoon() throws {
        let rules = try (0..<1_024).map { number in
            Rule(
                "r\(number)",
                topics: try (0..<60).map { try TopicPattern("s\(number).t\($0).*") },
                then: .copy(try (0..<60).map { try Topic("s\(number + 1).t\($0).x") }))
        }
        #expect(try RuleTable(rules).rules.count == 1_024)
    }

    @Test func circlesAreRefused() throws {
        let circles: [[Rule]] = [
            [Rule("self", topics: ["a.>"], then: .send(to: "a.b"))],
            [Rule("all", then: .copy(to: "a.b"))],
            [
                Rule("there", topics: ["a.*"], then: .send(to: "b.x")),
                Rule("other", topics: ["c.*"], then: .send(to: "d.x")),
                Rule("back", topics: ["b.*"], then: .rename("a.x")),
            ],
            (0..<10).map {
                Rule(
                    "r\($0)", topics: [try! TopicPattern("t\($0).*")],
                    then: .send(to: try! Topic("t\(($0 + 1) % 10).x")))
            },
        ]
        for rules in circles {
            let error = failure { _ = try RuleTable(rules) }
            #expect(error?.code == .invalidExpression)
            #expect(error?.message.contains("circle") == true)
            _ = try RuleTable(rules, loops: .bound)
        }
        // Nothing on the audit topics comes to the rule that copies everything there.
        let copies = Rule("all", then: .copy(to: "audit.all"))
        _ = try RuleTable([Rule("stays", topics: ["audit.>"], then: .stop), copies])
        _ = try RuleTable(
            [Rule("stays", topics: ["audit.>"], then: .set("x", 1)), copies], match: .first)
        let perhaps = try Filter.exact(["x": "1"])
        #expect(
            failure {
                _ = try RuleTable([
                    Rule("stays", topics: ["audit.>"], when: perhaps, then: .stop), copies,
                ])
            } != nil)
        #expect(
            failure {
                _ = try RuleTable([Rule("stays", topics: ["audit.>"], then: .set("x", 1)), copies])
            } != nil)
        _ = try RuleTable([
            Rule("a", topics: ["a.*"], then: .send(to: "b.x")),
            Rule("b", topics: ["b.*"], then: .send(to: "c.x"), .copy(to: "d.x")),
            Rule("c", topics: ["c.*", "d.*"], then: .set("x", 1), .drop),
            Rule("all", then: .set("y", 1)),
        ])
    }

    @Test func rulesThatCannotBeMeantSo() throws {
        let many = try (0...64).map { try Topic("t\($0)") }
        let tables: [(rules: [Rule], words: String)] = [
            ([Rule("", then: .drop)], "needs a name"),
            ([Rule("a\u{1B}[31m", then: .drop)], "control character"),
            ([Rule("a", then: [])], "does nothing"),
            ([Rule("a", then: .drop), Rule("a", then: .stop)], "another rule has this name"),
            ([Rule("a", topics: ["q"], then: .drop, .set("x", 1))], "nothing can follow `drop`"),
            (
                [Rule("a", topics: ["q"], then: .stop, .copy(to: "a.b"))],
                "nothing can follow `stop`"
            ),
            (
                [Rule("a", topics: ["q"], then: .rename("a.b"), .drop)],
                "nothing can follow `rename`"
            ),
            ([Rule("a", then: .send([]))], "names no topic"),
            ([Rule("a", topics: ["q"], then: .send([many[0], many[0]]))], "twice"),
            ([Rule("a", topics: ["q"], then: .copy(to: "b"), .send(to: "b"))], "twice"),
            ([Rule("a", then: .set("type", "x"))], "`type` cannot be set"),
            ([Rule("a", then: .set("id", "x"))], "`id` cannot be set"),
            ([Rule("a", then: .set("topic", "x"))], "`topic` cannot be set"),
            ([Rule("a", then: .set("hops", 0))], "`hops` cannot be set"),
            ([Rule("a", then: .set("x", .string("\u{1}")))], "control character"),
            ([Rule("a", then: .set("subject", ""))], "is empty"),
            ([Rule("a", topics: ["q"], then: .copy(many))], "more than 64 topics"),
            (
                [Rule("a", topics: many.map { TopicPattern($0) }, then: .drop)],
                "more than 64 topics"
            ),
            ((0..<1_025).map { Rule("r\($0)", then: .drop) }, "at most 1024 rules"),
        ]
        for (rules, words) in tables {
            let error = failure { _ = try RuleTable(rules) }
            #expect(error?.code == .invalidExpression)
            #expect(error?.message.contains(words) == true, "\(error?.message ?? words)")
        }
    }

    @Test func explanationsSayWhy() throws {
        let explanation = try Self.table(match: .first).explain(
            Self.order(total: 100), partitioning: Partitioning(16, by: .payload("data.total")),
            patterns: ["orders.>", "audit.>", "orders.*"])
        #expect(
            explanation.rules.map(\.outcome) == [
                .filteredOut, .filteredOut, .filteredOut, .filteredOut,
            ])
        #expect(
            explanation.rules[0].reason == "`data.total > 1000` is false: `data.total` is `100`")
        #expect(explanation.rules[1].reason == "the event has no `priority`")
        #expect(explanation.lanes == [try Partitioning(16).lane(ofKey: "100")])
        #expect(explanation.patterns == [["orders.>", "orders.*"]])

        let large = try Self.table(match: .first).explain(Self.order(total: 4_200))
        #expect(large.rules.map(\.outcome) == [.matched, .notReached, .notReached, .notReached])
        #expect(large.rules[3].reason == "rule `large` matched first")

        let other = try Self.table().explain(.sample(type: "users.registered"))
        #expect(other.rules[1].outcome == .otherTopic)
        #expect(other.rules[1].reason == "`users.registered` is not meant by `orders.placed`")
    }

    @Test func buildersTakeConditionsAndLoops() throws {
        let isAudited = true
        let table = try RuleTable {
            if isAudited { Rule("audit", topics: ["orders.>"], then: .copy(to: "audit.orders")) }
            for region in ["eu", "us"] {
                Rule(
                    region, topics: ["orders.>"], when: try .exact(["region": region]),
                    then: .copy(to: try Topic("\(region).orders")))
            }
        }
        #expect(table.rules.map(\.name) == ["audit", "eu", "us"])
        #expect(
            Self.outputs(try table.route(Self.order(total: 1))) == [
                "audit.orders", "eu.orders", "orders.placed",
            ])
    }
}
