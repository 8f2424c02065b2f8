import Martlet
import MartletCommandLine
import MartletTools

/// Where events of the past are published anew.
struct ReplayTarget: Sendable {
    private let configuration: NodeConfiguration
    /// Nil for that of each event.
    private let topic: Topic?

    /// Nil if they are only printed.
    init?(_ arguments: Arguments) throws(CommandFailure) {
        guard let text = arguments.value("publish") else { return nil }
        topic =
            text == "="
            ? nil
            : try arguments.parsed("publish", text) { (text) throws(MartletError) in
                try Topic(text)
            }
        configuration = try NodeOptions.configuration(arguments)
    }

    /// Runs `body` with what publishes an event.
    func withPublisher(
        _ body: ((RecordedEvent) async throws -> Void) async throws -> Int
    ) async throws -> Int {
        try await withNode(configuration) { node in
            try await node.waitForSubscribers(to: topic?.stream)
            return try await body { event in
                var event = try event.cloudEvent()
                if let topic {
                    var attributes = event.attributes
                    try attributes.set(.topic, to: .string(topic.text))
                    event = try event.with(attributes)
                }
                try await node.publish(event)
            }
        }
    }
}
