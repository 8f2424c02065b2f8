import Martlet
import MartletCommandLine

/// Where settings come from beside the command line: the environment and a file.
struct SettingsSources {
    private let variables: [String: String]
    let file: SettingsFile?

    /// Reads what there is. Variables that look like settings and are none are errors.
    init(_ arguments: Arguments) throws(CommandFailure) {
        // An empty variable says nothing, as files for Compose have it: `${NAME:-}`.
        variables = ProcessEnvironment.variables(prefix: "MARTLET_").filter { name, text in
            text.contains { $0 != " " }
        }
        try SettingsSources.check(variables)
        let name = arguments.value("config") ?? variables["MARTLET_CONFIG"]
        if let name { file = try SettingsFile(name) } else { file = nil }
    }

    /// `node.listen` is `MARTLET_NODE_LISTEN`.
    static func variable(_ key: String) -> String {
        "MARTLET_"
            + key.uppercased().map { $0 == "." || $0 == "-" ? "_" : String($0) }.joined()
    }

    private static func check(_ variables: [String: String]) throws(CommandFailure) {
        let known = Settings.options.compactMap(\.key).map(variable)
        let sections = ["MARTLET_NODE_", "MARTLET_SOURCE_", "MARTLET_GROUP_"]
        let misspelt = ["MARTLET_STREAM", "MARTLET_LIMIT", "MARTLET_ROUTE", "MARTLET_GROUPS"]
        let unknown = variables.keys.sorted().first { name in
            misspelt.contains(name)
                || sections.contains { name.hasPrefix($0) } && !known.contains(name)
        }
        guard let unknown else { return }
        let guess = Spelling.nearest(to: unknown, among: known).map { " Did you mean `\($0)`?" }
        throw CommandFailure(
            .usage, "The variable `\(unknown)` is no setting.\(guess ?? "")")
    }

    // MARK: Groups

    /// What the command line or the environment says about a key without a section.
    func named(_ arguments: Arguments, _ key: String) throws(CommandFailure) -> String? {
        arguments.isGiven(key) ? arguments.value(key) : variables[SettingsSources.variable(key)]
    }

    /// The group that is worked for: the one that is named, or the only one of the file.
    func group(of arguments: Arguments) throws(CommandFailure) -> String? {
        guard arguments.options.contains(where: { $0.key == "group" }) else { return nil }
        let groups = file?.groups ?? []
        if let name = try named(arguments, "group") {
            guard groups.isEmpty || groups.contains(name) else {
                throw CommandFailure(
                    .usage,
                    "The file describes no group `\(name)`. It has "
                        + "\(groups.joined(separator: ", ")).")
            }
            return name
        }
        guard groups.count <= 1 else {
            throw CommandFailure(
                .usage,
                "The file describes several groups. Say which to work for: --group "
                    + "\(groups.joined(separator: ", or --group ")).")
        }
        return groups.first
    }

    // MARK: Layers

    /// The arguments with what is said here about their options, or those of some keys.
    func layered(
        _ given: Arguments, group: String?, only keys: Set<String>? = nil
    ) throws(CommandFailure) -> Arguments {
        var arguments = given
        let options = given.options.filter { option in
            option.key.map { keys?.contains($0) ?? true } ?? false
        }
        for option in options where !Rival.isOverruled(option, given, at: .environment) {
            try supplyVariable(option, to: &arguments)
        }
        let before = arguments
        for option in options where !Rival.isOverruled(option, before, at: .file) {
            supplySettings(option, group, to: &arguments)
        }
        return arguments
    }

    private func supplyVariable(
        _ option: Command.Option, to arguments: inout Arguments
    ) throws(CommandFailure) {
        guard let key = option.key, let text = variables[SettingsSources.variable(key)] else {
            return
        }
        let origin = Arguments.Origin(.environment, SettingsSources.variable(key))
        arguments.supply(option, try texts(text, option, origin), from: origin)
    }

    private func texts(
        _ text: String, _ option: Command.Option, _ origin: Arguments.Origin
    ) throws(CommandFailure) -> [String] {
        if option.isFlag {
            let flags = ["true": "true", "1": "true", "false": "false", "0": "false"]
            guard let flag = flags[text] else {
                throw CommandFailure(
                    .usage, "`\(origin.name)` is true or false, not `\(text)`.")
            }
            return [flag]
        }
        guard option.isRepeatable, !option.mayHaveSpaces else { return [text] }
        return text.split(separator: " ").map(String.init)
    }

    private func supplySettings(
        _ option: Command.Option, _ group: String?, to arguments: inout Arguments
    ) {
        guard let file, let key = option.key else { return }
        switch key {
        case "group":
            guard let group, file.groups.contains(group) else { return }
            arguments.supply(option, [group], from: .init(.file, "groups", at: file.name))
        case "routes":
            guard let routes = file.routes else { return }
            let text = String(decoding: routes.json.array(), as: UTF8.self)
            arguments.supply(option, [text], from: routes.origin)
        default:
            for setting in file.settings(for: key, group: group) {
                arguments.supply(option, [setting.text], from: setting.origin)
            }
        }
    }
}

/// An option of which only one of several can be said, and what goes with it.
private struct Rival {
    let name: String
    /// Options that mean something with it; they may with others, too.
    let companions: [String]

    /// Where a publisher's events come from, and what a worker does with them.
    private static let sets: [(section: String, rivals: [Rival])] = [
        (
            "source.",
            [
                Rival(name: "file", companions: ["follow", "topic", "key", "routes"]),
                Rival(name: "pull", companions: ["key", "routes"]),
                Rival(name: "generate", companions: ["rate", "seed"]),
                Rival(name: "idle", companions: []),
            ]
        ),
        (
            "group.",
            [
                Rival(name: "exec", companions: ["persistent"]),
                Rival(name: "print", companions: []),
                Rival(name: "append", companions: []), Rival(name: "count", companions: []),
            ]
        ),
    ]

    /// Whether a stronger place has named a rival that the option does not go with.
    static func isOverruled(
        _ option: Command.Option, _ arguments: Arguments, at kind: Arguments.Origin.Kind
    ) -> Bool {
        sets.contains { section, rivals in
            guard let key = option.key, key.hasPrefix(section) || key == "routes",
                let named = rivals.first(where: { rival in
                    arguments.isGiven(rival.name)
                        && arguments.located(rival.name).contains { $0.origin.kind > kind }
                }), named.name != option.name, !named.companions.contains(option.name)
            else { return false }
            return rivals.contains {
                $0.name == option.name || $0.companions.contains(option.name)
            }
        }
    }
}
