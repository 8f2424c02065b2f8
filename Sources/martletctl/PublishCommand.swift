import Martlet
import MartletCommandLine
import MartletTools

/// `martletctl publish`: one event, from a node that is there for no longer.
enum PublishCommand {
    static let command = Command(
        "publish", "publishes one event",
        details: [
            "The payload is the operand, or standard input; without --content-type it is JSON. It "
                + "prints the event's id.",
            "It is a node of its own for a moment: it asks the peer to tell others of it, waits "
                + "until a node subscribes to the topic's stream, publishes, and goes when those "
                + "that subscribe have the event. Nobody keeps the event behind that. For events "
                + "that come one after the other, martlet-publisher is meant.",
            "Exit status: 0 all who subscribe have it, 64 the command line is wrong, 65 the "
                + "payload is not JSON, 69 nobody subscribes, or some may not have it.",
        ],
        operands: .init("TOPIC [PAYLOAD]", 1...2, "Where it goes, and what it is."),
        options: [
            NodeOptions.usualPeer, NodeOptions.listen, NodeOptions.advertise,
            .value("key", "KEY", "k", "What it is kept in order with."),
            .value("id", "ID", nil, "An id of your own; its position without it."),
            .values("attribute", "NAME=VALUE", "a", "An extension, as CloudEvents have them."),
            .value("content-type", "TYPE", nil, "What the payload is; application/json without."),
            .value("wait-for", "N", "w", "Wait for so many nodes that subscribe; 1 without it."),
            .value("timeout", "SECONDS", nil, "Wait so long for them; 5 without it."),
            NodeOptions.name("martletctl"),
        ],
        examples: [
            .init(
                #"martletctl publish orders.placed '{"id": "A-17"}' -k c-9"#, "To whoever reads"),
            .init("martletctl publish logs.app --content-type text/plain < note.txt", "Any bytes"),
        ]
    ) { (arguments) throws(CommandFailure) in
        try Publication(arguments).run()
    }
}

/// From a command line to an event that is published.
private struct Publication: Sendable {
    private let configuration: NodeConfiguration
    private let topic: Topic
    private let contentType: ContentType
    private let payload: Bytes
    private let key: String?
    private let id: String?
    private let attributes: EventAttributes?
    private let waitFor: Int
    private let timeout: Duration

    init(_ arguments: Arguments) throws(CommandFailure) {
        var configuration = try NodeOptions.configuration(Settings.peers(arguments))
        if configuration.listening == nil {
            configuration.listening = Publication.listening(for: configuration.peers)
        }
        self.configuration = configuration
        do throws(MartletError) { topic = try Topic(arguments.operands[0]) } catch {
            throw CommandFailure(error)
        }
        let type = arguments.value("content-type") ?? ContentType.json.text
        contentType = try arguments.parsed("content-type", type) { (text) throws(MartletError) in
            try ContentType(text)
        }
        key = arguments.value("key")
        id = arguments.value("id")
        attributes = try Publication.attributes(arguments)
        waitFor = try arguments.integer("wait-for", in: 1...1_000_000) ?? 1
        timeout = .seconds(try arguments.integer("timeout", in: 1...86_400) ?? 5)
        payload = try Publication.payload(arguments, contentType)
    }

    /// Where others reach it: from this machine alone, if all peers are on it.
    private static func listening(for peers: [Endpoint]) -> Endpoint {
        let here: Set<String?> = [nil, "127.0.0.1", "::1", "localhost"]
        return peers.allSatisfy { here.contains($0.host) }
            ? "tcp://127.0.0.1:0" : "tcp://*:0"
    }

    private static func payload(
        _ arguments: Arguments, _ type: ContentType
    ) throws(CommandFailure) -> Bytes {
        let bytes =
            arguments.operands.count > 1
            ? Bytes(utf8: arguments.operands[1])
            : Bytes(try LineReader.contents(of: "-", byteCountMax: Limits.eventBytesMax))
        guard type == .json else { return bytes }
        do throws(MartletError) { _ = try PayloadReader(bytes, .json) } catch {
            throw CommandFailure(error, .badData, about: "the payload")
        }
        return bytes
    }

    private static func attributes(
        _ arguments: Arguments
    ) throws(CommandFailure) -> EventAttributes? {
        var attributes = EventAttributes()
        for text in arguments.values("attribute") {
            let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2 else {
                throw CommandFailure(.usage, "`--attribute` takes NAME=VALUE, not `\(text)`.")
            }
            do throws(MartletError) {
                if sides[0] == "subject" {
                    try attributes.setSubject(String(sides[1]))
                } else {
                    try attributes.set(
                        AttributeName(String(sides[0])), to: .string(String(sides[1])))
                }
            } catch { throw CommandFailure(error, about: "--attribute") }
        }
        return attributes.isEmpty ? nil : attributes
    }

    func run() throws(CommandFailure) -> ExitStatus {
        try Service.run {
            try await withNode(configuration) { node in
                let publisher = try node.publisher(
                    of: EventDefinition(topic: topic, contentType: contentType))
                try await waitForReaders(publisher)
                let receipt = try await publisher.publish(
                    payload, key: key, id: id, attributes: attributes)
                Output.standard.line(id ?? receipt.position.description)
                guard await node.drain(within: timeout) else {
                    throw CommandFailure(
                        .unavailable,
                        "It was published, but a node that subscribes has not confirmed it: it may "
                            + "lack it. Look at that node, or allow more time with --timeout.")
                }
                return .success
            }
        }
    }

    private func waitForReaders(_ publisher: PayloadPublisher) async throws {
        let isThere = try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                try await publisher.waitForSubscribers(atLeast: waitFor)
                return true
            }
            group.addTask {
                try await Task.sleep(for: timeout)
                return false
            }
            defer { group.cancelAll() }
            do { return try await group.next() ?? false } catch {
                throw Task.isCancelled
                    ? CommandFailure(.unavailable, "It was stopped: nothing was published.")
                    : error
            }
        }
        guard isThere else {
            let peers = configuration.peers.map { "\($0)" }.joined(separator: ", ")
            throw CommandFailure(
                .unavailable,
                "Within \(timeout) fewer than \(waitFor) nodes that know \(peers) subscribe to "
                    + "`\(topic.stream)`: nothing was published. Start a subscriber first, or name "
                    + "another --peer.")
        }
    }
}
