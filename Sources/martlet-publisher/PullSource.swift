import Martlet
import MartletSockets
import MartletTools

/// Events that programs in any language push over ZeroMQ.
struct PullSource: EventSource {
    private let endpoint: Endpoint
    private let keys: EventKeys
    private let routes: RuleTable?
    private let count: Int?

    init(
        _ endpoint: Endpoint, keys: EventKeys, routes: RuleTable?,
        count: Int?
    ) {
        self.endpoint = endpoint
        self.keys = keys
        self.routes = routes
        self.count = count
    }

    var stream: StreamName? { nil }

    func publish(on node: Node, _ progress: EventProgress) async throws {
        try await withSocketLoop { loop in
            let link = try await loop.link(Pull.self)
            let bound = try await link.bind(to: endpoint)
            progress.note("takes events at \(bound)")
            var intake = EventIntake(node, keys, routes)
            for try await message in link.messages {
                try await take(message, &intake, from: bound, progress)
                if progress.done == count { return }
            }
        }
    }

    private func take(
        _ message: Multipart, _ intake: inout EventIntake, from bound: Endpoint,
        _ progress: EventProgress
    ) async throws(MartletError) {
        do throws(MartletError) { try await publish(message, &intake) } catch {
            try progress.refuse("\(bound)", error)
            return
        }
        progress.add()
    }

    private func publish(
        _ message: Multipart, _ intake: inout EventIntake
    ) async throws(MartletError) {
        switch message.rest.count {
        case 0: try await intake.publish(event: EventLines.event(message.first.array()).get())
        case 1:
            guard let text = String(validating: message.first.array(), as: UTF8.self) else {
                throw MartletError(.invalidTopic, "The topic in the first part is not UTF-8.")
            }
            try await intake.publish(payload: message.rest[0], on: Topic(text))
        default:
            throw MartletError(
                .invalidArgument,
                "A message of \(message.rest.count + 1) parts is no event. Send CloudEvents in "
                    + "JSON as one part, or a topic and a payload in JSON.")
        }
    }
}
