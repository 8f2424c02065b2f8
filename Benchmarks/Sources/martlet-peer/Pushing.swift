import CWorkload
import Foundation
import Martlet
import Synchronization

private let topic: Topic = "work.events"

/// A node whose events go to those who pull. It says when it began, once all were reported.
func pushWork(_ work: Work, at endpoint: Endpoint) async throws {
    try await withNode(named: "bench", listening: endpoint, streams: [.pushed("work")]) { node in
        guard let bound = node.endpoint else { return }
        work.say("bound \(bound)")
        let events = try node.publisher(of: EventDefinition(topic: topic, contentType: .bytes))
        work.waitForLine()
        let (started, cpu) = (workload_now(), workload_cpu())
        var payload = [UInt8](repeating: 0, count: work.size)
        for number in 0..<work.count {
            payload.withUnsafeMutableBytes { bytes in
                workload_fill(bytes.baseAddress, work.size, number, 0)
            }
            try await events.publish(payload.span.bytes)
        }
        while node.pushes[0].handled < work.count { try await Task.sleep(for: .milliseconds(5)) }
        work.say("sent \(started) \(workload_cpu() - cpu)")
        work.waitForLine()
    }
}

/// What handlers have seen.
private final class PullCheck: Sendable {
    private let size: Int
    let done = Atomic<UInt64>(0)
    let wrong = Atomic<UInt64>(0)
    let last = Atomic<UInt64>(0)

    init(size: Int) { self.size = size }

    @inline(__always)
    func check(_ event: RecordedEvent) {
        let isRight = event.withPayload { payload in
            payload.withUnsafeBytes {
                workload_check(
                    $0.baseAddress, $0.count, size, workload_number($0.baseAddress, $0.count))
            }
        }
        if !isRight { wrong.add(1, ordering: .relaxed) }
        if done.wrappingAdd(1, ordering: .relaxed).newValue.isMultiple(of: 256) {
            last.store(workload_now(), ordering: .relaxed)
        }
    }
}

/// A node that pulls them, and checks each: with handlers that are asynchronous, as they are where
/// they wait for something, or that are called directly.
func pullWork(_ work: Work, from endpoint: Endpoint, directly isDirect: Bool) async throws {
    let check = PullCheck(size: work.size)
    let handle: WaitingHandler = { event, _ in
        check.check(event)
    }
    let pool =
        isDirect
        ? WorkerPool.atMostOnce(of: ["work.>"], width: 4) { event, _ in check.check(event) }
        : WorkerPool.atMostOnce(of: ["work.>"], width: 4, handle)
    try await withNode(named: "bench-worker", peers: [endpoint]) { node in
        let cpu = workload_cpu()
        let running = Task { try await node.run(pool) }
        work.say("joined")
        await Task.detached { work.waitForLine() }.value
        running.cancel()
        try await running.value
        work.say(
            "worked \(check.done.load(ordering: .relaxed)) "
                + "\(check.wrong.load(ordering: .relaxed)) \(workload_cpu() - cpu) "
                + "\(check.last.load(ordering: .relaxed))")
    }
}
