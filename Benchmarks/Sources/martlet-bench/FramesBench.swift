import CWorkload
import Foundation
import MartletEvents
import Synchronization

/// Frames of events with 100 bytes of payload, in one process. The baseline copies the finished
/// frame once, which no way of building or reading it can do without.
enum FramesBench {
    static let payloadBytes = 100

    static func cases(scale: Double) -> [Case] {
        let count = max(2_000, Int(2_000_000 * scale))
        return [
            frameCase("build plain", count, { try build(count, verified: false) }),
            frameCase("build checked", count, { try build(count, verified: true) }),
            frameCase("read plain", count, { try read(count, verified: false) }),
            frameCase("read checked", count, { try read(count, verified: true) }),
            frameCase("hand over", count, { try handOver(count) }),
        ]
    }

    private static func frameCase(
        _ name: String, _ count: Int, _ run: @escaping () throws -> UInt64
    ) -> Case {
        Case(
            bench: "frames", name: name, unit: "events/s", better: .higher,
            baselineNote: "one memcpy of each finished frame of 64 KiB",
            pairs: 15,
            martlet: { [sample(try run(), count)] },
            baseline: { [sample(try copy(count), count)] })
    }

    private static func sample(_ nanoseconds: UInt64, _ count: Int) -> Sample {
        Sample(
            value: Double(count) / (Double(nanoseconds) / 1e9),
            cpu: Double(nanoseconds) / Double(count))
    }
}

/// What the cases work on.
private enum Work {
    static let channel = Channel(node: .random(), stream: "bench", lane: 0)
    static let payload = [UInt8]((0..<FramesBench.payloadBytes).map { UInt8($0) })

    static func definition() throws -> EventDefinition {
        try EventDefinition(topic: "bench.events", contentType: .bytes)
    }

    static func makeBuilder() -> FrameBuilder {
        FrameBuilder(channel: channel, epoch: Epoch(rawValue: 1))
    }

    /// One finished frame.
    static let frame: Bytes = {
        var builder = makeBuilder()
        do {
            guard let number = try builder.define(definition()) else { return Bytes() }
            while try builder.append(
                payload.span.bytes, as: number,
                at: Timestamp(microseconds: Int64(builder.count)) ?? .latest) != nil
            {}
        } catch { fatalError("\(error)") }
        return builder.seal()
    }()

    static let eventsPerFrame: Int = {
        (try? Frame(frame).header.count) ?? 1
    }()
}

extension FramesBench {
    /// One time for 64 events, as a publisher that reads the clock once for a burst.
    private static func build(_ count: Int, verified: Bool) throws -> UInt64 {
        var builder = Work.makeBuilder()
        let definition = try Work.definition()
        let payload = Work.payload
        var bytes = 0
        var done = 0
        let started = workload_now()
        while done < count {
            guard let number = try builder.define(definition) else { break }
            var isOpen = true
            while isOpen, done < count {
                let time = Timestamp(microseconds: Int64(done)) ?? .latest
                let end = min(done + 64, count)
                while done < end {
                    isOpen = try builder.append(payload.span.bytes, as: number, at: time) != nil
                    guard isOpen else { break }
                    done += 1
                }
            }
            bytes += builder.seal(withChecksum: verified).count
        }
        let elapsed = workload_now() - started
        try check(bytes > count * (payloadBytes + 4))
        return elapsed
    }

    /// Validates each frame and looks at each of its events.
    private static func read(_ count: Int, verified: Bool) throws -> UInt64 {
        let bytes = Work.frame
        let frames = max(1, count / Work.eventsPerFrame)
        var total = 0
        let started = workload_now()
        for _ in 0..<frames {
            try Frame(bytes, verifyingChecksum: verified).forEach { event in
                total &+= event.payloadByteCount
            }
        }
        let elapsed = workload_now() - started
        try check(total == frames * Work.eventsPerFrame * payloadBytes)
        return elapsed * UInt64(count) / UInt64(frames * Work.eventsPerFrame)
    }

    /// One task validates the frames, another walks through the values of their events.
    private static func handOver(_ count: Int) throws -> UInt64 {
        let bytes = Work.frame
        let frames = max(1, count / Work.eventsPerFrame)
        let (stream, continuation) = AsyncStream.makeStream(of: Frame.self)
        let done = DispatchSemaphore(value: 0)
        let total = Mutex(0)
        let started = workload_now()
        Task.detached {
            var sum = 0
            for await frame in stream {
                for event in frame { sum &+= event.payloadByteCount }
            }
            total.withLock { $0 = sum }
            done.signal()
        }
        Task.detached {
            for _ in 0..<frames {
                guard let frame = try? Frame(bytes, verifyingChecksum: false) else { break }
                continuation.yield(frame)
            }
            continuation.finish()
        }
        done.wait()
        let elapsed = workload_now() - started
        try check(total.withLock { $0 } == frames * Work.eventsPerFrame * payloadBytes)
        return elapsed * UInt64(count) / UInt64(frames * Work.eventsPerFrame)
    }

    private static func copy(_ count: Int) throws -> UInt64 {
        let frame = Work.frame
        let frames = max(1, count / Work.eventsPerFrame)
        var target = [UInt8](repeating: 0, count: frame.count)
        var sum = 0
        let started = workload_now()
        for round in 0..<frames {
            frame.withBytes { span in
                span.withUnsafeBytes { source in
                    target.withUnsafeMutableBytes { $0.copyMemory(from: source) }
                }
            }
            sum &+= Int(target[round % target.count])
        }
        let elapsed = workload_now() - started
        try check(sum > 0)
        return max(1, elapsed * UInt64(count) / UInt64(frames * Work.eventsPerFrame))
    }

    private static func check(_ isRight: Bool) throws {
        guard isRight else {
            throw Peer.Failure(description: "frames: an event was not what was written")
        }
    }
}
