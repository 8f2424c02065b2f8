#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Runs a command as a program.
public enum Program {
    /// Does what the program's arguments say, and ends it with the status that comes of it.
    public static func main(_ command: Command, version: String) -> Never {
        let words = arguments()
        let status: ExitStatus
        if let place = words.firstIndex(where: { $0 == nil }) {
            status = complain(
                command.name, CommandFailure(.usage, "Argument \(place) is not valid UTF-8."))
        } else {
            status = run(command, words.compactMap { $0 }.dropFirst(), version: version)
        }
        Output.standard.flush()
        exit(status.code)
    }

    /// The same without ending the program.
    static func run(
        _ command: Command, _ words: ArraySlice<String>, version: String
    ) -> ExitStatus {
        if words == ["--version"] {
            Output.standard.line("\(command.name) \(version)")
            return .success
        }
        do throws(UsageFailure) {
            switch try ArgumentParser.parse(words, for: command, path: [command.name]) {
            case .help(let command, let path):
                Output.standard.write(Help(command: command, path: path).text)
                return .success
            case .run(let command, let arguments, let path):
                do throws(CommandFailure) {
                    return try command.run?(arguments) ?? .success
                } catch {
                    return complain(path.joined(separator: " "), error)
                }
            }
        } catch { return complain(error.path.joined(separator: " "), error.failure) }
    }

    private static func complain(_ path: String, _ failure: CommandFailure) -> ExitStatus {
        Output.standard.flush()
        var text = "\(path): \(failure.message)"
        if failure.status == .usage { text += "\nSee `\(path) --help`." }
        Output.errors.lines(ofOthers: text)
        Output.errors.flush()
        return failure.status
    }

    /// The program's arguments, its name first; nil for one that is not UTF-8.
    private static func arguments() -> [String?] {
        let count = Int(CommandLine.argc)
        return (0..<count).map { place in
            // The system gives as many pointers as it says, each to a text that ends in a zero.
            unsafe CommandLine.unsafeArgv[place].flatMap { unsafe String(validatingCString: $0) }
        }
    }
}
