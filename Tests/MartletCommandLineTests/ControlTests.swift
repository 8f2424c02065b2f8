import Foundation
import Testing

/// The program `martletctl` as a user meets it.
@Suite(.timeLimit(.minutes(5))) struct ControlTests {
    struct Outcome {
        let status: Int32
        let output: String
        let errors: String

        var lines: [Substring] { output.split(separator: "\n") }
    }

    /// The program lies beside the tests.
    static let program: URL = {
        let folders = [CommandLine.arguments[0], "/proc/self/exe"].map {
            URL(fileURLWithPath: $0).resolvingSymlinksInPath().deletingLastPathComponent()
        }
        let found = folders.map { $0.appendingPathComponent("martletctl") }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
        return found ?? folders[0]
    }()

    static func run(_ arguments: String..., input: String = "") throws -> Outcome {
        try run(arguments, input: input)
    }

    /// Runs this program, or another that lies beside it.
    static func run(
        _ arguments: [String], input: String = "", program other: String = "martletctl",
        in folder: URL? = nil, environment: [String: String] = [:]
    ) throws -> Outcome {
        let process = Process()
        process.executableURL = program.deletingLastPathComponent().appendingPathComponent(other)
        process.arguments = arguments
        if let folder { process.currentDirectoryURL = folder }
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let (stdin, stdout, stderr) = (Pipe(), Pipe(), Pipe())
        process.standardInput = stdin
        process.standardOutput = stdout
        process.standardError = stderr
        try process.run()
        // Inputs and outputs here are smaller than a pipe holds.
        stdin.fileHandleForWriting.write(Data(input.utf8))
        try stdin.fileHandleForWriting.close()
        let output = stdout.fileHandleForReading.readDataToEndOfFile()
        let errors = stderr.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationStatus, output: String(decoding: output, as: UTF8.self),
            errors: String(decoding: errors, as: UTF8.self))
    }

    static let order =
        #"{"specversion":"1.0","id":"1","source":"/shop","type":"orders.placed","region":"eu","#
        + #""data":{"total":4200}}"#
    static let user =
        #"{ "specversion": "1.0", "id": "2", "source": "/shop", "type": "users.registered" }"#
    static let events = order + "\n\n" + user + "\n"

    @Test(arguments: [
        (["--filter", "region = 'eu'"], [order]),
        (["--filter", "type LIKE '%r%'"], [order, user]),
        (["--filter", "data.total > 1000"], [order]), (["--topic", "users.*"], [user]),
        (["--topic", "users.*", "--topic", "orders.>"], [order, user]),
        (["--topic", "*.placed", "--filter", "region = 'eu'"], [order]),
        (["--filter", #"{"suffix":{"type":"registered"}}"#], [user]), (["--topic", "x.>"], []),
        (["--filter", "region = 'us'", "--filter", "region = 'eu'"], []),
        (["-t", ">", "-j"], [order, user]),
    ])
    func matchPrintsTheLinesThatMatch(arguments: [String], lines: [String]) throws {
        let outcome = try Self.run(["match"] + arguments, input: Self.events)
        #expect(outcome.lines.map(String.init) == lines)
        #expect(outcome.status == (lines.isEmpty ? 1 : 0))
        #expect(outcome.errors.isEmpty)
        let quiet = try Self.run(["match", "-q"] + arguments, input: Self.events)
        #expect(quiet.output.isEmpty)
        #expect(quiet.status == outcome.status)
    }

    @Test(arguments: [
        ("1 + 1", #"{"value": 2, "error": null}"#), ("id", #"{"value": "1", "error": null}"#),
        ("'a\"ü\\n'", #"{"value": "a\"ü\\n", "error": null}"#),
        ("TRUE", #"{"value": true, "error": null}"#),
        ("ABC(", #"{"value": false, "error": "parse"}"#),
        ("1 / 0", #"{"value": 0, "error": "math"}"#),
        ("INT('x')", #"{"value": 0, "error": "cast"}"#),
        ("missing", #"{"value": false, "error": "missingAttribute"}"#),
        ("F()", #"{"value": false, "error": "missingFunction"}"#),
        ("LEFT('a', -1)", #"{"value": "a", "error": "functionEvaluation"}"#),
        ("data.total / 8", #"{"value": 525, "error": null}"#),
        ("data.total + 0.5", #"{"value": 4200.5, "error": null}"#),
        ("data.total[", #"{"value": false, "error": "parse"}"#),
    ])
    func evalPrintsAValueAndAnError(expression: String, line: String) throws {
        let outcome = try Self.run("match", "--eval", expression, input: Self.order)
        #expect(outcome.output == line + "\n")
        #expect(outcome.status == 0)
        #expect(outcome.errors.isEmpty == !line.contains("parse"))
    }

    @Test func badLinesAreNamedAndTheOthersGoOn() throws {
        let input = "nonsense\n" + Self.order + "\n{}\n"
        let outcome = try Self.run("match", "--topic", ">", input: input)
        #expect(outcome.lines.map(String.init) == [Self.order])
        #expect(outcome.status == 65)
        #expect(outcome.errors.contains("-:1: "))
        #expect(outcome.errors.contains("-:3: "))
        let eval = try Self.run("match", "--eval", "TRUE", input: input)
        #expect(eval.lines.count == 3)
        #expect(eval.status == 65)
    }

    @Test func mistakesAreExplained() throws {
        let syntax = try Self.run("match", "--filter", "type = ", input: "")
        #expect(syntax.status == 64)
        #expect(syntax.errors.contains("  type = \n        ^"))
        #expect(try Self.run("match", input: "").status == 64)
        #expect(try Self.run("match", "--topic", "a..b", input: "").status == 64)
        #expect(try Self.run("match", "--eval", "1", "--quiet", input: "").status == 64)
        #expect(try Self.run("match", "--strict", "-f", "data.x = 1", input: "").status == 64)
        let missing = try Self.run("match", "-t", ">", "/does/not/exist", input: "")
        #expect(missing.status == 66)
        #expect(missing.errors.contains("/does/not/exist"))
        #expect(try Self.run("nonsense").status == 64)
        #expect(try Self.run("partition", "a").status == 64)
        #expect(try Self.run("partition", "a", "--of", "0").status == 64)
        #expect(try Self.run("partition", "plan", "--of", "4").status == 64)
        #expect(try Self.run("partition", "plan", "--of", "4", "-m", "a,,b").status == 64)
    }

    @Test func whyAnEventDoesNotMatch() throws {
        let outcome = try Self.run("match", "-x", "-f", "region = 'us'", input: Self.events)
        #expect(outcome.status == 1)
        #expect(
            outcome.errors
                == "1: `region = 'us'` is false: `region` is `eu`\n"
                + "2: `region = 'us'` fails: the event has no `region`\n"
        )
    }

    @Test func partitionShowsLanesAndPlans() throws {
        #expect(
            try Self.run("partition", "c-9", "c-10", "--of", "16").output
                == "c-9   lane 1\nc-10  lane 11\n")
        #expect(
            try Self.run("partition", "c-10", "--of", "64", "--json").output
                == #"{"key":"c-10","lane":43}"# + "\n")
        let lanes = try Self.run("partition", "plan", "--of", "8", "--members", "c,a,b")
        #expect(
            lanes.output
                == "a  3 lanes: 1 3 7\nb  3 lanes: 2 5 8\nc  2 lanes: 4 6\n"
                + "8 lanes of `orders`, at most 4 each\n"
        )
        let plan = try Self.run(
            "partition", "plan", "--of", "8", "-m", "a,b,c", "--then", "a,b", "-j")
        #expect(plan.output.hasPrefix(#"{"stream":"orders","partitions":8,"moves":[{"lane":"#))
        let same = try Self.run("partition", "plan", "--of", "8", "-m", "a,b", "--then", "b,a")
        #expect(same.output == "nothing moves\n")
    }

    @Test func routesAreExplained() throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let rules = folder.appendingPathComponent("rules.json").path
        try #"""
        { "partitions": 16, "key": "region", "patterns": ["audit.>"], "rules": [
          { "name": "large", "topics": ["orders.*"], "when": "data.total > 1000",
            "then": [ {"copy": "audit.orders"} ] },
          { "name": "test", "when": "region = 'test'", "then": ["drop"] } ] }
        """#.write(toFile: rules, atomically: true, encoding: .utf8)
        let outcome = try Self.run("route", "explain", "--rules", rules, input: Self.order)
        #expect(
            outcome.output == """
                1 on orders.placed
                  + large  applies: `data.total > 1000` is true: `data.total` is `4200`
                  - test   `region = 'test'` is false: `region` is `eu`
                  > audit.orders  lane 14 of 16  for audit.>  by large
                      hops = 1
                  > orders.placed  lane 14 of 16

                """)
        let json = try Self.run("route", "explain", "-r", rules, "-j", input: Self.order)
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
        #expect(
            (object["outputs"] as? [[String: Any]])?.compactMap { $0["topic"] as? String } == [
                "audit.orders", "orders.placed",
            ])
        #expect((object["rules"] as? [Any])?.count == 2)
        let other = try Self.run(
            "route", "explain", "-r", rules, "--of", "1", "--key", "data.total", input: Self.order)
        #expect(other.output.contains("  > orders.placed  lane 1 of 1"))
        let key = try Self.run("route", "explain", "-r", rules, "--key", "id", input: Self.order)
        #expect(key.output.contains(" of 16"))
        let odd = #"{"specversion":"1.0","id":"9","source":"/s","type":"My Event"}"#
        let mixed = try Self.run("route", "explain", "-r", rules, input: odd + "\n" + Self.order)
        #expect(mixed.status == 65)
        #expect(mixed.errors.hasPrefix("-:1: `My Event` is not a topic"))
        #expect(mixed.output.hasPrefix("1 on orders.placed"))
        #expect(try Self.run("route", "explain", "-r", "-", input: "{}").status == 64)
        try "{\n\"rules\": [{\"name\": \"x\"}]}".write(
            toFile: rules, atomically: true, encoding: .utf8)
        let broken = try Self.run("route", "explain", "-r", rules, input: "")
        #expect(broken.status == 65)
        #expect(
            broken.errors.contains("\(rules):2:11: rule `x`: there is no value for the key `then`"))
    }

    /// Longer than one read, and many of them, into a file: a pipe holds less.
    @Test func longLinesAndManyEventsPass() throws {
        let folder = try Self.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let event = { (id: Int, filler: Int) in
            #"{"specversion":"1.0","id":"\#(id)","source":"/s","type":"a.b","data":""#
                + String(repeating: "x", count: filler) + "\"}"
        }
        let lines = (0..<2_000).map { event($0, $0 == 7 ? 300_000 : 10) }
        let file = folder.appendingPathComponent("events").path
        try ("\u{FEFF}" + lines.joined(separator: "\r\n")).write(
            toFile: file, atomically: true, encoding: .utf8)
        let count = try Self.run("match", "-f", "LENGTH(id) = 1", file)
        #expect(count.output == lines[0..<10].map { $0 + "\r\n" }.joined())
        let tooLong = event(1, 2_200_000) + "\n" + event(2, 1) + "\n"
        try tooLong.write(toFile: file, atomically: true, encoding: .utf8)
        let rest = try Self.run("match", "-t", "a.*", file)
        #expect(rest.output == event(2, 1) + "\n")
        #expect(rest.errors.hasPrefix("\(file):1: the line has more than"))
        #expect(rest.status == 65)
    }

    static func folder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("martlet-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }

    @Test func filesThatAreNone() throws {
        #expect(try Self.run("match", "-t", ">", "/").status == 66)
        #expect(try Self.run("match", "-t", ">", "").status == 66)
        #expect(try Self.run("route", "explain", "-r", "/does/not/exist", "-").status == 66)
    }

    @Test func quietEndsAtTheFirstMatch() throws {
        let quiet = try Self.run("match", "-q", "-t", ">", input: "junk\n" + Self.order)
        #expect(quiet.status == 0)
        #expect(try Self.run("match", "-q", "-t", "x", input: "junk\n" + Self.order).status == 65)
    }

    @Test func strictnessIsHeeded() throws {
        let json = #"{"sql": "data.total = 4200"}"#
        #expect(try Self.run("match", "-f", json, input: Self.order).status == 0)
        #expect(try Self.run("match", "--strict", "-f", json, input: Self.order).status == 64)
        #expect(try Self.run("match", "--strict", "-t", ">", input: Self.order).status == 64)
    }

    /// What others wrote must not drive the terminal.
    @Test func controlCharactersAreShownAsNumbers() throws {
        let outcome = try Self.run("partition", "a\u{1B}[31m", "--of", "4")
        #expect(outcome.output.hasPrefix("a\\u{1b}[31m  lane "))
    }

    @Test func largePlansAreWholeJSON() throws {
        let members = { (letter: String) in
            (0..<20).map { "\(letter)\($0)" + String(repeating: letter, count: 1_500) }
                .joined(separator: ",")
        }
        let outcome = try Self.run(
            "partition", "plan", "--of", "1024", "-m", members("a"), "--then", members("b"), "-j")
        let object = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8))
        #expect(((object as? [String: Any])?["moves"] as? [Any])?.count == 1_024)
        #expect(try Self.run("partition", "plan", "--of", "4", "-m", "b,a").output.hasPrefix("a  "))
    }

    @Test func helpAndVersion() throws {
        #expect(try Self.run("--version").output.hasPrefix("martletctl "))
        #expect(try Self.run().status == 64)
        #expect(try Self.run("route").status == 64)
        let paths = [
            ["--help"], ["match", "--help"], ["route", "-h"], ["route", "explain", "-h"],
            ["partition", "-h"], ["partition", "plan", "--help"],
        ]
        for path in paths {
            let outcome = try Self.run(path)
            #expect(outcome.lines.allSatisfy { $0.count <= 80 }, "\(path)")
            #expect(outcome.status == 0)
            #expect(outcome.output.contains("Usage: martletctl"))
        }
    }
}
