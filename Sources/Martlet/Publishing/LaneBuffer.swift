internal import MartletDelivery

/// The open frame of one channel. Used under its stream's lock.
final class LaneBuffer {
    private let lane: Int
    private var builder: FrameBuilder
    private var latest = Timestamp.earliest
    /// The number of each kind in the open frame; -1 where it is not named yet.
    private var numbers: [Int] = []

    init(_ channel: Channel, _ epoch: Epoch, frameBytes: Int) {
        lane = channel.lane
        builder = FrameBuilder(channel: channel, epoch: epoch, frameBytes: frameBytes)
    }

    var isEmpty: Bool { builder.isEmpty }

    /// Appends an event. Nil if the frame must be sealed first.
    ///
    /// - Parameter kind: the number that the definition has in the stream; -1 for one that is not
    ///   registered, which takes longer.
    func append(
        _ payload: RawSpan, _ fields: EventFields, kind: Int, _ definition: EventDefinition
    ) throws(MartletError) -> UInt64? {
        let number: Int
        if kind >= 0, kind < numbers.count, numbers[kind] >= 0 {
            number = numbers[kind]
        } else {
            guard let named = try builder.define(definition) else { return nil }
            number = named
            if kind >= 0 { remember(named, as: kind) }
        }
        let sequence =
            fields.isPlain
            ? try builder.append(payload, as: number, at: fields.time)
            : try builder.append(
                payload, as: number, at: fields.time, key: fields.key, id: fields.id,
                attributes: fields.attributes ?? EventAttributes())
        if fields.time > latest { latest = fields.time }
        return sequence
    }

    private func remember(_ number: Int, as kind: Int) {
        while numbers.count <= kind { numbers.append(-1) }
        numbers[kind] = number
    }

    /// Ends the frame, which holds an event at least.
    func seal() -> SealedFrame {
        let sequences = builder.nextSequence - UInt64(builder.count)..<builder.nextSequence
        for kind in numbers.indices { numbers[kind] = -1 }
        return SealedFrame(
            lane: lane, sequences: sequences, latest: latest, bytes: builder.seal())
    }
}
