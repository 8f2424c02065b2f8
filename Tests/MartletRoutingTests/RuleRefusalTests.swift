import MartletRouting
import Testing

/// Rules that cannot do what they say, and what becomes of the event.
@Suite struct RuleRefusalTests {
    /// A rule that cannot send the event on does nothing, and no other may lose the event.
    @Test func whatCannotBeSentOnStays() throws {
        let event = try RuleTests.order(total: 5, hops: 8)
        let (own, elsewhere) = (["orders.placed"], [String]())
        let drop = Rule("drop", topics: ["orders.*"], then: .drop)
        let cases: [(rules: [Rule], match: RuleTable.Match, applied: [String], outputs: [String])] =
            [
                ([Rule("m", topics: ["orders.*"], then: .copy(to: "a.b"), .drop)], .all, [], own),
                ([Rule("m", topics: ["orders.*"], then: .rename("a.b")), drop], .all, [], own),
                (
                    [Rule("m", topics: ["orders.*"], then: .send(to: "a.b")), drop], .all, ["drop"],
                    own
                ),
                (
                    [Rule("m", topics: ["orders.*"], then: .copy(to: "a.b")), drop], .all, ["drop"],
                    elsewhere
                ),
                ([Rule("m", topics: ["orders.*"], then: .send(to: "a.b")), drop], .first, [], own),
            ]
        for (rules, match, applied, outputs) in cases {
            let table = try RuleTable(rules, match: match)
            let decision = try table.route(event)
            #expect(decision.refused == ["m"])
            #expect(decision.rules == applied)
            #expect(RuleTests.outputs(decision) == outputs)
            #expect(try table.explain(event).rules[0].outcome == .refused)
        }
    }

    static func full(_ count: Int) throws -> CloudEvent {
        var attributes = EventAttributes()
        for number in 0..<count { try attributes.set(AttributeName("a\(number)"), to: 1) }
        return try CloudEvent(id: "1", source: "/s", type: "orders.placed", attributes: attributes)
    }

    @Test func attributesThatDoNotFitAreRefused() throws {
        let event = try Self.full(64)
        let table = try RuleTable([
            Rule("copy", topics: ["orders.*"], then: .copy(to: "a.b")),
            Rule("set", then: .set("late", true)),
            Rule("change", then: .set("a0", 2)),
            Rule("swap", then: .set("a1", nil), .set("late", true)),
        ])
        for decision in [try table.route(event), table.route(try event.recorded())] {
            #expect(decision.refused == ["copy", "set"])
            #expect(decision.rules == ["change", "swap"])
            let event = try #require(decision.outputs.first).cloudEvent()
            #expect(event.attributes["late"] == true)
        }
        // What is dropped needs no room.
        let dropping = try RuleTable([Rule("drop", then: .set("late", true), .drop)])
        #expect(try dropping.route(event).outputs.isEmpty)
        // A rule that only sets holds nothing back.
        let both = try RuleTable([Rule("set", then: .set("late", true)), Rule("drop", then: .drop)])
        #expect(try both.route(event).outputs.isEmpty)
    }

    /// Whatever goes out can be put into a frame, and read as JSON.
    @Test(arguments: 60...64) func whatGoesOutCanGoOut(count: Int) throws {
        let event = try Self.full(count)
        let table = try RuleTable([
            Rule("copy", topics: ["orders.*"], then: .copy(to: "x.y"), .set("partitionkey", 5)),
            Rule("send", topics: ["orders.*"], then: .set("late", true), .send(to: "a.b")),
        ])
        for decision in [try table.route(event), table.route(try event.recorded())] {
            #expect(decision.outputs.isEmpty == false)
            for output in decision.outputs {
                let event = try output.cloudEvent()
                #expect(try event.recorded().topic == output.topic)
                let again = try CloudEventsJSON.decode(from: CloudEventsJSON.encode(event))
                #expect(again.attributes == event.attributes)
            }
        }
    }

    @Test func eventsThatWouldBeTooLargeStay() throws {
        let table = try RuleTable([Rule("send", topics: ["orders.*"], then: .send(to: "x.y"))])
        var refused = 0
        for missing in stride(from: 100, through: 1_000, by: 50) {
            let payload = Bytes([UInt8](repeating: 0x31, count: Limits.eventBytesMax - missing))
            let event = try CloudEvent(
                id: "1", source: "/s", type: "orders.placed", contentType: .bytes, data: payload)
            guard let recorded = try? event.recorded() else { continue }
            for decision in [try table.route(event), table.route(recorded)] {
                refused += decision.refused.count
                for output in decision.outputs { _ = try output.cloudEvent().recorded() }
                #expect(decision.outputs.count == 1)
            }
        }
        #expect(refused > 0)
    }

    @Test func whatIsSetIsWhatWillBeSeen() throws {
        let table = try RuleTable([
            Rule("set", then: .set("subject", 5), .set("partitionkey", true)),
            Rule(
                "seen", when: try .sql("'05' = subject OR partitionkey = 'true'"),
                then: .set("x", 1)),
        ])
        let output = try #require(table.route(RuleTests.order(total: 1)).outputs.first).cloudEvent()
        #expect(output.attributes["x"] == 1)
        #expect(try !Expression("'05' = subject").matches(output))
        #expect(output.attributes.subject == "5")
    }

    /// A rule that matches and can do nothing still ends the way of the event, as the search for
    /// circles has it.
    @Test func aRefusedRuleEndsTheWalkAllTheSame() throws {
        let table = try RuleTable(
            [
                Rule("mark", then: .set("late", true)),
                Rule("ab", topics: ["orders.*"], then: .send(to: "b.b")),
                Rule("ba", topics: ["b.b"], then: .send(to: "orders.x")),
            ], match: .first)
        let decision = try table.route(Self.full(64))
        #expect(decision.refused == ["mark"])
        #expect(RuleTests.outputs(decision) == ["orders.placed"])
    }
}
