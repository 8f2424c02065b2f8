import Martlet
public import MartletCommandLine

/// Settings from a file, the environment and the command line. What is closer to the one who starts
/// the program wins: the command line over the environment, and that over the file.
public enum Settings {
    /// The file.
    public static let config = Command.Option.value(
        "config", "FILE", "c", "Read settings from this file, as Docs/configuration.md has it.")
    /// Whether to look only.
    public static let check = Command.Option.flag(
        "check", nil, "Check all settings, print them with where each comes from, and end.")

    /// All settings that a file can hold, of all programs.
    static let options =
        NodeOptions.all + PublisherOptions.all + WorkerOptions.all

    /// What only one of can be said at a time, and what goes with it: who names one of the first
    /// elsewhere means none of the others.
    private static let rivals: [(heads: [String], section: String, members: [String]?)] = [
        (["file", "generate", "pull", "idle"], "source.", nil),
        (
            ["exec", "print", "append", "count"], "group.",
            ["exec", "print", "append", "count", "persistent"]
        ),
    ]

    /// The arguments with what a file and the environment add to them.
    public static func layered(_ arguments: Arguments) throws(CommandFailure) -> Arguments {
        let variables = ProcessEnvironment.variables(prefix: "MARTLET_")
        var layered = try layered(arguments, variables)
        if let file = try file(of: arguments, variables) { try supply(file, to: &layered) }
        return layered
    }

    /// The same where no group is named and a file describes some: once for each of them.
    public static func layeredByGroup(
        _ arguments: Arguments
    ) throws(CommandFailure) -> [Arguments] {
        let variables = ProcessEnvironment.variables(prefix: "MARTLET_")
        let layered = try layered(arguments, variables)
        guard let file = try file(of: arguments, variables),
            let option = arguments.options.first(where: { $0.key == "group" })
        else { return [layered] }
        var all: [Arguments] = []
        let isNamed = layered.value("group") != nil
        for group in isNamed || file.groups.isEmpty ? [nil] : file.groups.map(Optional.some) {
            var own = layered
            if let group {
                own.supply(option, [group], from: .init(.file, "groups", at: file.name))
            }
            try supply(file, to: &own)
            all.append(own)
        }
        return all
    }

    /// The nodes to talk to, for programs that take nothing else from a file or the environment.
    public static func peers(_ arguments: Arguments) throws(CommandFailure) -> Arguments {
        try layered(arguments, only: ["node.peer"])
    }

    /// The arguments with what a file and the environment say about these keys.
    public static func layered(
        _ arguments: Arguments, only keys: Set<String>
    ) throws(CommandFailure) -> Arguments {
        let variables = ProcessEnvironment.variables(prefix: "MARTLET_")
        let file = try file(of: arguments, variables)
        var layered = arguments
        for option in arguments.options {
            guard let key = option.key, keys.contains(key) else { continue }
            try supply(option, variables, to: &layered)
            for setting in file?.settings(for: key, group: nil) ?? [] {
                layered.supply(option, [setting.text], from: setting.origin)
            }
        }
        return layered
    }

    private static func layered(
        _ given: Arguments, _ variables: [String: String]
    ) throws(CommandFailure) -> Arguments {
        var arguments = given
        try check(variables)
        for option in given.options where !isOverruled(option, given, at: .environment) {
            try supply(option, variables, to: &arguments)
        }
        return arguments
    }

    private static func supply(
        _ option: Command.Option, _ variables: [String: String], to arguments: inout Arguments
    ) throws(CommandFailure) {
        // An empty variable says nothing, as files for Compose have it: `${NAME:-}`.
        guard let key = option.key, let text = variables[variable(key)], !text.isEmpty else {
            return
        }
        let origin = Arguments.Origin(.environment, variable(key))
        arguments.supply(option, try texts(text, option, origin), from: origin)
    }

    private static func file(
        of arguments: Arguments, _ variables: [String: String]
    ) throws(CommandFailure) -> SettingsFile? {
        guard let name = arguments.value("config") ?? variables["MARTLET_CONFIG"] else {
            return nil
        }
        return try SettingsFile(name)
    }

    private static func supply(
        _ file: SettingsFile, to arguments: inout Arguments
    ) throws(CommandFailure) {
        let before = arguments
        if let option = before.options.first(where: { $0.key == "group" }) {
            let isNamed = before.value("group") != nil
            if !isNamed, file.groups.count == 1 {
                arguments.supply(option, file.groups, from: .init(.file, "groups", at: file.name))
            }
            if isNamed, let name = before.value("group"), !file.groups.isEmpty,
                !file.groups.contains(name)
            {
                throw CommandFailure(
                    .usage,
                    "\(before.label("group")): the file describes no group `\(name)`. It has "
                        + "\(file.groups.joined(separator: ", ")).")
            }
            if !isNamed, file.groups.count > 1 {
                throw CommandFailure(
                    .usage,
                    "The file describes several groups. Say which to work for: --group "
                        + "\(file.groups.joined(separator: ", or --group ")).")
            }
        }
        for option in before.options {
            guard let key = option.key, !isOverruled(option, before, at: .file) else { continue }
            for setting in file.settings(for: key, group: arguments.value("group")) {
                arguments.supply(option, [setting.text], from: setting.origin)
            }
        }
        if let routes = file.routes,
            let option = before.options.first(where: { $0.key == "routes" })
        {
            let text = String(decoding: routes.json.array(), as: UTF8.self)
            arguments.supply(option, [text], from: routes.origin)
        }
    }

    /// Whether somebody stronger has named something else that it goes with.
    private static func isOverruled(
        _ option: Command.Option, _ arguments: Arguments, at kind: Arguments.Origin.Kind
    ) -> Bool {
        rivals.contains { rival in
            guard let key = option.key, key.hasPrefix(rival.section),
                rival.members?.contains(option.name) ?? true
            else { return false }
            return rival.heads.contains { head in
                arguments.isGiven(head)
                    && arguments.located(head).contains { $0.origin.kind > kind }
            }
        }
    }

    // MARK: The environment

    /// `node.listen` is `MARTLET_NODE_LISTEN`.
    static func variable(_ key: String) -> String {
        "MARTLET_"
            + key.uppercased().map { $0 == "." || $0 == "-" ? "_" : String($0) }.joined()
    }

    /// Variables that look like settings and are none.
    private static func check(_ variables: [String: String]) throws(CommandFailure) {
        let known = options.compactMap(\.key).map(variable)
        let sections = ["MARTLET_NODE_", "MARTLET_SOURCE_", "MARTLET_GROUP_"]
        let unknown = variables.keys.sorted().first { name in
            sections.contains { name.hasPrefix($0) } && !known.contains(name)
        }
        guard let unknown else { return }
        let guess = Spelling.nearest(to: unknown, among: known).map { " Did you mean `\($0)`?" }
        throw CommandFailure(
            .usage, "The variable `\(unknown)` is no setting.\(guess ?? "")")
    }

    private static func texts(
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
}
