internal import MartletCore

/// Reads a command line from left to right.
struct ArgumentParser {
    private let command: Command
    private var rest: ArraySlice<String>
    private var arguments = Arguments()

    /// What a command line asks for.
    enum Request {
        case run(Command, Arguments, path: [String])
        case help(Command, path: [String])
    }

    /// Finds the verb and reads what it takes.
    static func parse(
        _ words: ArraySlice<String>, for command: Command, path: [String]
    ) throws(UsageFailure) -> Request {
        if let word = words.first, let verb = command.verbs.first(where: { $0.name == word }) {
            return try parse(words.dropFirst(), for: verb, path: path + [word])
        }
        do throws(CommandFailure) {
            if words.isEmpty, command.run == nil {
                let names = command.verbs.map(\.name).joined(separator: ", ")
                throw CommandFailure(.usage, "A verb is missing. There are \(names).")
            }
            if let word = words.first, command.run == nil, !["-h", "--help"].contains(word) {
                throw unknownVerb(word, of: command)
            }
            var parser = ArgumentParser(command: command, rest: words)
            guard try parser.readAll() else { return .help(command, path: path) }
            return .run(command, parser.arguments, path: path)
        } catch { throw UsageFailure(failure: error, path: path) }
    }

    private static func unknownVerb(_ word: String, of command: Command) -> CommandFailure {
        let names = command.verbs.map(\.name)
        let guess = Spelling.nearest(to: word, among: names).map { " Did you mean `\($0)`?" } ?? ""
        return CommandFailure(
            .usage,
            "There is no `\(word)`.\(guess) There are \(names.joined(separator: ", ")).")
    }

    private init(command: Command, rest: ArraySlice<String>) {
        self.command = command
        self.rest = rest
    }

    /// False if help was asked for.
    private mutating func readAll() throws(CommandFailure) -> Bool {
        while let word = rest.popFirst() {
            if word == "--help" || word == "-h" { return false }
            if word == "--" {
                arguments.operands += rest
                rest = []
            } else if word.hasPrefix("--") {
                try readOption(word.dropFirst(2))
            } else if word.hasPrefix("-"), word.count > 1 {
                try readLetters(word.dropFirst())
            } else {
                arguments.operands.append(word)
            }
        }
        arguments.options = command.options
        for option in command.options {
            guard let standard = option.standard else { continue }
            arguments.supply(option, [standard], from: .init(.standard, option.name))
        }
        let missing = command.options.first { option in
            option.isRequired && arguments.value(option.name) == nil
        }
        if let missing {
            throw CommandFailure(.usage, "`--\(missing.name)` is missing: \(missing.help)")
        }
        try checkOperands()
        return true
    }

    private mutating func readOption(_ text: Substring) throws(CommandFailure) {
        // By bytes: whatever follows the sign is the value.
        let sign = text.utf8.firstIndex(of: UInt8(ascii: "="))
        let name = String(text[..<(sign ?? text.endIndex)])
        guard let option = command.options.first(where: { $0.name == name }) else {
            let names = command.options.map(\.name) + ["help"]
            let guess = Spelling.nearest(to: name, among: names)
            throw CommandFailure(
                .usage,
                "There is no option `--\(name)`."
                    + (guess.map { " Did you mean `--\($0)`?" } ?? ""))
        }
        try take(option, sign.map { String(text[text.utf8.index(after: $0)...]) })
    }

    /// Flags may stand together, as in `-qj`; a letter with a value is the last of them.
    private mutating func readLetters(_ letters: Substring) throws(CommandFailure) {
        var letters = letters
        while let letter = letters.popFirst() {
            guard let option = command.options.first(where: { $0.letter == letter }) else {
                throw CommandFailure(
                    .usage, "There is no option `-\(letter)`. Put `--` before operands with a dash."
                )
            }
            if option.value != nil {
                try take(option, letters.isEmpty ? nil : String(letters))
                return
            }
            try take(option, nil)
        }
    }

    private mutating func take(
        _ option: Command.Option, _ attached: String?
    ) throws(CommandFailure) {
        let origin = Arguments.Origin(.line, "--\(option.name)")
        guard let name = option.value else {
            // `--quiet=false` turns off what a file turns on.
            guard ["true", "false", nil].contains(attached) else {
                throw CommandFailure(
                    .usage, "`--\(option.name)` takes no value, or true or false behind a sign.")
            }
            arguments.supply(option, [attached ?? "true"], from: origin)
            return
        }
        guard let value = attached ?? rest.popFirst() else {
            throw CommandFailure(.usage, "`--\(option.name)` needs a value, \(name).")
        }
        guard option.isRepeatable || arguments.value(option.name) == nil else {
            throw CommandFailure(.usage, "`--\(option.name)` was given twice.")
        }
        arguments.supply(option, [value], from: origin)
    }

    private func checkOperands() throws(CommandFailure) {
        let count = arguments.operands.count
        guard let operands = command.operands else {
            if let word = arguments.operands.first {
                throw CommandFailure(.usage, "`\(word)` is one too many: it takes options alone.")
            }
            return
        }
        if count < operands.count.lowerBound {
            throw CommandFailure(.usage, "\(operands.name) is missing: \(operands.help)")
        }
        if count > operands.count.upperBound {
            throw CommandFailure(
                .usage, "`\(arguments.operands[operands.count.upperBound])` is one too many.")
        }
    }
}

/// A command line that cannot be meant so, and whose.
struct UsageFailure: Error {
    let failure: CommandFailure
    let path: [String]
}
