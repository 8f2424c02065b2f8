import Testing

@testable import MartletCommandLine

/// Command lines: what is taken, and what is refused with which words.
@Suite struct ArgumentTests {
    static let tool = Command(
        "tool", "does things",
        verbs: [
            Command(
                "show", "shows keys", operands: .init("KEY…", 1...2, "Keys to show."),
                options: [
                    .flag("quiet", "q", "Say nothing."), .flag("json", "j", "Print JSON."),
                    .value("of", "N", "n", "How many."),
                    .values("topic", "PATTERN", "t", "Topics."),
                ],
                examples: [.init("tool show a", "Shows a")],
                verbs: [Command("plan", "plans") { _ in .success }]
            ) { _ in .success },
            Command("list", "lists") { _ in .success },
        ])

    static func arguments(_ words: String...) throws -> Arguments? {
        switch try ArgumentParser.parse(words[...], for: tool, path: ["tool"]) {
        case .run(_, let arguments, _): arguments
        case .help: nil
        }
    }

    static func message(_ words: [String]) -> String? {
        do throws(UsageFailure) {
            _ = try ArgumentParser.parse(words[...], for: tool, path: ["tool"])
            return nil
        } catch { return error.failure.message }
    }

    @Test func optionsAreTakenInEveryForm() throws {
        let forms = [
            try Self.arguments("show", "a", "--of", "16", "--quiet", "--topic", "x", "--topic=y"),
            try Self.arguments("show", "--of=16", "-q", "-t", "x", "-ty", "a"),
            try Self.arguments("show", "-qn16", "-tx", "-t", "y", "--", "a"),
        ]
        for arguments in forms {
            let arguments = try #require(arguments)
            #expect(arguments.operands == ["a"])
            #expect(try arguments.integer("of", in: 1...20) == 16)
            #expect(arguments.flag("quiet"))
            #expect(!arguments.flag("json"))
            #expect(arguments.values("topic") == ["x", "y"])
            #expect(arguments.value("missing") == nil)
        }
    }

    @Test func operandsMayLookLikeOptions() throws {
        #expect(try Self.arguments("show", "--", "--of", "-q")?.operands == ["--of", "-q"])
        #expect(try Self.arguments("show", "-", "a")?.operands == ["-", "a"])
        #expect(try Self.arguments("show", "--", "plan")?.operands == ["plan"])
        #expect(try Self.arguments("show", "--of", "-5", "a")?.value("of") == "-5")
        #expect(try Self.arguments("show", "--of=", "a")?.value("of") == "")
        #expect(try Self.arguments("show", "--topic=a=b", "a")?.values("topic") == ["a=b"])
    }

    @Test(arguments: [
        (["sho"], "There is no `sho`. Did you mean `show`? There are show, list."),
        ([], "A verb is missing. There are show, list."),
        (["frobnicate"], "There is no `frobnicate`. There are show, list."),
        (["show"], "KEY… is missing: Keys to show."),
        (["show", "a", "b", "c"], "`c` is one too many."),
        (["show", "a", "--quite"], "There is no option `--quite`. Did you mean `--quiet`?"),
        (["show", "a", "--zzzzzzz"], "There is no option `--zzzzzzz`."),
        (["show", "a", "-z"], "There is no option `-z`. Put `--` before operands with a dash."),
        (["show", "a", "--of"], "`--of` needs a value, N."),
        (["show", "a", "-n"], "`--of` needs a value, N."),
        (
            ["show", "a", "--quiet=yes"],
            "`--quiet` takes no value, or true or false behind a sign."
        ),
        (["show", "a", "--of", "1", "--of", "2"], "`--of` was given twice."),
        (["list", "x"], "`x` is one too many: it takes options alone."),
    ])
    func refusals(words: [String], message: String) {
        #expect(Self.message(words) == message)
    }

    @Test(arguments: ["0", "21", "x", "1.5", "", "99999999999999999999"])
    func numbersAreBounded(text: String) throws {
        let arguments = try #require(try Self.arguments("show", "a", "--of", text))
        #expect(throws: CommandFailure.self) { try arguments.integer("of", in: 1...20) }
        #expect(try arguments.integer("missing", in: 1...20) == nil)
        #expect(throws: CommandFailure.self) { try arguments.required("missing") }
    }

    @Test func listsAreCutAtCommas() throws {
        let arguments = try #require(try Self.arguments("show", "a", "--of", "a,b,,c"))
        #expect(arguments.list("of") == ["a", "b", "", "c"])
        #expect(
            try Self.arguments("show", "a", "--of", " a , b c,d ")?.list("of") == ["a", "b c", "d"])
    }

    @Test func verbsAndTheirOwnVerbsAreFound() throws {
        guard
            case .run(let command, _, let path) =
                try ArgumentParser.parse(["show", "plan"], for: Self.tool, path: ["tool"])
        else {
            Issue.record("no command")
            return
        }
        #expect(command.name == "plan")
        #expect(path == ["tool", "show", "plan"])
    }

    @Test(arguments: [["--help"], ["-h"], ["show", "--help"], ["show", "a", "b", "c", "-h"]])
    func helpIsAlwaysThere(words: [String]) throws {
        guard
            case .help(let command, let path) =
                try ArgumentParser.parse(words[...], for: Self.tool, path: ["tool"])
        else {
            Issue.record("no help")
            return
        }
        let text = Help(command: command, path: path).text
        #expect(text.hasPrefix("\(path.joined(separator: " ")): \(command.summary)\n"))
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 })
        for option in command.options { #expect(text.contains("--\(option.name)")) }
        for verb in command.verbs { #expect(text.contains(verb.name)) }
        for example in command.examples { #expect(text.contains(example.line)) }
    }
}
