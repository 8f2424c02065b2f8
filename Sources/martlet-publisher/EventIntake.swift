import Martlet
import MartletTools

/// Publishes events that come from outside, as they are.
struct EventIntake {
    private let node: Node
    private let keys: EventKeys
    private var publishers: [Topic: PayloadPublisher] = [:]

    /// Topics whose publishers are kept; others may be made up by whoever sends.
    private static let publishersMax = 1_024

    init(_ node: Node, _ keys: EventKeys) {
        self.node = node
        self.keys = keys
    }

    /// Publishes an event of another system.
    func publish(event: CloudEvent) async throws(MartletError) {
        try await node.publish(keys.keyed(event))
    }

    /// Publishes an event of this node, whose payload is JSON.
    mutating func publish(payload: Bytes, on topic: Topic) async throws(MartletError) {
        let key = try keys.key(of: payload, on: topic)
        try await publisher(of: topic).publish(payload, key: key)
    }

    private mutating func publisher(of topic: Topic) throws(MartletError) -> PayloadPublisher {
        if let known = publishers[topic] { return known }
        let publisher = try node.publisher(of: EventDefinition(topic: topic, contentType: .json))
        if publishers.count >= EventIntake.publishersMax { publishers = [:] }
        publishers[topic] = publisher
        return publisher
    }
}
