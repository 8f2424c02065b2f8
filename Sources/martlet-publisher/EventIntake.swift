import Martlet
import MartletTools

/// Publishes events that come from outside, as they are or as rules have it.
struct EventIntake {
    private let node: Node
    private let keys: EventKeys
    private let routes: RuleTable?
    private var publishers: [Topic: PayloadPublisher] = [:]

    /// Topics whose publishers are kept; others may be made up by whoever sends.
    private static let publishersMax = 1_024

    init(_ node: Node, _ keys: EventKeys, _ routes: RuleTable?) {
        self.node = node
        self.keys = keys
        self.routes = routes
    }

    /// Publishes an event of another system.
    func publish(event: CloudEvent) async throws(MartletError) {
        let event = try keys.keyed(event)
        guard let routes else {
            try await node.publish(event)
            return
        }
        for output in try routes.route(event).outputs {
            try await node.publish(output.cloudEvent())
        }
    }

    /// Publishes an event of this node, whose payload is JSON.
    mutating func publish(payload: Bytes, on topic: Topic) async throws(MartletError) {
        let key = try keys.key(of: payload, on: topic)
        guard let routes else {
            try await publisher(of: topic).publish(payload, key: key)
            return
        }
        // Its id comes with its place, which is not known before it is routed.
        var event = try CloudEvent(
            id: "-", source: "-", type: topic.text, contentType: .json, data: payload)
        var attributes = event.attributes
        try attributes.set(.partitionKey, to: key.map { .string($0) })
        event = try event.with(attributes)
        for output in try routes.route(event).outputs {
            try await publish(payload, as: output)
        }
    }

    private mutating func publish(
        _ payload: Bytes, as output: RoutedEvent
    ) async throws(MartletError) {
        let event = try output.cloudEvent()
        var attributes = event.attributes
        for name in [AttributeName.topic, .partitionKey] { try attributes.set(name, to: nil) }
        try await publisher(of: output.topic).publish(
            payload, key: event.key, attributes: attributes.isEmpty ? nil : attributes)
    }

    private mutating func publisher(of topic: Topic) throws(MartletError) -> PayloadPublisher {
        if let known = publishers[topic] { return known }
        let publisher = try node.publisher(of: EventDefinition(topic: topic, contentType: .json))
        if publishers.count >= EventIntake.publishersMax { publishers = [:] }
        publishers[topic] = publisher
        return publisher
    }
}
