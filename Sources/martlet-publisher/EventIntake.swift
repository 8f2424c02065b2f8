import Martlet

/// Publishes events that come from outside, as they are.
struct EventIntake {
    private let node: Node
    private let key: Partitioning?
    private var publishers: [Topic: PayloadPublisher] = [:]

    /// Topics whose publishers are kept; others may be made up by whoever sends.
    private static let publishersMax = 1_024

    /// With a `key`, events are kept in order by what it finds in them.
    init(_ node: Node, key: Partitioning?) {
        self.node = node
        self.key = key
    }

    /// Publishes an event of another system.
    func publish(event: CloudEvent) async throws(MartletError) {
        guard let key else {
            try await node.publish(event)
            return
        }
        var attributes = event.attributes
        try attributes.set(.partitionKey, to: key.key(of: event).map { .string($0) })
        try await node.publish(event.with(attributes))
    }

    /// Publishes an event of this node, whose payload is JSON.
    mutating func publish(payload: Bytes, on topic: Topic) async throws(MartletError) {
        _ = try PayloadReader(payload, .json)
        try await publisher(of: topic).publish(payload, key: key(of: payload, on: topic))
    }

    private func key(of payload: Bytes, on topic: Topic) throws(MartletError) -> String? {
        guard let key else { return nil }
        let event = try CloudEvent(
            id: "-", source: "-", type: topic.text, contentType: .json, data: payload)
        return key.key(of: event)
    }

    private mutating func publisher(of topic: Topic) throws(MartletError) -> PayloadPublisher {
        if let known = publishers[topic] { return known }
        let publisher = try node.publisher(of: EventDefinition(topic: topic, contentType: .json))
        if publishers.count >= EventIntake.publishersMax { publishers = [:] }
        publishers[topic] = publisher
        return publisher
    }
}
