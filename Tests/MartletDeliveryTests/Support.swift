@testable import MartletDelivery

/// Frames of one channel for tests.
struct FrameMaker {
    static let node = NodeID("00112233445566778899aabbccddeeff") ?? .random()

    let channel: Channel
    var epoch = Epoch(start: 1, random: 1)
    var next: UInt64 = 1

    init(lane: Int = 1) {
        channel = Channel(node: FrameMaker.node, stream: "orders", lane: lane)
    }

    /// The same as its publisher has it.
    mutating func sealed(
        _ count: Int, byteCount: Int = 10, at time: Timestamp = .earliest
    ) throws -> SealedFrame {
        let frame = try frame(count, byteCount: byteCount, at: time)
        return SealedFrame(
            lane: channel.lane, sequences: frame.sequences, latest: time, bytes: frame.bytes)
    }

    /// The size of a frame of one event.
    func sealedSize() throws -> Int {
        var copy = self
        return try copy.sealed(1).bytes.count
    }

    /// The frame that follows, with events of so many bytes.
    mutating func frame(_ count: Int, byteCount: Int = 10, at time: Timestamp = .earliest) throws
        -> Frame
    {
        var builder = FrameBuilder(channel: channel, epoch: epoch, nextSequence: next)
        let kind = try EventDefinition(topic: "orders.placed", contentType: .text)
        for _ in 0..<count {
            _ = try builder.append(
                String(repeating: "x", count: byteCount), with: TextCodec(), of: kind, at: time)
        }
        next += UInt64(count)
        return try Frame(builder.seal())
    }

    /// A beat that tells the next sequence.
    func beat() throws -> Frame {
        var builder = FrameBuilder(channel: channel, epoch: epoch, nextSequence: next)
        return try Frame(builder.seal())
    }
}

extension MonotonicTime {
    static func seconds(_ seconds: Double) -> MonotonicTime {
        MonotonicTime(microseconds: UInt64(seconds * 1_000_000))
    }
}

/// What a state machine says, in short.
extension SubscriberChannel.Effect {
    var words: String {
        switch self {
        case .started(_, let next): "started \(next)"
        case .deliver(let frame, let from): "deliver \(from)..<\(frame.sequences.upperBound)"
        case .fetch(let fetch):
            switch fetch.start {
            case .behind(let epoch, let sequence):
                "fetch \(epoch.start)/\(sequence)" + (fetch.upTo.map { " to \($0)" } ?? "")
            case .first: "fetch first"
            case .now: "fetch now"
            case .time: "fetch time"
            }
        case .lost(let gap):
            "lost \(gap.epoch.start)/\(gap.first)-\(gap.last.map(String.init) ?? "?") \(gap.reason)"
        case .fail: "fail"
        }
    }
}
