import CWorkload
import Foundation
import Martlet
import Synchronization

private let topic: Topic = "work.events"

/// Keys of the events: event n has the key n modulo so many.
private let keyCount: UInt64 = 1_000

/// A node whose events a group shares. It says how long it took until all were handled.
func publishWork(_ work: Work, at endpoint: Endpoint, isDurable: Bool) async throws {
    let stream: StreamDefinition = try isDurable ? .durable("work") : .live("work")
    let folder = NSTemporaryDirectory() + "martlet-work-\(getpid())"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try await withNode(
        named: "bench", listening: endpoint, journal: isDurable ? folder : nil, streams: [stream]
    ) { node in
        guard let bound = node.endpoint else { return }
        work.say("bound \(bound)")
        let events = try node.publisher(
            of: EventDefinition(topic: topic, contentType: .bytes))
        work.waitForLine()
        let (started, cpu) = (workload_now(), workload_cpu())
        let keys = (0..<keyCount).map { "k\($0)" }
        var payload = [UInt8](repeating: 0, count: work.size)
        var next = started
        for number in 0..<work.count {
            if work.isTimed {
                next += work.interval
                sleep(until: next)
            }
            let sentAt = work.isTimed ? workload_now() : 0
            payload.withUnsafeMutableBytes { bytes in
                workload_fill(bytes.baseAddress, work.size, number, sentAt)
            }
            try await events.publish(payload.span.bytes, key: keys[Int(number % keyCount)])
        }
        while node.groups.first?.tally.handled ?? 0 < work.count {
            try await Task.sleep(for: .milliseconds(1))
        }
        work.say("handled \(workload_now() - started) \(workload_cpu() - cpu)")
        work.waitForLine()
    }
}

// Sound to share: a key's place in memory is touched by the handler of that key alone, of which the
// pool runs one at a time, each after the one before; the rest is atomic or behind a lock.
/// What handlers have seen of each key.
private final class KeyCheck: @unchecked Sendable {
    private let expected: UnsafeMutablePointer<UInt64>
    let count = Atomic<UInt64>(0)
    let wrong = Atomic<UInt64>(0)
    let delays: Mutex<[UInt64]> = Mutex([])

    init() {
        expected = .allocate(capacity: Int(keyCount))
        // A key may have begun at another worker.
        expected.initialize(repeating: .max, count: Int(keyCount))
    }

    deinit { expected.deallocate() }

    @inline(__always)
    func check(_ bytes: UnsafeRawBufferPointer, size: Int, isTimed: Bool) {
        let number = workload_number(bytes.baseAddress, bytes.count)
        let key = Int(number % keyCount)
        let next = expected[key] == .max ? number : expected[key]
        if !workload_check(bytes.baseAddress, bytes.count, size, next) {
            wrong.add(1, ordering: .relaxed)
        }
        expected[key] = number + keyCount
        count.add(1, ordering: .relaxed)
        guard isTimed else { return }
        let delay = workload_now() - workload_sent_at(bytes.baseAddress, bytes.count)
        delays.withLock { $0.append(delay) }
    }
}

/// A node that works on them, and checks that each key is in order.
func workOnEvents(_ work: Work, at endpoint: Endpoint) async throws {
    let check = KeyCheck()
    try await withNode(named: "bench-worker", peers: [endpoint]) { node in
        let handle: WaitingHandler = { event, _ in
            event.withPayload { payload in
                payload.withUnsafeBytes {
                    check.check($0, size: work.size, isTimed: work.isTimed)
                }
            }
        }
        let pool = WorkerPool(of: ["work.>"], group: "bench", width: 4, handle)
        let cpu = workload_cpu()
        let running = Task { try await node.run(pool) }
        work.say("joined")
        // Somebody who reads blocks a thread.
        await Task.detached { work.waitForLine() }.value
        running.cancel()
        try await running.value
        var delays = check.delays.withLock { $0 }
        let median = workload_percentile(&delays, delays.count, 0.5)
        let tail = workload_percentile(&delays, delays.count, 0.99)
        work.say(
            "worked \(check.count.load(ordering: .relaxed)) "
                + "\(check.wrong.load(ordering: .relaxed)) \(workload_cpu() - cpu) "
                + "\(median) \(tail)")
    }
}

/// What a closure with `await` is where a pool is made.
typealias WaitingHandler =
    nonisolated(nonsending) @Sendable (RecordedEvent, Delivery) async throws -> Void
