import Martlet
import MartletCommandLine
import MartletTools

/// `martletctl health`: whether a node does what it is there for, for those who watch containers.
enum HealthCommand {
    static let command = Command(
        "health", "says whether a publisher, or a worker, does its work",
        details: [
            "A publisher is healthy if it answers and its journal stores. With --worker, a worker "
                + "is healthy if one of the nodes at least has it in its group: the worker itself "
                + "need not listen anywhere. Its name and group are those that the program itself "
                + "would take from MARTLET_NODE_NAME, MARTLET_GROUP and the file of settings, so "
                + "that a container asks with the environment of its program.",
            "Exit status: 0 healthy, 1 not, 64 the command line is wrong.",
        ],
        options: [
            ControlOptions.node, .flag("worker", nil, "Ask for a worker."),
            NodeOptions.name("worker"),
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
        let keys: Set<String> = ["node.peer", "node.name", "group"]
        let arguments = try Settings.layered(arguments, only: keys)
        let nodes = try ControlOptions.nodes(arguments)
        let timeout = Duration.seconds(try arguments.requiredInteger("timeout", in: 1...3_600))
        guard arguments.flag("worker") else {
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
