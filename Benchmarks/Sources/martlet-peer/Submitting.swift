import CWorkload
import Foundation
import Martlet

/// A node that stores what is submitted, and reads it back at the end.
func storeSubmitted(_ work: Work, at endpoint: Endpoint) async throws {
    let folder = NSTemporaryDirectory() + "martlet-submitted-\(getpid())"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    var configuration = NodeConfiguration(
        name: "bench", listening: endpoint, streams: [try .durable("bench")])
    configuration.journal = folder
    try await withNode(configuration) { node in
        guard let bound = node.endpoint else { return }
        work.say("bound \(bound)")
        work.waitForLine()
        let cpu = workload_cpu()
        work.waitForLine()
        let used = workload_cpu() - cpu
        try await readBack(work, on: node)
        work.say("sent \(used)")
    }
}

/// Submits events: the next only when the one before is on the node's disk, or as fast as it can.
func submit(_ work: Work, to endpoint: Endpoint, isDeep: Bool) async throws {
    try await withProducer(named: "bench", at: endpoint) { producer in
        try await withTaskExecutorPreference(producer.executor) {
            let kind = try EventDefinition(topic: "bench.events", contentType: .bytes)
            work.say("joined")
            let cpu = workload_cpu()
            let started = workload_now()
            var wrong = 0
            for number in 0..<work.count {
                var bytes = [UInt8](repeating: 0, count: work.size)
                bytes.withUnsafeMutableBytes {
                    workload_fill($0.baseAddress, work.size, number, 0)
                }
                let receipt = try await producer.submit(
                    Bytes(bytes), as: kind, until: isDeep ? .queued : .stored)
                if receipt.number != number + 1 { wrong += 1 }
            }
            try await producer.flush()
            let elapsed = workload_now() - started
            work.say("received \(elapsed) \(workload_cpu() - cpu) \(wrong) 0 0")
        }
    }
}
