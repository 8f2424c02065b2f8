import CWorkload
import Foundation
import Martlet
import Synchronization

private let topic: Topic = "work.events"
private let workerCount = 2
private let width = 16

/// A node whose events two others share, whose handlers take 1 to 100 ms, by no order. It says how
/// long that took, and how long it would have taken if whoever is free took the next.
func shareUnevenWork(_ work: Work, at endpoint: Endpoint) async throws {
    var random = work.count
    let times = (0..<work.count).map { _ in
        // Knuth's linear congruential generator: the same times in every run.
        random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return 1 + Int(random >> 33) % 100
    }
    try await withNode(named: "bench", listening: endpoint) { node in
        guard let bound = node.endpoint else { return }
        let done = Atomic<UInt64>(0)
        let (finished, finish) = AsyncStream<Void>.makeStream()
        let count = work.count
        let handle: @Sendable (RecordedEvent, Delivery) async throws -> Void = { event, _ in
            let number = event.withPayload { payload in
                payload.withUnsafeBytes { workload_number($0.baseAddress, $0.count) }
            }
            try await Task.sleep(for: .milliseconds(times[Int(number)]))
            if done.wrappingAdd(1, ordering: .relaxed).newValue == count { finish.finish() }
        }
        let workers = (0..<workerCount).map { place in
            Task {
                try await withNode(named: "worker-\(place)", peers: [bound]) { node in
                    try await node.run(
                        WorkerPool(of: ["work.>"], group: "bench", width: width, handle))
                }
            }
        }
        try await node.waitForWorkers(of: "bench", atLeast: workerCount)
        let events = try node.publisher(of: EventDefinition(topic: topic, contentType: .bytes))
        var payload = [UInt8](repeating: 0, count: work.size)
        let started = workload_now()
        for number in 0..<work.count {
            payload.withUnsafeMutableBytes { bytes in
                workload_fill(bytes.baseAddress, work.size, number, 0)
            }
            try await events.publish(payload.span.bytes)
        }
        for await _ in finished {}
        work.say("took \(workload_now() - started) \(ideal(times))")
        for worker in workers { worker.cancel() }
        for worker in workers { try await worker.value }
    }
}

/// Nanoseconds until all is done, if whoever is free takes the next.
private func ideal(_ times: [Int]) -> UInt64 {
    var free = [Int](repeating: 0, count: workerCount * width)
    for time in times {
        let next = free.indices.min { free[$0] < free[$1] } ?? 0
        free[next] += time
    }
    return UInt64(free.max() ?? 0) * 1_000_000
}
