import Martlet
import MartletCommandLine
import MartletTools

/// `martletctl nodes`: who is there, and what they publish.
enum NodesCommand {
    static let command = Command(
        "nodes", "lists the nodes that are there, and their streams",
        details: [
            "It greets the peer and all nodes that the peer knows of, and prints a line for each: "
                + "its name, where it is, whether it answers, and for each stream that it "
                + "publishes the lanes, the events so far and how many of them it keeps.",
            "Exit status: 0 a node answers, 1 none does, 64 the command line is wrong.",
        ],
        options: [
            NodeOptions.usualPeer,
            .value("timeout", "SECONDS", nil, "Wait so long for those that do not answer; 2."),
            .flag("json", "j", "Print an object of JSON for each node."),
            NodeOptions.name("martletctl"),
        ],
        examples: [.init("martletctl nodes -p tcp://10.0.0.4:5550", "A node and those it knows")]
    ) { (arguments) throws(CommandFailure) in
        let configuration = try NodeOptions.configuration(Settings.peers(arguments))
        let timeout = Duration.seconds(try arguments.integer("timeout", in: 1...3_600) ?? 2)
        let isJSON = arguments.flag("json")
        return try Service.run {
            let statuses = try await withNode(configuration) { node in
                try await NodesCommand.statuses(node, within: timeout)
            }
            return try show(statuses.sorted(by: precedes), isJSON)
        }
    }

    private static func precedes(_ left: PeerStatus, _ right: PeerStatus) -> Bool {
        (left.name ?? "~", left.endpoint.description)
            < (right.name ?? "~", right.endpoint.description)
    }

    /// What stands when all have answered or failed, or when the time is over.
    private static func statuses(_ node: Node, within timeout: Duration) async throws
        -> [PeerStatus]
    {
        let deadline = ContinuousClock.now + timeout
        return try await withThrowingTaskGroup(of: Void.self) { group in
            // Whoever subscribes is told of the streams.
            group.addTask {
                try await node.subscribe(to: [">"]) { events in for try await _ in events {} }
            }
            defer { group.cancelAll() }
            while true {
                let statuses = try await node.peerStatus()
                let isWhole = !statuses.isEmpty && !statuses.contains { $0.state.isOpen }
                if isWhole || ContinuousClock.now >= deadline { return statuses }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    private static func show(
        _ statuses: [PeerStatus], _ isJSON: Bool
    ) throws(CommandFailure) -> ExitStatus {
        var isAnyThere = false
        for status in statuses {
            if case .superfluous = status.state { continue }
            if case .connected = status.state { isAnyThere = true }
            let line = NodeLine(status)
            if isJSON {
                do throws(MartletError) { Output.standard.line(try JSONText.of(line)) } catch {
                    throw CommandFailure(error, .badData)
                }
            } else {
                Output.standard.lines(ofOthers: line.text)
            }
        }
        if statuses.isEmpty {
            Output.errors.line("No address was found for the peers.")
        }
        return isAnyThere ? .success : .nothingFound
    }
}

extension PeerStatus.State {
    /// Whether it may still come about.
    fileprivate var isOpen: Bool { if case .connecting = self { true } else { false } }
}

/// A node, as it is printed.
private struct NodeLine: Encodable {
    struct Stream: Encodable {
        let name: String
        var lanes = 0
        var published: UInt64 = 0
        var kept: UInt64 = 0
    }

    let endpoint: String
    let name: String?
    let id: String?
    let state: String
    var failure: String?
    let streams: [Stream]

    init(_ status: PeerStatus) {
        endpoint = status.endpoint.description
        name = status.name
        id = status.id?.description
        switch status.state {
        case .connecting: state = "no answer"
        case .connected: state = "connected"
        case .superfluous: state = "superfluous"
        case .failed(let error):
            state = "failed"
            failure = error.message
        }
        var streams: [Stream] = []
        for channel in status.channels {
            if streams.last?.name != channel.stream.text {
                streams.append(Stream(name: channel.stream.text))
            }
            let last = streams.count - 1
            streams[last].lanes += 1
            streams[last].published &+= channel.next - 1
            streams[last].kept &+= channel.next &- channel.first
        }
        self.streams = streams
    }

    var text: String {
        let head = "\(name ?? "?")  \(endpoint)  \(state)" + (failure.map { ": \($0)" } ?? "")
        return
            ([head]
            + streams.map {
                "    \($0.name): \(Rate.grouped($0.published)) events in \($0.lanes) lanes, "
                    + "\(Rate.grouped($0.kept)) kept"
            }).joined(separator: "\n")
    }
}
