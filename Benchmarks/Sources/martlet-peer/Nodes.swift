import CWorkload
import Foundation
import Martlet

private let topic: Topic = "bench.events"

/// A node that publishes from so many tasks at once. Task t of T sends the numbers t, t + T, …
func publishFromNode(
    _ work: Work, at endpoint: Endpoint, tasks: Int, isDurable: Bool = false
) async throws {
    let stream: StreamDefinition =
        try isDurable
        ? .durable("bench", whenReadersLag: .wait) : .live("bench", whenReadersLag: .wait)
    let folder = NSTemporaryDirectory() + "martlet-durable-\(getpid())"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try await withNode(
        named: "bench", listening: endpoint, journal: isDurable ? folder : nil, streams: [stream]
    ) { node in
        guard let bound = node.endpoint else { return }
        work.say("bound \(bound)")
        let events = try node.publisher(
            of: EventDefinition(topic: topic, contentType: .bytes))
        work.waitForLine()
        let cpu = workload_cpu()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<tasks {
                group.addTask { try await publish(work, from: task, of: tasks, with: events) }
            }
            try await group.waitForAll()
        }
        work.waitForLine()
        work.say("sent \(workload_cpu() - cpu)")
    }
}

private func publish(
    _ work: Work, from task: Int, of tasks: Int, with events: PayloadPublisher
) async throws {
    var payload = [UInt8](repeating: 0, count: work.size)
    var next = workload_now()
    for number in stride(from: UInt64(task), to: work.count, by: tasks) {
        if work.isTimed {
            next += work.interval
            sleep(until: next)
        }
        let sentAt = work.isTimed ? workload_now() : 0
        payload.withUnsafeMutableBytes { bytes in
            workload_fill(bytes.baseAddress, work.size, number, sentAt)
        }
        try await events.publish(payload.span.bytes)
    }
}

/// The thread sleeps, as the baseline's does: the timer of tasks is not what is measured.
func sleep(until instant: UInt64) {
    var when = timespec(tv_sec: Int(instant / 1_000_000_000), tv_nsec: Int(instant % 1_000_000_000))
    while clock_nanosleep(CLOCK_MONOTONIC, Int32(TIMER_ABSTIME), &when, nil) == EINTR {}
}

/// How a node reads.
enum Reading {
    /// On the node's own thread, as many events at a time as came together.
    case batches
    /// On the node's own thread, event by event.
    case singly
    /// The same, the thread not sleeping between events that are 100 µs apart.
    case spinning
    /// In Swift's pool, event by event.
    case singlyInPool
}

/// A node that reads and checks every event; those of each task of the publisher are in order.
func readFromNode(
    _ work: Work, at endpoint: Endpoint, tasks: Int, _ reading: Reading
) async throws {
    var configuration = NodeConfiguration(name: "bench-reader", peers: [endpoint])
    if reading == .spinning { configuration.spinTime = .microseconds(200) }
    try await withNode(configuration) { node in
        let executor = reading == .singlyInPool ? nil : node.executor
        try await withTaskExecutorPreference(executor) {
            try await node.subscribe(to: ["bench.>"]) { events in
                work.say("joined")
                var tally = Tally(work, senders: tasks)
                try await check(events, in: &tally, reading)
                tally.report()
            }
        }
    }
}

private func check(
    _ events: Subscription<RecordedEvent>, in tally: inout Tally, _ reading: Reading
) async throws {
    if case .batches = reading {
        for try await batch in events.batches {
            batch.forEach { event in event.withPayload { tally.add($0) } }
            if tally.isComplete { return }
        }
    } else {
        for try await (event, _) in events {
            event.withPayload { tally.add($0) }
            if tally.isComplete { return }
        }
    }
}
