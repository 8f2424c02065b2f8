import Testing

@testable import MartletCommandLine

/// What is said in several places: the stronger place wins, and errors name it.
@Suite struct LayeringTests {
    static let width = Command.Option.value("width", "N", standard: "8", "How many.")
    static let peer = Command.Option.values("peer", "ENDPOINT", nil, "Whom.")
    static let stream = Command.Option.values("stream", "NAME", isMerged: true, "Which.")
    static let quiet = Command.Option.flag("quiet", "q", "Say nothing.")

    static func arguments(_ words: String...) throws -> Arguments {
        let tool = Command("tool", "works", options: [width, peer, stream, quiet]) { _ in .success }
        switch try ArgumentParser.parse(words[...], for: tool, path: ["tool"]) {
        case .run(_, let arguments, _): return arguments
        case .help: throw CommandFailure(.usage, "help")
        }
    }

    static let file = Arguments.Origin(.file, "group.width", at: "martlet.json:7")
    static let environment = Arguments.Origin(.environment, "MARTLET_GROUP_WIDTH")

    @Test func theStrongerPlaceWins() throws {
        var arguments = try Self.arguments()
        #expect(arguments.value("width") == "8")
        #expect(!arguments.isGiven("width"))
        // In whatever order they come.
        arguments.supply(Self.width, ["2"], from: Self.environment)
        arguments.supply(Self.width, ["3"], from: Self.file)
        #expect(arguments.value("width") == "2")
        #expect(arguments.isGiven("width"))
        var line = try Self.arguments("--width", "5")
        line.supply(Self.width, ["2"], from: Self.environment)
        #expect(line.value("width") == "5")
        #expect(line.label("width") == "`--width`")
    }

    @Test func listsAreTakenFromOnePlaceUnlessTheyAreMerged() throws {
        var arguments = try Self.arguments("--stream", "c", "--peer", "z")
        for text in ["a", "b"] {
            arguments.supply(Self.peer, [text], from: Self.file)
            arguments.supply(Self.stream, [text], from: Self.file)
        }
        #expect(arguments.values("peer") == ["z"])
        #expect(arguments.values("stream") == ["a", "b", "c"])
        arguments.supply(Self.stream, ["e"], from: Self.environment)
        #expect(arguments.values("stream") == ["a", "b", "e", "c"])
        var fresh = try Self.arguments()
        for text in ["a", "b"] { fresh.supply(Self.peer, [text], from: Self.file) }
        #expect(fresh.values("peer") == ["a", "b"])
    }

    @Test func flagsCanBeTurnedOff() throws {
        var arguments = try Self.arguments("--quiet=false")
        arguments.supply(Self.quiet, ["true"], from: Self.file)
        #expect(!arguments.flag("quiet"))
        #expect(!arguments.isGiven("quiet"))
        #expect(try Self.arguments("-q").flag("quiet"))
    }

    @Test func errorsNameThePlace() throws {
        var arguments = try Self.arguments()
        arguments.supply(Self.width, ["x"], from: Self.file)
        do throws(CommandFailure) {
            _ = try arguments.integer("width", in: 1...9)
            Issue.record("`x` was taken for a number")
        } catch {
            #expect(error.message.hasPrefix("martlet.json:7: `group.width` takes"))
        }
    }
}
