import Martlet
import MartletCommandLine
import MartletTools

/// Where a publisher's events come from.
protocol EventSource: Sendable {
    /// The stream that they all go to; nil where nobody knows.
    var stream: StreamName? { get }

    /// Publishes them until there are no more or the task is cancelled.
    func publish(on node: Node, _ progress: EventProgress) async throws
}

/// The options that choose a source.
enum SourceOptions {
    static func source(_ arguments: Arguments) throws(CommandFailure) -> any EventSource {
        let names = ["file", "generate", "pull"].filter { arguments.isGiven($0) }
        guard names.count <= 1 else {
            throw CommandFailure(
                .usage,
                "\(arguments.label(names[0])) and \(arguments.label(names[1])) are two sources. "
                    + "Name one.")
        }
        try check(arguments, names.first)
        let count = try arguments.integer("count", in: 1...Int.max)
        let routes = try Routes.table(arguments)
        if arguments.flag("idle") {
            guard names.isEmpty, arguments.value("topic") == nil else {
                throw CommandFailure(.usage, "\(arguments.label("idle")) goes with no source.")
            }
            return IdleSource()
        }
        switch names.first {
        case "generate": return try generator(arguments, count)
        case "pull":
            let text = try arguments.required("pull")
            let endpoint = try arguments.parsed("pull", text) { (text) throws(MartletError) in
                try Endpoint(text)
            }
            return PullSource(
                endpoint, keys: try EventKeys(arguments), routes: routes,
                count: count)
        default:
            return LineSource(
                arguments.value("file") ?? "-", follows: arguments.flag("follow"),
                topic: try topic(arguments), keys: try EventKeys(arguments), routes: routes,
                count: count)
        }
    }

    /// Options that mean something to other sources alone.
    private static func check(
        _ arguments: Arguments, _ source: String?
    ) throws(CommandFailure) {
        for name in ["rate", "seed"] where arguments.isGiven(name) && source != "generate" {
            throw CommandFailure(.usage, "\(arguments.label(name)) goes with `--generate`.")
        }
        if arguments.flag("follow"), source != "file" {
            throw CommandFailure(.usage, "\(arguments.label("follow")) goes with `--file`.")
        }
        if arguments.value("topic") != nil, source == "generate" || source == "pull" {
            throw CommandFailure(
                .usage, "\(arguments.label("topic")) goes with lines: they have a topic already.")
        }
        // A file may describe other publishers, too, whose events take them.
        if arguments.located("routes").contains(where: { $0.origin.kind > .file }),
            source == "generate"
        {
            throw CommandFailure(
                .usage, "\(arguments.label("routes")) goes with lines and `--pull`.")
        }
        if arguments.value("key") != nil, source == "generate" {
            throw CommandFailure(.usage, "\(arguments.label("key")) goes with lines and `--pull`.")
        }
    }

    private static func generator(
        _ arguments: Arguments, _ count: Int?
    ) throws(CommandFailure) -> any EventSource {
        let text = try arguments.required("generate")
        guard let kind = GeneratedKind(rawValue: text) else {
            let names = GeneratedKind.allCases.map(\.rawValue)
            let guess = Spelling.nearest(to: text, among: names).map { " Did you mean `\($0)`?" }
            throw CommandFailure(
                .usage,
                "There is no generator `\(text)`.\(guess ?? "") There are "
                    + "\(names.joined(separator: ", ")).")
        }
        let isUnbounded = arguments.value("rate") == "max"
        let rate = isUnbounded ? nil : try arguments.integer("rate", in: 1...10_000_000)
        let seed = try arguments.requiredInteger("seed", in: 0...Int.max)
        return GeneratorSource(kind, perSecond: rate, count: count, seed: UInt64(seed))
    }

    private static func topic(_ arguments: Arguments) throws(CommandFailure) -> Topic? {
        guard let text = arguments.value("topic") else { return nil }
        return try arguments.parsed("topic", text) { (text) throws(MartletError) in
            try Topic(text)
        }
    }
}
