public import Martlet
public import MartletCommandLine

/// The options by which programs describe their node.
public enum NodeOptions {
    /// Where a publisher listens and readers look for it, unless they are told.
    public static let usualEndpoint: Endpoint = "tcp://127.0.0.1:5550"

    /// Who to read from.
    public static let peer = Command.Option.values(
        "peer", "ENDPOINT", "p",
        "A node to read from, as tcp://host:5550. A host name stands for all its addresses.")
    /// Where to be found.
    public static let listen = Command.Option.value(
        "listen", "ENDPOINT", "l",
        "Where peers reach this node: tcp://127.0.0.1:5550, tcp://*:5550 for all machines.")
    /// What to tell others.
    public static let advertise = Command.Option.value(
        "advertise", "HOST", nil,
        "The host that peers are told, where they cannot use the one that is listened at.")
    /// What to be called.
    public static let name = Command.Option.value("name", "NAME", nil, "What people call the node.")
    /// How streams are kept.
    public static let stream = Command.Option.values(
        "stream", "NAME[:SETTING…]", nil,
        "A stream that is not as usual: orders:partitions=4,ring=16MiB,frame=64KiB,lag=wait.")

    /// Where a node keeps what must outlive it.
    public static let journal = Command.Option.value(
        "journal", "DIR", nil, "Keep durable streams and cursors in this folder.")
    /// Which streams those are.
    public static let durable = Command.Option.value(
        "durable", "NAME,…", nil, "Streams that are on disk before anybody gets their events.")

    /// What the options make of a node, and what it does where they say nothing.
    public static func configuration(
        _ arguments: Arguments, name: String, listeningAt usual: Endpoint? = nil,
        readingFrom usualPeer: Endpoint? = nil
    ) throws(CommandFailure) -> NodeConfiguration {
        var configuration = NodeConfiguration(name: arguments.value("name") ?? name)
        if let text = arguments.value("listen") {
            configuration.listening = try endpoint("listen", text, arguments)
        } else {
            configuration.listening = usual
        }
        configuration.advertisedHost = arguments.value("advertise")
        for text in arguments.values("peer") {
            configuration.peers.append(try endpoint("peer", text, arguments))
        }
        if configuration.peers.isEmpty, let usualPeer { configuration.peers = [usualPeer] }
        configuration.journal = arguments.value("journal")
        configuration.streams = try streams(arguments)
        guard configuration.journal != nil || !configuration.streams.contains(where: \.isDurable)
        else {
            throw CommandFailure(.usage, "`--durable` goes with `--journal DIR`.")
        }
        return configuration
    }

    private static func streams(
        _ arguments: Arguments
    ) throws(CommandFailure) -> [StreamDefinition] {
        var durable: Set<StreamName> = []
        for text in (arguments.value("durable") ?? "").split(separator: ",") {
            durable.insert(
                try arguments.parsed("durable", String(text)) { (text) throws(MartletError) in
                    try StreamName(text)
                })
        }
        var streams: [StreamDefinition] = []
        for text in arguments.values("stream") {
            streams.append(
                try arguments.parsed("stream", text) { (text) throws(MartletError) in
                    try StreamText.definition(text, durable: durable)
                })
        }
        for name in durable.sorted(by: { $0.text < $1.text })
        where !streams.contains(where: { $0.name == name }) {
            do throws(MartletError) { streams.append(try .durable(name)) } catch {
                throw CommandFailure(error, about: "--durable")
            }
        }
        return streams
    }

    private static func endpoint(
        _ option: String, _ text: String, _ arguments: Arguments
    ) throws(CommandFailure) -> Endpoint {
        try arguments.parsed(option, text) { (text) throws(MartletError) in try Endpoint(text) }
    }

    /// The patterns that stand as operands.
    public static func patterns(
        _ texts: [String]
    ) throws(CommandFailure) -> [TopicPattern] {
        var patterns: [TopicPattern] = []
        for text in texts {
            do throws(MartletError) { patterns.append(try TopicPattern(text)) } catch {
                throw CommandFailure(error)
            }
        }
        return patterns
    }
}

/// A stream's definition as it is written on a command line.
enum StreamText {
    static func definition(
        _ text: String, durable: Set<StreamName>
    ) throws(MartletError) -> StreamDefinition {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let name = try StreamName(String(parts[0]))
        var partitions = 16
        var ring = Limits.ringBytes
        var frame = Limits.frameBytes
        var policy = StreamDefinition.LagPolicy.repair
        var retention = Retention.forever
        for setting in parts.count > 1 ? parts[1].split(separator: ",") : [] {
            let sides = setting.split(separator: "=", maxSplits: 1).map(String.init)
            guard sides.count == 2 else { throw wrong(String(setting)) }
            switch sides[0] {
            case "partitions": partitions = try number(sides[1], setting)
            case "ring": ring = try bytes(sides[1], setting)
            case "frame": frame = try bytes(sides[1], setting)
            case "keep": retention.age = try age(sides[1], setting)
            case "size": retention.byteCount = UInt64(try bytes(sides[1], setting))
            case "done": retention.handledBy = Set(sides[1].split(separator: "+").map(String.init))
            case "lag":
                guard let known = StreamDefinition.LagPolicy(rawValue: sides[1]) else {
                    throw wrong(String(setting))
                }
                policy = known
            default: throw wrong(String(setting))
            }
        }
        guard !durable.contains(name) else {
            return try .durable(
                name, partitions: partitions, retention: retention, ringBytes: ring,
                frameBytes: frame, whenReadersLag: policy)
        }
        guard retention == .forever else {
            throw MartletError(
                .invalidArgument,
                "`keep`, `size` and `done` are settings of durable streams. Name `\(name)` in "
                    + "--durable."
            )
        }
        return try .live(
            name, partitions: partitions, ringBytes: ring, frameBytes: frame,
            whenReadersLag: policy)
    }

    private static func number(_ text: String, _ setting: Substring) throws(MartletError) -> Int {
        guard let number = Int(text) else { throw wrong(String(setting)) }
        return number
    }

    private static func age(
        _ text: String, _ setting: Substring
    ) throws(MartletError) -> Duration {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        guard let unit = text.last, let seconds = units[unit],
            let number = Int(text.dropLast()), (1...1_000_000).contains(number)
        else { throw wrong(String(setting)) }
        return .seconds(number * seconds)
    }

    private static func bytes(_ text: String, _ setting: Substring) throws(MartletError) -> Int {
        let units = [("KiB", 1_024), ("MiB", 1_048_576), ("GiB", 1_073_741_824), ("", 1)]
        for (unit, size) in units where text.hasSuffix(unit) {
            guard let number = Int(text.dropLast(unit.count)), number <= Int.max / size else {
                break
            }
            return number * size
        }
        throw wrong(String(setting))
    }

    private static func wrong(_ setting: String) -> MartletError {
        MartletError(
            .invalidArgument,
            "`\(setting)` is no setting of a stream. There are partitions=4, ring=16MiB, "
                + "frame=64KiB, lag=repair and lag=wait; for durable ones keep=7d, size=10GiB and "
                + "done=CURSOR+CURSOR.")
    }
}
