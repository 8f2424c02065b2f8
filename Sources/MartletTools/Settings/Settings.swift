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
    static let options = NodeOptions.all + PublisherOptions.all + WorkerOptions.all

    /// The arguments with what the environment and a file add to them.
    public static func layered(_ arguments: Arguments) throws(CommandFailure) -> Arguments {
        let sources = try SettingsSources(arguments)
        return try sources.layered(arguments, group: try sources.group(of: arguments))
    }

    /// The same where no group is named and a file describes some: once for each of them.
    public static func layeredByGroup(
        _ arguments: Arguments
    ) throws(CommandFailure) -> [Arguments] {
        let sources = try SettingsSources(arguments)
        let groups = sources.file?.groups ?? []
        guard groups.count > 1, try sources.named(arguments, "group") == nil else {
            return [try layered(arguments)]
        }
        var all: [Arguments] = []
        for group in groups { all.append(try sources.layered(arguments, group: group)) }
        return all
    }

    /// The arguments with what the environment and a file say about these keys, for programs that
    /// take nothing else from there.
    public static func layered(
        _ arguments: Arguments, only keys: Set<String>
    ) throws(CommandFailure) -> Arguments {
        let sources = try SettingsSources(arguments)
        let group = keys.contains("group") ? try sources.group(of: arguments) : nil
        return try sources.layered(arguments, group: group, only: keys)
    }

    /// The arguments with the nodes to talk to.
    public static func peers(_ arguments: Arguments) throws(CommandFailure) -> Arguments {
        try layered(arguments, only: ["node.peer"])
    }

    /// Where the node listens whose environment this is; nil if that says nothing.
    public static func listeningVariable() -> String? {
        let name = SettingsSources.variable("node.listen")
        let text = ProcessEnvironment.variables(prefix: name)[name]
        return text?.isEmpty == false ? text : nil
    }
}
