import CWorkload
import Martlet
import Synchronization

private let topic: Topic = "work.events"
private let keyCount: UInt64 = 4_096
private let partitions = 128

/// A node whose events very many others share. It says how long they took to come, what their work
/// costs it, and how long they took to leave.
func publishToCrowd(_ work: Work, at endpoint: Endpoint) async throws {
    let stream: StreamDefinition = try .live("work", partitions: partitions)
    try await withNode(named: "bench", listening: endpoint, streams: [stream]) { node in
        guard let bound = node.endpoint else { return }
        let events = try node.publisher(of: EventDefinition(topic: topic, contentType: .bytes))
        var payload = [UInt8](repeating: 0, count: work.size)
        func publish(_ number: UInt64) async throws {
            payload.withUnsafeMutableBytes { bytes in
                workload_fill(bytes.baseAddress, work.size, number, 0)
            }
            try await events.publish(payload.span.bytes, key: "k\(number % keyCount)")
        }
        work.say("bound \(bound)")
        // As many workers as it is told of.
        let crowd = Int(readLine() ?? "") ?? 0
        // A channel is there once it has an event.
        for number in 0..<keyCount { try await publish(number) }
        work.waitForLine()
        let coming = workload_now()
        while !(try isSettled(node, crowd)) { try await Task.sleep(for: .milliseconds(2)) }
        work.say("settled \(workload_now() - coming)")
        work.waitForLine()
        let (started, cpu) = (workload_now(), workload_cpu())
        for number in 0..<work.count { try await publish(number) }
        while node.groups.first?.tally.handled ?? 0 < work.count + keyCount {
            try await Task.sleep(for: .milliseconds(5))
        }
        work.say("handled \(workload_now() - started) \(workload_cpu() - cpu)")
        work.waitForLine()
        let leaving = workload_now()
        while node.groups.first?.members.isEmpty == false {
            try await Task.sleep(for: .milliseconds(2))
        }
        let repeated = node.groups.first?.tally.repeated ?? 0
        work.say("left \(workload_now() - leaving) \(repeated)")
        work.waitForLine()
    }
}

/// Whether all have come, and each channel is with whom it belongs to.
private func isSettled(_ node: Node, _ crowd: Int) throws -> Bool {
    guard let group = node.groups.first, group.members.count == crowd,
        group.lanes.count == partitions
    else { return false }
    let names = group.members.map(\.node.description)
    let assignment = try Assignment(of: "work", partitions: partitions, to: names)
    return group.members.allSatisfy { member in
        let own = Set(member.channels.map(\.lane))
        return (1...partitions).allSatisfy { lane in
            own.contains(lane) == (assignment.member(for: lane) == member.node.description)
        }
    }
}

/// So many nodes in one process that work on them.
func workInCrowd(_ work: Work, at endpoint: Endpoint) async throws {
    let nodes = work.count
    work.say("ready")
    work.waitForLine()
    let running = Task {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<nodes {
                group.addTask {
                    try await withNode(named: "worker-\(number)", peers: [endpoint]) { node in
                        try await node.run(
                            WorkerPool(of: ["work.>"], group: "bench", width: 4) { _, _ in })
                    }
                }
            }
            try await group.waitForAll()
        }
    }
    await Task.detached { work.waitForLine() }.value
    running.cancel()
    try await running.value
    work.say("gone")
}
