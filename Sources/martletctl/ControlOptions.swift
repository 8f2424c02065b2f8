import Martlet
import MartletCommandLine
import MartletTools

/// Verbs that ask nodes how they stand, or tell them what to do.
enum ControlOptions {
    static let node = Command.Option.values(
        "node", "ENDPOINT", "n", key: "node.peer", standard: "\(NodeOptions.usualEndpoint)",
        "A node that publishes, as tcp://host:5550, of which each is asked.")
    static let timeout = Command.Option.value(
        "timeout", "SECONDS", nil, "Wait so long for each answer; 10 without it.")
    static let json = Command.Option.flag("json", "j", "Print an object of JSON on each line.")

    static let status =
        "Exit status: 0 done, 1 nothing found or something left undone, 64 the command line is "
        + "wrong, 69 a node cannot be had or refuses."

    /// The nodes that are named: on the command line, as the node whose environment this is, or as
    /// its peers.
    static func nodes(_ arguments: Arguments) throws(CommandFailure) -> [Endpoint] {
        if !arguments.isGiven("node"), let text = Settings.listeningVariable() {
            return [try own(text)]
        }
        var nodes: [Endpoint] = []
        let arguments = try Settings.peers(arguments)
        for text in arguments.values("node") {
            nodes.append(
                try arguments.parsed("node", text) { (text) throws(MartletError) in
                    try Endpoint(text)
                })
        }
        return nodes
    }

    /// How this machine reaches a node that listens there.
    static func own(_ listening: String) throws(CommandFailure) -> Endpoint {
        do throws(MartletError) {
            let endpoint = try Endpoint(listening)
            guard let port = endpoint.port else { return endpoint }
            switch endpoint.host {
            case "*", "0.0.0.0": return try .tcp("127.0.0.1", port: port)
            case "::": return try .tcp("::1", port: port)
            default: return endpoint
            }
        } catch { throw CommandFailure(error, about: "MARTLET_NODE_LISTEN") }
    }

    /// Asks each node that is named. With one that does not answer the others are asked all the
    /// same.
    static func run(
        _ arguments: Arguments,
        _ body: @escaping @Sendable (NodeControl, Endpoint) async throws -> ExitStatus
    ) throws(CommandFailure) -> ExitStatus {
        let all = try nodes(arguments)
        let timeout = Duration.seconds(try arguments.integer("timeout", in: 1...3_600) ?? 10)
        return try Service.run {
            var status = ExitStatus.success
            for node in all {
                do {
                    let own = try await withControl(of: node, timeout: timeout) { control in
                        try await body(control, node)
                    }
                    if status == .success { status = own }
                } catch let error as MartletError where error.code != .cancelled {
                    Output.errors.lines(ofOthers: "\(node): \(error.message)")
                    Output.errors.flush()
                    status = .unavailable
                }
            }
            return status
        }
    }
}
