extension Command {
    /// A choice that is made by name.
    public struct Option: Sendable {
        /// What stands behind the dashes.
        public let name: String
        let letter: Character?
        /// What its value is called; nil for a flag.
        let value: String?
        /// Whether it may be given several times.
        public let isRepeatable: Bool
        let isRequired: Bool
        let help: String
        /// Where a file of settings has it, as in `node.listen`; nil for what only a command line
        /// says.
        public let key: String?
        /// What is taken where nobody says anything.
        public let standard: String?
        /// Whether what a file, the environment and the command line say is taken together.
        public let isMerged: Bool
        /// Whether its values may hold spaces, so that a variable of the environment holds one.
        public let mayHaveSpaces: Bool

        /// Whether it stands alone, without a value.
        public var isFlag: Bool { value == nil }

        /// A flag, `--name`.
        public static func flag(
            _ name: String, _ letter: Character? = nil, key: String? = nil, _ help: String
        ) -> Option {
            Option(
                name: name, letter: letter, value: nil, isRepeatable: false, isRequired: false,
                help: help, key: key, standard: nil, isMerged: false,
                mayHaveSpaces: false)
        }

        /// A value, `--name VALUE`, which may have to be there.
        public static func value(
            _ name: String, _ value: String, _ letter: Character? = nil,
            isRequired: Bool = false, key: String? = nil, standard: String? = nil, _ help: String
        ) -> Option {
            Option(
                name: name, letter: letter, value: value, isRepeatable: false,
                isRequired: isRequired, help: help, key: key, standard: standard, isMerged: false,
                mayHaveSpaces: true)
        }

        /// A value that may be given several times.
        public static func values(
            _ name: String, _ value: String, _ letter: Character? = nil, key: String? = nil,
            standard: String? = nil, isMerged: Bool = false, mayHaveSpaces: Bool = false,
            _ help: String
        ) -> Option {
            Option(
                name: name, letter: letter, value: value, isRepeatable: true, isRequired: false,
                help: help, key: key, standard: standard, isMerged: isMerged,
                mayHaveSpaces: mayHaveSpaces)
        }

        /// What it does, with what is taken without it.
        var wholeHelp: String {
            guard let standard else { return help }
            let sentence = help.hasSuffix(".") ? String(help.dropLast()) : help
            return "\(sentence); \(standard) without it."
        }
    }
}
