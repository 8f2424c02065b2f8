public import Martlet
public import MartletCommandLine

/// The options by which programs describe their node.
public enum NodeOptions {
    /// Where a publisher listens and readers look for it, unless they are told.
    public static let usualEndpoint: Endpoint = "tcp://127.0.0.1:5550"

    /// Who to read from.
    public static let peer = peer(usual: nil)
    /// The same with the one that is read from where nobody says anything.
    public static let usualPeer = peer(usual: "\(usualEndpoint)")

    private static func peer(usual: String?) -> Command.Option {
        .values(
            "peer", "ENDPOINT", "p", key: "node.peer", standard: usual,
            "A node to read from, as tcp://host:5550; a host name stands for all its addresses.")
    }

    /// Where to be found.
    public static let listen = listen(usual: nil)
    /// The same with the place where a publisher is found where nobody says anything.
    public static let usualListen = listen(usual: "\(usualEndpoint)")

    private static func listen(usual: String?) -> Command.Option {
        .value(
            "listen", "ENDPOINT", "l", key: "node.listen", standard: usual,
            "Where peers reach this node, as tcp://*:5550 for all machines.")
    }

    /// What to tell others.
    public static let advertise = Command.Option.value(
        "advertise", "HOST", nil, key: "node.advertise",
        "The host that peers are told, where they cannot use the one that is listened at.")
    /// What to be called.
    public static func name(_ usual: String) -> Command.Option {
        .value(
            "name", "NAME", nil, key: "node.name", standard: usual,
            "What people call the node; %h is the name of the host.")
    }
    /// How streams are kept.
    public static let stream = Command.Option.values(
        "stream", "NAME[:SETTING…]", nil, key: "streams", isMerged: true,
        "A stream that is not as usual: orders:durable,partitions=4,keep=7d,lag=wait.")
    /// Limits and times.
    public static let limit = Command.Option.values(
        "limit", "NAME=TIME", nil, key: "limits", isMerged: true,
        "A limit of the node: drain-timeout=5s. Docs/configuration.md names them.")

    /// Where a node keeps what must outlive it.
    public static let journal = Command.Option.value(
        "journal", "DIR", nil, key: "node.journal",
        "Keep durable streams and cursors in this folder.")
    /// Which streams those are.
    public static let durable = Command.Option.value(
        "durable", "NAME,…", nil, "Streams that are on disk before anybody gets their events.")
    /// Whether producers are turned away.
    public static let noProducers = Command.Option.flag(
        "no-producers", nil, key: "node.no-producers", "Take no events from producers elsewhere.")
    /// Whether commands are.
    public static let noCommands = Command.Option.flag(
        "no-commands", nil, key: "node.no-commands",
        "Tell others nothing, and do nothing that they want.")

    /// All settings of nodes.
    static let all = [
        peer, listen, advertise, name("martlet"), journal, noProducers, noCommands, stream, limit,
    ]

    /// What the options make of a node.
    public static func configuration(
        _ arguments: Arguments
    ) throws(CommandFailure) -> NodeConfiguration {
        var configuration = NodeConfiguration(name: try name(arguments))
        if let text = arguments.value("listen") {
            configuration.listening = try endpoint("listen", text, arguments)
        }
        configuration.advertisedHost = arguments.value("advertise")
        for text in arguments.values("peer") {
            configuration.peers.append(try endpoint("peer", text, arguments))
        }
        configuration.journal = arguments.value("journal")
        configuration.acceptsProducers = !arguments.flag("no-producers")
        configuration.acceptsCommands = !arguments.flag("no-commands")
        configuration.streams = try StreamSettings(arguments).definitions()
        try LimitSettings(arguments).apply(to: &configuration)
        guard configuration.journal != nil || !configuration.streams.contains(where: \.isDurable)
        else {
            throw CommandFailure(
                .usage,
                "Durable streams need a journal: `--journal DIR`, or `journal` under `node`.")
        }
        return configuration
    }

    /// What the node is called: `%h` stands for the host's name, so that many containers of one
    /// kind can be told apart.
    public static func name(_ arguments: Arguments) throws(CommandFailure) -> String {
        let name = try arguments.required("name")
        let host = ProcessEnvironment.hostName ?? "localhost"
        return name.split(separator: "%h", omittingEmptySubsequences: false)
            .joined(separator: host)
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
