public import MartletCore

/// What stood on a command line, as its command takes it.
public struct Arguments: Sendable {
    /// What was given without a name.
    public internal(set) var operands: [String] = []
    var values: [String: [String]] = [:]
    var flags: Set<String> = []

    /// Whether a flag was given.
    public func flag(_ name: String) -> Bool { flags.contains(name) }

    /// The value of an option; nil if it was not given.
    public func value(_ name: String) -> String? { values[name]?.last }

    /// The values of an option that may be given several times.
    public func values(_ name: String) -> [String] { values[name] ?? [] }

    /// The value of an option that its command requires.
    public func required(_ name: String) throws(CommandFailure) -> String {
        guard let value = value(name) else {
            throw CommandFailure(.usage, "`--\(name)` is missing.")
        }
        return value
    }

    /// The whole number that an option has, within a range; nil if it was not given.
    public func integer(
        _ name: String, in range: ClosedRange<Int>
    ) throws(CommandFailure) -> Int? {
        guard let text = value(name) else { return nil }
        guard let value = Int(text), range.contains(value) else {
            throw CommandFailure(
                .usage,
                "`--\(name)` takes a whole number from \(range.lowerBound) to "
                    + "\(range.upperBound), not `\(text)`.")
        }
        return value
    }

    /// The parts of an option's value between commas, without the spaces around them.
    public func list(_ name: String) -> [String]? {
        value(name).map { text in
            text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
                .map { part in
                    let isSpace = { (byte: UInt8) in byte == UInt8(ascii: " ") }
                    let end = part.lastIndex { !isSpace($0) }.map { part.index(after: $0) }
                    return String(
                        Substring(part[..<(end ?? part.startIndex)].drop(while: isSpace)))
                }
        }
    }

    /// What an option's value stands for; an error of that tells which option it was.
    public func parsed<Value>(
        _ name: String, _ text: String, _ parse: (String) throws(MartletError) -> Value
    ) throws(CommandFailure) -> Value {
        do throws(MartletError) { return try parse(text) } catch {
            throw CommandFailure(error, about: "--\(name)")
        }
    }
}

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
        let missing = command.options.first { option in
            option.isRequired && arguments.values[option.name] == nil
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
        guard let name = option.value else {
            guard attached == nil else {
                throw CommandFailure(.usage, "`--\(option.name)` takes no value.")
            }
            arguments.flags.insert(option.name)
            return
        }
        guard let value = attached ?? rest.popFirst() else {
            throw CommandFailure(.usage, "`--\(option.name)` needs a value, \(name).")
        }
        guard option.isRepeatable || arguments.values[option.name] == nil else {
            throw CommandFailure(.usage, "`--\(option.name)` was given twice.")
        }
        arguments.values[option.name, default: []].append(value)
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
