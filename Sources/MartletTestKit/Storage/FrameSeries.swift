package import MartletCore
import MartletEvents

/// Frames of one channel, one after the other, as a publisher seals them.
package struct FrameSeries {
    /// The channel.
    package let channel: Channel
    /// The epoch of the frames to come.
    package var epoch: Epoch
    /// The number of the next event.
    package private(set) var next: UInt64
    private var latest = Timestamp.earliest

    /// A series that begins with this event.
    package init(_ channel: Channel, _ epoch: Epoch, next: UInt64 = 1) {
        self.channel = channel
        self.epoch = epoch
        self.next = next
    }

    /// The next frame, of so many events of that time, each of which holds its own number.
    package mutating func frame(
        _ count: Int, at time: Timestamp = .earliest, padding: Int = 0
    ) throws(MartletError) -> StoredFrame {
        var builder = FrameBuilder(channel: channel, epoch: epoch, nextSequence: next)
        let kind = try EventDefinition(
            topic: try Topic("\(channel.stream).test"), contentType: .text)
        guard let number = try builder.define(kind) else { preconditionFailure("no room") }
        for offset in 0..<count {
            let text = String(next + UInt64(offset)) + String(repeating: ".", count: padding)
            let payload = Bytes(utf8: text)
            let sequence = try payload.withBytes { (span) throws(MartletError) in
                try builder.append(span, as: number, at: time)
            }
            precondition(sequence != nil, "ask for fewer events")
        }
        let first = next
        next += UInt64(count)
        latest = max(latest, time)
        return StoredFrame(
            channel: channel, epoch: epoch, sequences: first..<next, latest: latest,
            bytes: builder.seal())
    }
}
