import Foundation
import Martlet
import MartletCommandLine

/// What the processes under test do.
enum Roles {
    static let publish = Command(
        "publish", "publishes checked events at a rate",
        operands: .init("ENDPOINT", 1...1, "Where to listen."),
        options: [
            .value("rate", "N", nil, isRequired: true, "So many a second."),
            .value("ring", "MiB", nil, "What is kept."),
        ]
    ) { (arguments) throws(CommandFailure) in
        let rate = try arguments.integer("rate", in: 1...1_000_000) ?? 1
        let ring = try arguments.integer("ring", in: 1...4_096) ?? 64
        let text = arguments.operands[0]
        return try Service.run {
            let stream = try StreamDefinition.live("chaos", ringBytes: ring << 20)
            let endpoint = try Endpoint(text)
            try await Service.untilStopped {
                try await withNode(named: "chaos", listening: endpoint, streams: [stream]) {
                    try await publish(on: $0, perSecond: rate)
                }
            }
            return .success
        }
    }

    /// Every ten milliseconds, what is due by then.
    private static func publish(on node: Node, perSecond rate: Int) async throws {
        let kind = try EventDefinition(topic: ChaosEvent.topic, contentType: .bytes)
        let publisher = try node.publisher(of: kind)
        let run = UInt64.random(in: 0 ... .max)
        var counts = [UInt64](repeating: 0, count: ChaosEvent.keys.count)
        var published = 0
        let clock = ContinuousClock()
        let began = clock.now
        while !Task.isCancelled {
            let due = Int((clock.now - began) / .milliseconds(1) * Double(rate) / 1_000)
            while published < due {
                let key = published % counts.count
                counts[key] += 1
                let content = ChaosEvent.Content(run: run, key: UInt64(key), count: counts[key])
                try await publisher.publish(
                    ChaosEvent.payload(content), key: ChaosEvent.keys[key])
                published += 1
            }
            try? await clock.sleep(for: .milliseconds(rate >= 10_000 ? 10 : 1))
        }
    }

    static let subscribe = Command(
        "subscribe", "subscribes, checks everything, and says what it saw",
        operands: .init("ENDPOINT", 1...1, "Where the publisher is."),
        options: [
            .value("report", "FILE", nil, isRequired: true, "Where reports go, a line for each."),
            .value("nodes", "N", nil, "So many subscribers, each a node of its own."),
        ]
    ) { (arguments) throws(CommandFailure) in
        let file = try arguments.required("report")
        let count = try arguments.integer("nodes", in: 1...1_000) ?? 1
        let text = arguments.operands[0]
        return try Service.run {
            let endpoint = try Endpoint(text)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<count {
                    group.addTask {
                        try await subscribe(at: endpoint, "\(file).\(number)")
                    }
                }
                try await group.waitForAll()
            }
            return .success
        }
    }

    private static func subscribe(at endpoint: Endpoint, _ file: String) async throws {
        let audit = StreamAudit()
        try await Service.untilStopped {
            try await withNode(named: "reader", peers: [endpoint]) { node in
                try await node.subscribe(to: ["chaos.>"], onGap: { audit.add($0) }) { events in
                    async let reporting: Void = report(audit, to: file) { events.fetchedCount }
                    for try await batch in events.batches { audit.add(batch) }
                    try await reporting
                }
            }
        }
    }

    private static func report(
        _ audit: StreamAudit, to file: String, _ fetched: @Sendable () -> UInt64
    ) async throws {
        var turn = 0
        while !Task.isCancelled {
            turn += 1
            var report = audit.takeReport(fetched: fetched())
            report.turn = turn
            report.residentKiB = Roles.residentKiB
            try JSONEncoder().encode(report).write(
                to: URL(fileURLWithPath: file), options: .atomic)
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    private static var residentKiB: Int {
        let pages = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?
            .split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return (pages ?? 0) * 4
    }
}
