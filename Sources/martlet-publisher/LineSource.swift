import Martlet
import MartletCommandLine
import MartletTools

/// Events from the lines of a file or of standard input.
struct LineSource: EventSource {
    private let name: String
    private let follows: Bool
    private let topic: Topic?
    private let keys: EventKeys
    private let routes: RuleTable?
    private let count: Int?

    init(
        _ name: String, follows: Bool, topic: Topic?, keys: EventKeys, routes: RuleTable?,
        count: Int?
    ) {
        self.name = name
        self.follows = follows
        self.topic = topic
        self.keys = keys
        self.routes = routes
        self.count = count
    }

    /// Rules may send events anywhere.
    var stream: StreamName? { routes == nil ? topic?.stream : nil }

    func publish(on node: Node, _ progress: EventProgress) async throws {
        let lines = LineFeed(name, lineBytesMax: EventLines.lineBytesMax, follows: follows)
        var intake = EventIntake(node, keys, routes)
        while let items = await lines.next() {
            for item in items {
                guard case .line(let line, let number) = item else {
                    if case .failure(let failure) = item { throw failure }
                    continue
                }
                try await take(line, &intake, number, progress)
                if progress.done == count { return }
            }
        }
    }

    private func take(
        _ line: LineReader.Line, _ intake: inout EventIntake, _ number: Int,
        _ progress: EventProgress
    ) async throws(MartletError) {
        do throws(MartletError) {
            guard try await publish(line, &intake) else { return }
        } catch {
            try progress.refuse("\(name):\(number)", error)
            return
        }
        progress.add()
    }

    /// False for an empty line.
    private func publish(
        _ line: LineReader.Line, _ intake: inout EventIntake
    ) async throws(MartletError) -> Bool {
        guard case .bytes(let bytes) = line else { throw EventLines.tooLong }
        guard bytes.contains(where: { $0 > 0x20 }) else { return false }
        if let topic {
            try await intake.publish(payload: Bytes(bytes), on: topic)
        } else {
            try await intake.publish(event: EventLines.event(bytes).get())
        }
        return true
    }
}
