public import MartletCommandLine

/// Options that say what a publisher publishes.
public enum PublisherOptions {
    /// All of them.
    public static let all: [Command.Option] = [
        .value("file", "FILE", nil, key: "source.file", "Publish the lines of this file."),
        .flag(
            "follow", "f", key: "source.follow",
            "Go on with what is added to the file, as tail -F does."),
        .value(
            "generate", "KIND", "g", key: "source.generate",
            "Publish made-up orders, registrations or sensors."),
        .value(
            "rate", "N", "r", key: "source.rate", standard: "10",
            "So many made-up events a second, or max."),
        .value("count", "N", "n", key: "source.count", "Publish so many events, then end."),
        .value(
            "seed", "N", nil, key: "source.seed", standard: "1",
            "Make up the events of this seed."),
        .value(
            "pull", "ENDPOINT", nil, key: "source.pull",
            "Bind a PULL socket and publish what it gets."),
        .value(
            "topic", "TOPIC", "t", key: "source.topic",
            "Lines are payloads of events on this topic."),
        EventKeys.option(key: "source.key"),
        .value(
            "wait-for", "N", "w", key: "source.wait-for", "Begin when so many nodes subscribe."),
        .flag(
            "stay", nil, key: "source.stay",
            "When all is published, stay for workers and readers until SIGTERM."),
        .flag(
            "idle", nil, key: "source.idle",
            "Publish nothing itself: for events that others submit."),
        .value(
            "routes", "FILE", nil, key: "routes",
            "Rules that say on which topics events are published."),
        .flag("quiet", "q", key: "source.quiet", "Show no progress."),
    ]
}
