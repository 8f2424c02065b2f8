public import MartletCommandLine

/// Options that say what a worker does, and for whom.
public enum WorkerOptions {
    /// All of them.
    public static let all: [Command.Option] =
        [
            .value("group", "NAME", "g", key: "group", "The group to work for.")
        ] + definition + work

    /// What all workers of a group say alike.
    private static let definition: [Command.Option] = [
        .values(
            "topic", "PATTERN", "t", key: "group.topic",
            "The topics of its events, as orders.placed or orders.>."),
        .values(
            "filter", "EXPRESSION", nil, key: "group.filter", mayHaveSpaces: true,
            "Only events for which this is so."),
        .value(
            "from", "START", nil, key: "group.from", standard: "first",
            "Where a new group begins: first or now."),
        .flag(
            "unkeyed", nil, key: "group.unkeyed", "The group does not mind the order of keys."),
        .value(
            "attempts", "N", nil, key: "group.attempts", standard: "8",
            "So often an event is tried."),
        .value(
            "back-off", "MS", nil, key: "group.back-off", standard: "500",
            "Up to here waits the first retry, in ms."),
        .flag(
            "park", nil, key: "group.park",
            "After the last attempt, set aside what follows of its key, too."),
        .value(
            "revision", "N", nil, key: "group.revision", standard: "1",
            "Raise it when the group is to be another."),
    ]

    /// What each of them does by itself.
    private static let work: [Command.Option] = [
        .value("width", "N", "w", key: "group.width", standard: "8", "So many events at once."),
        .value(
            "time-limit", "SECONDS", nil, key: "group.time-limit", standard: "300",
            "An event may take so long."),
        .value(
            "exec", "COMMAND", "e", key: "group.exec", "Run a command for each event."),
        .flag(
            "persistent", nil, key: "group.persistent",
            "Let the command run on, and give it events as lines."),
        .flag("print", nil, key: "group.print", "Print a line for each event."),
        .value(
            "append", "FILE", nil, key: "group.append",
            "Append each event to a file, as a line of JSON."),
        .flag("count", nil, key: "group.count", "Only count events."),
        .value(
            "fail-rate", "SHARE", nil, key: "group.fail-rate", standard: "0",
            "Let so many attempts fail, 0.1 being a tenth."),
        .value(
            "delay", "MS", nil, key: "group.delay", standard: "0",
            "Take so long for each event, in ms."),
        .value(
            "reject", "EXPRESSION", nil, key: "group.reject",
            "Set events aside for which this is so."),
        .value(
            "crash", "EXPRESSION", nil, key: "group.crash",
            "End at once on such an event, as if killed by it."),
        .flag("quiet", "q", key: "group.quiet", "Say nothing but what went wrong."),
    ]
}
