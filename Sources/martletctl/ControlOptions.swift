import Martlet
import MartletCommandLine
import MartletTools

/// Verbs that ask nodes how they stand, or tell them what to do.
enum ControlOptions {
    static let node = Command.Option.values(
        "node", "ENDPOINT", "n", key: "node.peer", standard: "\(NodeOptions.usualEndpoint)",
        "A node that publishes, as tcp://host:5550, of which each is asked")
    static let timeout = Command.Option.value(
        "timeout", "SECONDS", nil, "Wait so long for each answer; 10 without it.")
    static let json = Command.Option.flag("json", "j", "Print an object of JSON on each line.")

    static let status =
        "Exit status: 0 done, 1 nothing found or something left undone, 64 the command line is "
        + "wrong, 69 a node cannot be had or refuses."

    /// The nodes that are named.
    static func nodes(_ arguments: Arguments) throws(CommandFailure) -> [Endpoint] {
        var nodes: [Endpoint] = []
        for text in arguments.values("node") {
            nodes.append(
                try arguments.parsed("node", text) { (text) throws(MartletError) in
                    try Endpoint(text)
                })
        }
        return nodes
    }

    /// Asks each node that is named. With one that does not answer the others are asked all the
    /// same.
    static func run(
        _ arguments: Arguments,
        _ body: @escaping @Sendable (NodeControl, Endpoint) async throws -> ExitStatus
    ) throws(CommandFailure) -> ExitStatus {
        let all = try nodes(Settings.peers(arguments))
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
