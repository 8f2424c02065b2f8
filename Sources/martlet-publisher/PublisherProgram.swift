import Martlet
import MartletCommandLine
import MartletTools

/// From a command line to a node that publishes.
struct PublisherProgram: Sendable {
    private let configuration: NodeConfiguration
    private let source: any EventSource
    private let waitFor: Int?
    private let stays: Bool
    private let isQuiet: Bool

    init(_ arguments: Arguments) throws(CommandFailure) {
        configuration = try NodeOptions.configuration(arguments)
        source = try SourceOptions.source(arguments)
        waitFor = try arguments.integer("wait-for", in: 0...1_000_000)
        stays = arguments.flag("stay")
        isQuiet = arguments.flag("quiet")
    }

    func run() throws(CommandFailure) -> ExitStatus { try Service.run { try await publish() } }

    private func publish() async throws -> ExitStatus {
        let progress = EventProgress("published", isShown: !isQuiet && Terminal.isErrorsOne)
        let status = try await withNode(configuration) { node in
            Output.errors.lines(
                ofOthers:
                    "\(node.name) listens at \(node.endpoint.map { "\($0)" } ?? "-"), data at "
                    + "\(node.dataEndpoint.map { "\($0)" } ?? "-")")
            for finding in (try? node.journalStatus().findings) ?? [] {
                Output.errors.lines(ofOthers: "journal: \(finding)")
            }
            Output.errors.flush()
            return try await progress.whileShown { try await publish(on: node, progress) }
        }
        if !stays { say(progress.summary) }
        return status
    }

    private func say(_ summary: String) {
        guard !isQuiet else { return }
        Output.errors.line(summary)
        Output.errors.flush()
    }

    private func publish(
        on node: Node, _ progress: EventProgress
    ) async throws -> ExitStatus {
        // After a signal, what is published goes out, and that is all.
        try await Service.untilStopped {
            if let waitFor {
                try await node.waitForSubscribers(atLeast: waitFor, to: source.stream)
            }
            try await source.publish(on: node, progress)
            guard stays else { return }
            say(progress.summary)
            try await IdleSource().publish(on: node, progress)
        }
        return progress.refused == 0 ? .success : .badData
    }
}
