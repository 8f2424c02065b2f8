import CWorkload
import Foundation
import Glibc
import Martlet

/// Publishes into a durable stream, says how long it took and reads everything back.
func store(_ work: Work, in folder: String, as role: String) async throws {
    try await withNode(
        named: "bench", listening: "tcp://127.0.0.1:0", journal: folder,
        streams: [.durable("bench")]
    ) { node in
        let events = try node.publisher(
            of: EventDefinition(topic: "bench.events", contentType: .bytes))
        let cpu = workload_cpu()
        let started = workload_now()
        var times: [UInt64] = []
        switch role {
        case "store-deep": try await storeDeep(work, with: events)
        case "store-one": times = try await storeOneByOne(work, with: events)
        case "store-paced": times = try await storePaced(work, with: events)
        default: throw Work.Wrong(what: "no role `\(role)`")
        }
        let elapsed = workload_now() - started
        let used = workload_cpu() - cpu
        let tail = workload_percentile(&times, times.count, 0.99)
        try await readBack(work, on: node)
        work.say("stored \(elapsed) \(used) \(tail)")
    }
}

/// So many events may be on their way to the disk.
private let window = 65_536

/// One task publishes as fast as it can; it waits for the disk when the window is full.
private func storeDeep(_ work: Work, with events: PayloadPublisher) async throws {
    var payload = [UInt8](repeating: 0, count: work.size)
    var receipts: [Receipt] = []
    var last: Receipt?
    for number in 0..<work.count {
        payload.withUnsafeMutableBytes { workload_fill($0.baseAddress, work.size, number, 0) }
        let receipt = try await events.publish(payload.span.bytes)
        last = receipt
        if number.isMultiple(of: UInt64(window / 16)) {
            receipts.append(receipt)
            if receipts.count == 16 { _ = try await receipts.removeFirst().reach(.stored) }
        }
    }
    _ = try await last?.reach(.stored)
}

/// The next event only when the one before is on disk.
private func storeOneByOne(
    _ work: Work, with events: PayloadPublisher
) async throws -> [UInt64] {
    var payload = [UInt8](repeating: 0, count: work.size)
    var times: [UInt64] = []
    for number in 0..<work.count {
        payload.withUnsafeMutableBytes { workload_fill($0.baseAddress, work.size, number, 0) }
        let before = workload_now()
        try await events.publish(payload.span.bytes, until: .stored)
        times.append(workload_now() - before)
    }
    return times
}

/// At a rate; every receipt is waited for by another task.
private func storePaced(
    _ work: Work, with events: PayloadPublisher
) async throws -> [UInt64] {
    let (receipts, continuation) = AsyncStream<(Receipt, UInt64)>.makeStream()
    let waiting = Task {
        var times: [UInt64] = []
        for await (receipt, before) in receipts {
            _ = try await receipt.reach(.stored)
            times.append(workload_now() - before)
        }
        return times
    }
    var payload = [UInt8](repeating: 0, count: work.size)
    var next = workload_now()
    for number in 0..<work.count {
        next += work.interval
        sleep(until: next)
        payload.withUnsafeMutableBytes { workload_fill($0.baseAddress, work.size, number, 0) }
        let before = workload_now()
        continuation.yield((try await events.publish(payload.span.bytes), before))
    }
    continuation.finish()
    return try await waiting.value
}

/// Every event is there, and is what it was.
func readBack(_ work: Work, on node: Node) async throws {
    try await node.subscribe(to: ["bench.>"], from: .beginning) { events in
        var expected: UInt64 = 0
        for try await batch in events.batches {
            batch.forEach { event in
                let isRight = event.withPayload { payload in
                    payload.withUnsafeBytes {
                        workload_check($0.baseAddress, $0.count, work.size, expected)
                    }
                }
                if !isRight { complain("event \(expected) is not what was stored") }
                expected += isRight ? 1 : 0
            }
            if expected == work.count { return }
        }
    }
}

/// A journal is filled first; then it is there for whoever asks.
func replay(_ work: Work, at endpoint: Endpoint) async throws {
    let folder = NSTemporaryDirectory() + "martlet-replay-\(getpid())"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try await withNode(
        named: "bench", listening: endpoint, journal: folder,
        // Little is left in memory.
        streams: [.durable("bench", ringBytes: 1 << 20)]
    ) { node in
        guard let bound = node.endpoint else { return }
        let events = try node.publisher(
            of: EventDefinition(topic: "bench.events", contentType: .bytes))
        try await storeDeep(work, with: events)
        work.say("bound \(bound)")
        work.waitForLine()
        let cpu = workload_cpu()
        work.waitForLine()
        work.say("sent \(workload_cpu() - cpu)")
    }
}

/// Reads everything from the beginning.
func readPast(_ work: Work, at endpoint: Endpoint) async throws {
    try await withNode(named: "bench-reader", peers: [endpoint]) { node in
        try await withTaskExecutorPreference(node.executor) {
            work.say("joined")
            try await node.subscribe(to: ["bench.>"], from: .beginning) { events in
                var tally = Tally(work)
                for try await batch in events.batches {
                    batch.forEach { event in event.withPayload { tally.add($0) } }
                    if tally.isComplete { break }
                }
                tally.report()
            }
        }
    }
}
