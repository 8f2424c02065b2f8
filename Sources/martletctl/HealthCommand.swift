import Martlet
import MartletCommandLine
import MartletTools

/// `martletctl health`: whether a node does what it is there for, for those who watch containers.
enum HealthCommand {
    static let command = Command(
        "health", "says whether a publisher, or a worker, does its work",
        details: [
            "A publisher is healthy if it answers, where it listens, and its journal stores. With "
                + "--worker, a worker is healthy if one of its peers at least has it in its group: "
                + "the worker itself need not listen anywhere. Without options it asks with the "
                + "settings of the program beside it: MARTLET_NODE_LISTEN, MARTLET_NODE_PEER, "
                + "MARTLET_NODE_NAME, MARTLET_GROUP, and the file that MARTLET_CONFIG names.",
            "Exit status: 0 healthy, 1 not, 64 the command line is wrong.",
        ],
        options: [
            .values(
                "node", "ENDPOINT", "n", "A node to ask, in the place of those in the settings."),
            .flag("worker", nil, "Ask for a worker."), NodeOptions.usualListen,
            NodeOptions.usualPeer, NodeOptions.name("worker"),
            .value("group", "NAME", "g", key: "group", "The group of the worker."),
            .value("timeout", "SECONDS", nil, standard: "3", "Wait so long for each answer."),
        ],
        examples: [
            .init("martletctl health", "Of the publisher on this machine"),
            .init(
                "martletctl health --worker --name mailer-1 -g mailer -n tcp://shop:5550",
                "Of a worker"),
        ]
    ) { (arguments) throws(CommandFailure) in
        let isWorker = arguments.flag("worker")
        let keys: Set<String> =
            isWorker ? ["node.peer", "node.name", "group"] : ["node.listen"]
        let arguments = try Settings.layered(arguments, only: keys)
        let nodes = try nodes(arguments, isWorker: isWorker)
        let timeout = Duration.seconds(try arguments.requiredInteger("timeout", in: 1...3_600))
        guard isWorker else {
            return try report(nodes, timeout, wantAll: true) { try await finding(of: $0) }
        }
        let name = try NodeOptions.name(arguments)
        guard let group = arguments.value("group") else {
            throw CommandFailure(.usage, "Say which group the worker is of: --group mailer.")
        }
        return try report(nodes, timeout, wantAll: false) { control in
            let member = try await control.groups().first { $0.name == group }?
                .members.first { $0.name == name && $0.isPresent }
            return member == nil ? "`\(name)` does not work for `\(group)`" : nil
        }
    }

    private static func nodes(
        _ arguments: Arguments, isWorker: Bool
    ) throws(CommandFailure) -> [Endpoint] {
        let option = arguments.isGiven("node") ? "node" : isWorker ? "peer" : "listen"
        var nodes: [Endpoint] = []
        for text in arguments.values(option) { nodes.append(try ControlOptions.own(text)) }
        return nodes
    }

    /// Why a publisher does not do its work; nil if it does.
    private static func finding(of control: NodeControl) async throws -> String? {
        try await control.report().journal?.failure.map { "its journal does not store: \($0)" }
    }

    private static func report(
        _ nodes: [Endpoint], _ timeout: Duration, wantAll: Bool,
        _ examine: @escaping @Sendable (NodeControl) async throws -> String?
    ) throws(CommandFailure) -> ExitStatus {
        try Service.run {
            var healthy = 0
            for node in nodes {
                let finding: String?
                do {
                    finding = try await withControl(of: node, timeout: timeout) { control in
                        try await examine(control)
                    }
                } catch let error as MartletError where error.code != .cancelled {
                    finding = error.message
                }
                if finding == nil { healthy += 1 }
                Output.standard.lines(ofOthers: "\(node): \(finding ?? "healthy")")
            }
            let isHealthy = wantAll ? healthy == nodes.count : healthy > 0
            return isHealthy ? .success : .nothingFound
        }
    }
}
