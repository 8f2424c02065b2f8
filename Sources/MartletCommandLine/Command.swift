public import MartletCore

/// A program, or a verb of one: what it takes, what it does, and what its help says.
///
/// Options are `--name value`, `--name=value` or `-n value`; those without a value are flags. `--`
/// ends them, so that what follows may begin with a dash. `--help` is always there.
public struct Command: Sendable {
    /// The word that calls it.
    public let name: String
    /// What it does, in a line.
    public let summary: String
    /// What else there is to say, a paragraph for each text.
    public let details: [String]
    /// What may follow without a name, as in `KEY…`; nil where nothing may.
    public let operands: Operands?
    /// The options.
    public let options: [Option]
    /// Command lines to learn from, each with what it does.
    public let examples: [Example]
    /// The verbs below it.
    public let verbs: [Command]
    let run: (@Sendable (Arguments) throws(CommandFailure) -> ExitStatus)?

    /// A command. One that has verbs may also do something itself.
    public init(
        _ name: String, _ summary: String, details: [String] = [], operands: Operands? = nil,
        options: [Option] = [], examples: [Example] = [], verbs: [Command] = [],
        run: (@Sendable (Arguments) throws(CommandFailure) -> ExitStatus)? = nil
    ) {
        self.name = name
        self.summary = summary
        self.details = details
        self.operands = operands
        self.options = options
        self.examples = examples
        self.verbs = verbs
        self.run = run
    }

    /// What may follow without a name.
    public struct Operands: Sendable {
        let name: String
        let count: ClosedRange<Int>
        let help: String

        /// So many operands, called `name` in the help.
        public init(_ name: String, _ count: ClosedRange<Int>, _ help: String) {
            self.name = name
            self.count = count
            self.help = help
        }
    }

    /// A command line and what it does.
    public struct Example: Sendable {
        let line: String
        let meaning: String

        /// An example.
        public init(_ line: String, _ meaning: String) {
            self.line = line
            self.meaning = meaning
        }
    }
}

/// How a program ends, as the shell sees it. From 64 on they are those of `sysexits.h`.
public struct ExitStatus: Sendable, Hashable {
    /// What the shell gets.
    public let code: Int32

    /// Another status.
    public init(_ code: Int32) { self.code = code }

    /// All went well.
    public static let success = ExitStatus(0)
    /// All went well, and nothing was found.
    public static let nothingFound = ExitStatus(1)
    /// All that could be had is there, and some of it could not.
    public static let incomplete = ExitStatus(1)
    /// The command line is wrong.
    public static let usage = ExitStatus(64)
    /// What was read is not what it should be.
    public static let badData = ExitStatus(65)
    /// A file cannot be read.
    public static let noInput = ExitStatus(66)
    /// A node or a peer that is needed cannot be had.
    public static let unavailable = ExitStatus(69)
    /// The output cannot be written.
    public static let outputFailure = ExitStatus(74)
}

/// Why a command cannot do what it was told.
public struct CommandFailure: Error, Sendable {
    /// What the program ends with.
    public let status: ExitStatus
    /// What to tell the user.
    public let message: String

    /// A failure.
    public init(_ status: ExitStatus, _ message: String) {
        self.status = status
        self.message = message
    }

    /// The failure that an error is, with what it is about in front.
    public init(_ error: MartletError, _ status: ExitStatus = .usage, about what: String? = nil) {
        self.init(status, (what.map { "\($0): " } ?? "") + error.message)
    }
}
