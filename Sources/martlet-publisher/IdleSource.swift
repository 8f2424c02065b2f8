import Martlet
import MartletTools

/// No events of the node's own: it stores and publishes those that producers submit.
struct IdleSource: EventSource {
    var stream: StreamName? { nil }

    func publish(on node: Node, _ progress: EventProgress) async throws {
        while true { try await Task.sleep(for: .seconds(3_600)) }
    }
}
