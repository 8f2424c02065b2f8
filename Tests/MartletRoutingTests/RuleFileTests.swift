import MartletRouting
import Testing

/// Rules in files.
@Suite struct RuleFileTests {
    static let file = #"""
        {
          "match": "all", "loops": "refuse", "partitions": 16, "key": "data.customer",
          "patterns": ["orders.>"],
          "rules": [
            { "name": "large", "topics": ["orders.placed"], "when": "data.total > 1000",
              "then": [ {"set": {"priority": "high"}}, {"copy": "audit.orders"} ] },
            { "name": "eu", "when": {"exact": {"region": "eu"}},
              "then": [ {"set": {"region": null}}, {"set": {"level": 3}}, {"set": {"old": true}} ]
            },
            { "name": "test", "when": ["type = 'test'", {"prefix": {"source": "/t"}}],
              "then": ["drop"] },
            { "name": "move", "topics": ["old.*"], "then": [ {"rename": "new.name"} ] },
            { "name": "spread", "topics": ["x.*"], "then": [ {"send": ["a.b", "c.d"]} ] }
          ]
        }
        """#

    @Test func aFileIsATable() throws {
        let file = try RuleFile(json: Bytes(utf8: Self.file))
        #expect(file.partitioning == (try Partitioning(16, by: .payload("data.customer"))))
        #expect(file.patterns == ["orders.>"])
        let table = try RuleTable {
            Rule(
                "large", topics: ["orders.placed"], when: try .sql("data.total > 1000"),
                then: .set("priority", "high"), .copy(to: "audit.orders"))
            Rule(
                "eu", when: try .exact(["region": "eu"]),
                then: .set("region", nil), .set("level", 3), .set("old", true))
            Rule(
                "test", when: try .all([.sql("type = 'test'"), .prefix(["source": "/t"])]),
                then: .drop)
            Rule("move", topics: ["old.*"], then: .rename("new.name"))
            Rule("spread", topics: ["x.*"], then: .send([Topic("a.b"), Topic("c.d")]))
        }
        #expect(file.table == table)
    }

    static let rule = "{\"name\": \"a\", \"then\": [\"drop\"]}"

    @Test func oneActionNeedsNoArray() throws {
        let file = try RuleFile(
            json: Bytes(utf8: "{\"rules\": [{\"name\": \"a\", \"then\": \"drop\"}]}"))
        #expect(file.table.rules == [Rule("a", then: .drop)])
    }

    /// What a broken file says.
    @Test(arguments: [
        ("{", "r.json:1:2: the input ends too early"),
        ("[]", "r.json:1:1: "),
        ("{}", "r.json:1:1: there is no value for the key `rules`"),
        ("{\n\"rules\": 5}", "r.json:2:10: "),
        ("{\"rules\": [], \"matches\": 1}", "r.json:1:1: `matches` means nothing in the file"),
        ("{\"rules\": [\(rule)],\n \"match\": \"some\"}", "r.json:2:11: It is `first` or `all`"),
        (
            "{\"rules\": [\(rule)],\n \"partitions\": 0}",
            "r.json:2:16: A stream has 1 to 1024 partitions"
        ),
        ("{\"rules\": [\(rule)],\n \"partitions\": 1.5}", "r.json:2:16: `partitions` is a whole"),
        ("{\"rules\": [\(rule)],\n \"patterns\": \"x\"}", "r.json:2:14: Patterns of topics must"),
        (
            "{\"rules\": [\(rule)],\n \"partitions\": 1, \"key\": \"da ta\"}",
            "r.json:2:26: `da ta` cannot"
        ),
        (
            "{\"rules\": [{\"name\": \"a\", \"topics\": [], \"then\": \"drop\"}]}",
            "rule `a`: `topics` is empty"
        ),
        (
            "{\"rules\": [{\"name\": \"a\", \"topics\": null, \"then\": \"drop\"}]}",
            "rule `a`: Patterns of topics"
        ),
        ("{\"rules\": [{\"name\": \"a\", \"when\": null, \"then\": \"drop\"}]}", "rule `a`: "),
        ("{\"rules\": [{\"name\": \"a\", \"then\": [null]}]}", "rule `a`: This is no action."),
        (
            "{\"rules\": [{\"name\": \"a\", \"topics\": \"x\", \"then\": \"drop\"}]}",
            "rule `a`: Patterns of topics must"
        ),
        (
            "{\"rules\": [{\"name\": \"a\", \"then\": {\"send\": 5}}]}",
            "rule `a`: A topic must stand here"
        ),
        (
            "{\"rules\": [{\"name\": \"a\", \"then\": {\"set\": {\"p\": 1.5}}}]}",
            "rule `a`: `p` can be a text"
        ),
        (
            "{\"rules\": [\(rule)], \"key\": \"a\"}",
            "r.json:1:53: `key` says nothing without `partitions`"
        ),
        ("{\"rules\": [{\"name\": \"a\"}]}", "rule `a`: there is no value for the key `then`"),
        (
            "{\"rules\": [\n {\"name\": \"a\", \"then\": [\"drip\"]}]}",
            "r.json:2:25: rule `a`: There is no action `drip`"
        ),
        (
            "{\"rules\": [{\"name\": \"a\", \"then\": [{\"sent\": \"a\"}]}]}",
            "rule `a`: `sent` means nothing in an action"
        ),
        (
            "{\"rules\": [{\"name\": \"a\", \"wen\": 1, \"then\": []}]}",
            "rule `a`: `wen` means nothing in a rule"
        ),
        (
            "{\"rules\": [\n\n {\"name\": \"a\",\n  \"when\": \"1 =\", \"then\": [\"drop\"]}]}",
            "r.json:4:11: rule `a`: The expression cannot be read"
        ),
        (
            "{\"rules\": [{\"name\": \"a\", \"then\": [{\"send\": \"a b\"}]}]}",
            "rule `a`: `a b` is not a topic"
        ),
        (
            "{\"rules\": [{\"name\": \"a\", \"topics\": [\">.a\"], \"then\": [\"drop\"]}]}",
            "rule `a`: `>.a` is not a pattern"
        ),
        (
            "{\"rules\": [{\"name\": \"a\", \"then\": [{\"set\": {\"A\": 1}}]}]}",
            "rule `a`: `A` cannot name an attribute"
        ),
        (
            "{\"rules\": [{\"name\": \"a\", \"then\": [{\"set\": {\"a\": 1, \"b\": 2}}]}]}",
            "rule `a`: `set` sets one"
        ),
        (
            "{\"rules\": [{\"name\": \"a\", \"then\": [{\"send\": \"a\", \"copy\": \"b\"}]}]}",
            "rule `a`: An action does one"
        ),
        (
            "{\"rules\": [\n{\"name\": \"a\", \"then\": []}]}",
            "r.json:2:1: rule `a`: it does nothing"
        ),
        (
            "{\"rules\": [{\"name\": \"a\", \"then\": [\"drop\"]},\n"
                + "{\"name\": \"a\", \"then\": [\"drop\"]}]}",
            "r.json:2:1: rule `a`: another rule has this name"
        ),
        (
            "{\"rules\": [{\"name\": \"b\", \"then\": {\"set\": {\"x\": 1}}},\n"
                + " {\"name\": \"a\", \"then\": [{\"send\": \"a\"}]}]}",
            "r.json:2:2: rule `a`: it sends events in a circle"
        ),
        ("{\"rules\": [{\"then\": [\"drop\"]}]}", "rule 1: there is no value for the key `name`"),
    ])
    func errorsNameLineAndRule(json: String, expected: String) throws {
        let error = failure { _ = try RuleFile(json: Bytes(utf8: json), named: "r.json") }
        let message = try #require(error?.message)
        #expect(error?.code == .invalidExpression)
        #expect(message.hasPrefix("r.json:"), "\(message)")
        #expect(message.contains(expected), "\(message)")
    }
}
