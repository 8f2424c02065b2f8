import Foundation
import Testing

/// One file of settings for the programs, with the environment and the command line over it.
@Suite(.timeLimit(.minutes(5))) struct SettingsTests {
    static let file = """
        {
          "node": { "name": "shop", "listen": "tcp://127.0.0.1:0", "journal": "JOURNAL",
            "peer": ["tcp://a:5550", "tcp://b:5550"] },
          "streams": {
            "orders": { "durable": true, "keep": "7d",
              "partitions": 4 },
            "users": { "done": ["one", "two"], "durable": true, "size": "1GiB" }
          },
          "source": { "topic": "orders.in", "key": "data.c" },
          "groups": {
            "mailer": { "topic": ["users.>", "people.*"], "exec": "cat", "width": 4,
              "filter": { "exact": { "type": "users.new" } } },
            "audit": { "topic": "orders.>", "count": true }
          },
          "limits": { "drain-timeout": "5s" },
          "routes": { "rules": [
            { "name": "large", "topics": ["orders.in"],
              "when": "data.total > 1000", "then": [{ "copy": ["orders.large"] },
                       { "set": { "rank": "high" } }] } ] }
        }
        """

    /// Runs a program beside the file, which is as it was but for one replacement.
    static func run(
        _ program: String, _ arguments: [String], replacing old: String = "", with new: String = "",
        environment: [String: String] = [:], input: String = ""
    ) throws -> ControlTests.Outcome {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("martlet-settings-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        var text = file
        if !old.isEmpty {
            #expect(text.contains(old))
            text = text.replacingOccurrences(of: old, with: new)
        }
        text = text.replacingOccurrences(
            of: "JOURNAL", with: folder.appendingPathComponent("journal").path)
        let path = folder.appendingPathComponent("martlet.json")
        try Data(text.utf8).write(to: path)
        return try ControlTests.run(
            arguments, input: input, program: program, in: folder, environment: environment)
    }

    /// The lines of a report as words: key, value and place.
    static func settings(_ outcome: ControlTests.Outcome) -> Set<String> {
        Set(
            outcome.lines.map { line in
                line.split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
            })
    }

    @Test func checkPrintsWhatHoldsAndWhereItComesFrom() throws {
        let outcome = try Self.run(
            "martlet-publisher",
            ["--config", "martlet.json", "--check", "--stream", "orders:keep=1d", "--count", "3"],
            environment: [
                "MARTLET_NODE_NAME": "store", "MARTLET_SOURCE_STAY": "1",
                "MARTLET_STREAMS": "orders:lag=wait sensors",
            ])
        #expect(outcome.errors == "")
        #expect(outcome.status == 0)
        let settings = Self.settings(outcome)
        for line in [
            "node.name store MARTLET_NODE_NAME", "node.listen tcp://127.0.0.1:0 martlet.json:2",
            "node.peer tcp://a:5550 martlet.json:3", "node.peer tcp://b:5550 martlet.json:3",
            "source.topic orders.in martlet.json:9", "source.count 3 --count",
            "source.stay true MARTLET_SOURCE_STAY", "source.rate 10 default",
            "streams.orders.durable true martlet.json:5", "streams.orders.keep 1d --stream",
            "streams.orders.partitions 4 martlet.json:6",
            "streams.orders.lag wait MARTLET_STREAMS", "streams.orders.ring 64MiB default",
            "streams.users.done one+two martlet.json:7", "streams.sensors.durable false default",
            "limits.drain-timeout 5s martlet.json:15", "limits.publish-timeout 30s default",
        ] {
            #expect(settings.contains(line), "\(line) is missing in \(outcome.output)")
        }
    }

    /// The file in Docs/configuration.md is one.
    @Test func theSampleIsInOrder() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(
            contentsOf: root.appendingPathComponent("Docs/configuration.md"), encoding: .utf8)
        let sample = try #require(page.components(separatedBy: "```json\n").last)
            .components(separatedBy: "```")[0]
        for program in ["martlet-publisher", "martlet-worker"] {
            let outcome = try Self.run(
                program, ["-c", "martlet.json", "--check"], replacing: Self.file, with: sample)
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(outcome.output.contains("node.name"))
        }
    }

    @Test func everyGroupIsChecked() throws {
        let all = try Self.run("martlet-worker", ["-c", "martlet.json", "--check", "-w", "3"])
        #expect(all.errors == "")
        #expect(all.status == 0)
        let settings = Self.settings(all)
        for line in [
            "group mailer martlet.json", "group audit martlet.json", "group.width 3 --width",
            "group.topic users.> martlet.json:11", "group.topic people.* martlet.json:11",
            "group.count true martlet.json:13",
        ] {
            #expect(settings.contains(line), "\(line) is missing in \(all.output)")
        }
        let one = try Self.run(
            "martlet-worker", ["-c", "martlet.json", "--check"],
            environment: ["MARTLET_GROUP": "mailer"])
        #expect(one.status == 0)
        #expect(Self.settings(one).contains("group mailer MARTLET_GROUP"))
        #expect(Self.settings(one).contains("group.width 4 martlet.json:11"))
        #expect(!one.output.contains("audit"))
        // Another thing to do with events takes the place of the one in the file.
        let other = try Self.run(
            "martlet-worker", ["-c", "martlet.json", "--check", "-g", "mailer", "--print"])
        #expect(other.status == 0)
        #expect(Self.settings(other).contains("group.exec - default"))
    }

    @Test(arguments: [
        ("martlet-publisher", #""keep": "7d""#, #""keep": "7x""#, ":5: streams.orders.keep: "),
        ("martlet-publisher", #""partitions": 4"#, #""partitions": 0"#, "streams.orders"),
        ("martlet-publisher", "\"done\"", "\"doen\"", ":7: streams.users: there is no setting"),
        ("martlet-publisher", "tcp://127.0.0.1:0", "tcq:x", ":2: node.listen: "),
        ("martlet-publisher", "> 1000", "> > 1", ":18:15: rule `large`: "),
        ("martlet-publisher", "\"copy\"", "\"cpy\"", ":18:45: rule `large`: "),
        ("martlet-publisher", "\"5s\"", "5", ":15: limits.drain-timeout: "),
        ("martlet-publisher", "drain-t", "drian-t", "Did you mean `drain-timeout`?"),
        ("martlet-publisher", "\"shop\",", "\"shop\"", ":2: this is no JSON: "),
        ("martlet-publisher", "\"shop\"", "null", ":2: node.name: it is null."),
        ("martlet-publisher", "\"shop\"", "[\"a\", \"b\"]", ":2: node.name: it takes one value"),
        ("martlet-publisher", "\"shop\"", "\"a\", \"name\": \"b\"", "`name` stands here twice"),
        ("martlet-publisher", "\"limits\"", "\"limit\"", ":15: the file: there is no setting"),
        ("martlet-worker", "\"width\"", "\"wdth\"", "Did you mean `width`?"),
        ("martlet-worker", "\"width\": 4", "\"width\": 99999", ":11: `groups.mailer.width` takes"),
        ("martlet-worker", "\"count\": true", "\"count\": \"yes\"", ":13: groups.audit.count: it"),
        ("martlet-worker", "users.>", "users..>", ":11: groups.mailer.topic: "),
        ("martlet-worker", "\"exact\"", "\"exakt\"", ":12: groups.mailer.filter: "),
    ])
    func mistakesAreNamedWithTheirLine(
        program: String, old: String, new: String, message: String
    ) throws {
        let outcome = try Self.run(
            program, ["--config", "martlet.json", "--check"], replacing: old, with: new)
        #expect(outcome.status == 64)
        #expect(outcome.errors.contains("martlet.json"))
        #expect(outcome.errors.contains(message), "\(outcome.errors)")
    }

    @Test func mistakesElsewhereAreNamedToo() throws {
        let variable = try Self.run(
            "martlet-publisher", ["--check", "-g", "orders"],
            environment: ["MARTLET_NODE_LISTN": "x"])
        #expect(variable.status == 64)
        #expect(variable.errors.contains("Did you mean `MARTLET_NODE_LISTEN`?"))
        let value = try Self.run(
            "martlet-worker", ["-c", "martlet.json", "-g", "audit", "--check"],
            environment: ["MARTLET_GROUP_WIDTH": "many"])
        #expect(value.errors.contains("`MARTLET_GROUP_WIDTH` takes a whole number"))
        let group = try Self.run("martlet-worker", ["-c", "martlet.json", "-g", "nobody"])
        #expect(group.errors.contains("describes no group `nobody`. It has mailer, audit."))
        let none = try Self.run("martlet-worker", ["-c", "martlet.json"])
        #expect(none.errors.contains("--group mailer, or --group audit"))
        let missing = try Self.run("martlet-worker", ["-c", "other.json"])
        #expect(missing.status == 66)
        let rivals = try Self.run(
            "martlet-publisher", ["--generate", "orders", "--file", "x", "--check"])
        #expect(rivals.errors.contains("`--file` and `--generate` are two sources"))
    }

    /// Who names a source takes away the others, and what goes with them alone.
    @Test func rivalsTakeAwayWhatIsTheirsAlone() throws {
        let line = try Self.run(
            "martlet-publisher", ["-c", "martlet.json", "--generate", "sensors", "--check"],
            environment: ["MARTLET_SOURCE_RATE": "1000", "MARTLET_SOURCE_QUIET": "true"])
        #expect(line.status == 0, "\(line.errors)")
        let settings = Self.settings(line)
        for text in [
            "source.rate 1000 MARTLET_SOURCE_RATE", "source.quiet true MARTLET_SOURCE_QUIET",
            "source.topic - default", "source.key - default", "routes - default",
        ] {
            #expect(settings.contains(text), "\(text) is missing in \(line.output)")
        }
        let variable = try Self.run(
            "martlet-publisher", ["-c", "martlet.json", "--check"],
            environment: ["MARTLET_SOURCE_PULL": "tcp://127.0.0.1:0", "MARTLET_CONFIG": ""])
        #expect(variable.status == 0, "\(variable.errors)")
        #expect(Self.settings(variable).contains("source.key data.c martlet.json:9"))
        #expect(Self.settings(variable).contains("source.topic - default"))
        #expect(Self.settings(variable).contains("routes rules martlet.json:16"))
    }

    /// A worker's container asks with the settings of its program.
    @Test func healthTakesTheSettingsOfTheProgramBesideIt() throws {
        let nobody = try Self.run(
            "martletctl", ["health", "--worker", "--timeout", "1"],
            environment: [
                "MARTLET_CONFIG": "martlet.json", "MARTLET_NODE_PEER": "tcp://127.0.0.1:1",
                "MARTLET_GROUP": "mailer",
            ])
        #expect(nobody.status == 1)
        #expect(nobody.output.contains("tcp://127.0.0.1:1: "))
        let publisher = try Self.run(
            "martletctl", ["health", "--timeout", "1"],
            environment: ["MARTLET_NODE_LISTEN": "tcp://*:1", "MARTLET_NODE_PEER": "tcp://a:2"])
        #expect(publisher.status == 1)
        #expect(publisher.output.contains("tcp://127.0.0.1:1: "))
    }

    @Test func routesSayWhereLinesGo() throws {
        let lines = #"{"c": 1, "total": 5000}"# + "\n" + #"{"c": 2, "total": 5}"# + "\n"
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("martlet-routed-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let outcome = try Self.run(
            "martlet-publisher",
            ["-c", "martlet.json", "--journal", folder, "--limit", "drain-timeout=100ms"],
            input: lines)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let history = try ControlTests.run("replay", folder)
        let topics = history.lines.map { line in
            String(line.firstRange(of: "orders.large").map { _ in "large" } ?? "in")
        }
        #expect(topics.sorted() == ["in", "in", "large"], "\(history.output)")
        #expect(history.lines.filter { $0.contains(#""rank":"high""#) }.count == 1)
        #expect(history.lines.allSatisfy { $0.contains(#""partitionkey":"#) })
    }
}
