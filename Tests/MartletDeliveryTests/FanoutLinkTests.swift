import MartletSockets
import Testing

@testable import MartletDelivery

/// The machines over real sockets: what the simulator cannot show of them.
@Suite(.serialized, .timeLimit(.minutes(2))) struct FanoutLinkTests {
    static func expected(_ start: UInt32, _ lane: Int, _ count: Int) -> [String] {
        (1...count).map { "\(start)/\(lane)/\($0)" }
    }

    /// Runs hosts beside a test, and ends them with it.
    static func withHosts(
        _ runs: [@Sendable () async -> Void], _ body: () async throws -> Void
    ) async throws {
        let tasks = runs.map { run in Task { await run() } }
        defer { for task in tasks { task.cancel() } }
        try await body()
    }

    /// Readers join while events flow: from the first event or the next one, nobody misses any.
    @Test func readersJoinWhileEventsFlow() async throws {
        try await withSocketLoop(drainingFor: .zero) { loop in
            let publisher = try await PublisherHost(
                loop, .random(), start: 1, ringBytes: 16 << 20)
            let (service, data) = try await publisher.bind(
                "tcp://127.0.0.1:*", "tcp://127.0.0.1:*")
            try await Self.withHosts([{ await publisher.run() }]) {
                for _ in 0..<50 { try await publisher.publish(lane: 1, count: 3) }
                let first = try await ReaderHost(loop, to: service, data, from: .first)
                let now = try await ReaderHost(loop, to: service, data, from: .now)
                try await Self.withHosts([{ await first.run() }, { await now.run() }]) {
                    for round in 0..<1_500 {
                        try await publisher.publish(lane: round % 3, count: 2)
                        if round % 50 == 0 { try await Task.sleep(for: .milliseconds(1)) }
                    }
                    let all = (0...2).map { lane in
                        Self.expected(1, lane, 1_000 + (lane == 1 ? 150 : 0))
                    }
                    let isComplete = try await eventually {
                        for lane in 0...2 where await first.payloads[lane] != all[lane] {
                            return false
                        }
                        return true
                    }
                    #expect(isComplete)
                    for lane in 0...2 {
                        // Whatever it began with, nothing is missing behind it.
                        let reachesEnd = try await eventually {
                            await now.payloads[lane]?.last == all[lane].last
                        }
                        #expect(reachesEnd)
                        let seen = await now.payloads[lane] ?? []
                        #expect(seen == Array(all[lane].suffix(seen.count)))
                    }
                    #expect(await first.gaps.isEmpty)
                    #expect(await now.gaps.isEmpty)
                    #expect(await first.failure == nil)
                }
            }
        }
    }

    /// A publisher that comes back at the same addresses is a new history, and said to be.
    @Test func aPublisherComesBack() async throws {
        try await withSocketLoop(drainingFor: .zero) { loop in
            let node = NodeID.random()
            let before = try await PublisherHost(loop, node, start: 1, ringBytes: 1 << 20)
            let (service, data) = try await before.bind(
                "tcp://127.0.0.1:*", "tcp://127.0.0.1:*")
            let reader = try await ReaderHost(loop, to: service, data, from: .first)
            try await Self.withHosts([{ await reader.run() }]) {
                try await Self.withHosts([{ await before.run() }]) {
                    try await before.publish(lane: 1, count: 5)
                    let hasAll = try await eventually {
                        await reader.payloads[1] == Self.expected(1, 1, 5)
                    }
                    #expect(hasAll)
                }
                await before.close()
                let after = try await PublisherHost(loop, node, start: 2, ringBytes: 1 << 20)
                let isBound = try await eventually {
                    (try? await after.bind(service, data)) != nil
                }
                #expect(isBound)
                try await Self.withHosts([{ await after.run() }]) {
                    try await after.publish(lane: 1, count: 4)
                    let hasBoth = try await eventually {
                        await reader.payloads[1]
                            == Self.expected(1, 1, 5) + Self.expected(2, 1, 4)
                    }
                    #expect(hasBoth)
                    let gaps = await reader.gaps
                    #expect(gaps.map(\.reason) == [.instanceGone])
                    #expect(gaps.first?.first == 6)
                    #expect(await reader.sessions >= 2)
                }
            }
        }
    }

    /// What the page promises to those who have nothing but ZeroMQ.
    @Test func aPlainSubscriberReadsFrames() async throws {
        try await withSocketLoop(drainingFor: .zero) { loop in
            let publisher = try await PublisherHost(
                loop, .random(), start: 1, ringBytes: 1 << 20)
            let (_, data) = try await publisher.bind("tcp://127.0.0.1:*", "tcp://127.0.0.1:*")
            let plain = try await loop.link(Sub.self)
            try await plain.subscribe(to: Bytes(utf8: "orders\u{1F}2\u{1F}"))
            try await plain.connect(to: data)
            try await Self.withHosts([{ await publisher.run() }]) {
                var lanes: Set<Int> = []
                var beats = 0
                let deadline = ContinuousClock.now + patience
                try await publisher.publish(lane: 1, count: 1)
                try await publisher.publish(lane: 2, count: 1)
                // Beats say that it listens; then a frame must come.
                while lanes.isEmpty, ContinuousClock.now < deadline {
                    for message in try await plain.receive() ?? [] {
                        let frame = try Frame(message.first)
                        if frame.isBeat {
                            beats += 1
                            if beats == 1 { try await publisher.publish(lane: 2, count: 1) }
                        } else {
                            lanes.insert(frame.channel.lane)
                        }
                    }
                }
                #expect(lanes == [2])
            }
        }
    }
}
