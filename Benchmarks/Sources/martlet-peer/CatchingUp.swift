import CWorkload
import Foundation
import Martlet
import Synchronization

/// A journal is filled, and the peak of its publisher measured; then it publishes at a part of
/// that (the interval, in percent), with or without a reader that is far behind.
func publishAheadOfReader(_ work: Work, at endpoint: Endpoint) async throws {
    let folder = NSTemporaryDirectory() + "martlet-catching-up-\(getpid())"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try await withNode(
        named: "bench", listening: endpoint, journal: folder,
        // What it needs not grow with must not be hidden by what is kept in memory.
        streams: [.durable("bench", ringBytes: 1 << 20)]
    ) { node in
        guard let bound = node.endpoint else { return }
        let events = try node.publisher(
            of: EventDefinition(topic: "bench.events", contentType: .bytes))
        let series = StoredSeries(work, events)
        try await series.publish(work.count)
        let peak = try await series.rate(of: max(work.count / 2, 1_000_000))
        work.say("bound \(bound)")
        work.waitForLine()
        let isOver = IsOver()
        Thread.detachNewThread {
            work.waitForLine()
            isOver.set()
        }
        let cpu = workload_cpu()
        let started = workload_now()
        let rate = peak * Double(work.interval) / 100
        var published: UInt64 = 0
        while !isOver.value {
            let due = UInt64(Double(workload_now() - started) / 1e9 * rate)
            guard due > published else {
                sleep(until: workload_now() + 200_000)
                continue
            }
            // A publisher that is late has lost what it could not do.
            let some = min(due - published, UInt64(rate / 100) + 1)
            try await series.publish(some)
            published += some
        }
        let achieved = Double(published) / (Double(workload_now() - started) / 1e9)
        work.say("sent \(workload_cpu() - cpu) \(achieved / rate) \(rate) \(residentBytesMax())")
    }
}

/// Reads from the beginning until it gets what has just been published. If it always gets older
/// events for a minute, it gives up.
func catchUp(_ work: Work, with endpoint: Endpoint) async throws {
    try await withNode(named: "bench-reader", peers: [endpoint]) { node in
        try await withTaskExecutorPreference(node.executor) {
            work.say("joined")
            let started = workload_now()
            try await node.subscribe(to: ["bench.>"], from: .beginning) { events in
                var expected: UInt64 = 0
                var wrong = 0
                for try await batch in events.batches {
                    batch.forEach { event in
                        let isRight = event.withPayload { payload in
                            payload.withUnsafeBytes {
                                workload_check($0.baseAddress, $0.count, work.size, expected)
                            }
                        }
                        if !isRight { wrong += 1 }
                        expected += 1
                    }
                    if expected > work.count, isLatest(batch) { break }
                    guard workload_now() - started < 60_000_000_000 else {
                        throw Work.Wrong(what: "not caught up in 60 s: \(expected) events read")
                    }
                }
                work.say("received \(workload_now() - started) 0 \(wrong) \(expected) 0")
            }
        }
    }
}

/// Whether its events were published a moment ago.
private func isLatest(_ batch: EventBatch) -> Bool {
    var latest = Timestamp.earliest
    batch.forEach { latest = max(latest, $0.time) }
    return Timestamp.now.microseconds - latest.microseconds < 100_000
}

/// The most memory that the process has had.
private func residentBytesMax() -> Int {
    var usage = rusage()
    getrusage(Int32(RUSAGE_SELF.rawValue), &usage)
    return usage.ru_maxrss * 1_024
}

private final class IsOver: Sendable {
    private let flag = Atomic<Bool>(false)

    var value: Bool { flag.load(ordering: .relaxed) }

    func set() { flag.store(true, ordering: .relaxed) }
}

/// Numbered events for the disk, so many at a time under way.
private final class StoredSeries {
    private let work: Work
    private let events: PayloadPublisher
    private var next: UInt64 = 0
    private var receipts: [Receipt] = []
    private var last: Receipt?

    private static let window: UInt64 = 65_536

    init(_ work: Work, _ events: PayloadPublisher) {
        self.work = work
        self.events = events
    }

    func publish(_ count: UInt64) async throws {
        var payload = [UInt8](repeating: 0, count: work.size)
        for number in next..<next + count {
            payload.withUnsafeMutableBytes { workload_fill($0.baseAddress, work.size, number, 0) }
            let receipt = try await events.publish(payload.span.bytes)
            last = receipt
            if number.isMultiple(of: StoredSeries.window / 16) {
                receipts.append(receipt)
                if receipts.count == 16 { _ = try await receipts.removeFirst().reach(.stored) }
            }
        }
        next += count
    }

    /// Events a second, the last of them on disk.
    func rate(of count: UInt64) async throws -> Double {
        _ = try await last?.reach(.stored)
        let started = workload_now()
        try await publish(count)
        _ = try await last?.reach(.stored)
        return Double(count) / (Double(workload_now() - started) / 1e9)
    }
}
