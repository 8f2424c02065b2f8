internal import MartletDelivery

/// The open frame of one channel. Used under its stream's lock.
struct LaneBuffer: ~Copyable {
    private let lane: Int
    private var builder: FrameBuilder
    private var latest = Timestamp.earliest
    /// The number of each kind in the open frame; -1 where it is not named yet.
    private var numbers: [Int] = []
    private var lastLook = Timestamp.earliest
    /// Whether the frame may stay open for long, since readers are waited for.
    var isWaiting = false

    private static let eventsPerLook = 16

    init(_ channel: Channel, _ epoch: Epoch, frameBytes: Int) {
        lane = channel.lane
        builder = FrameBuilder(channel: channel, epoch: epoch, frameBytes: frameBytes)
    }

    /// Appends an event, and says whether it is the frame's first. Nil if the frame must be sealed
    /// first.
    mutating func append(
        _ payload: RawSpan, _ fields: EventFields, _ kind: PublishedKind
    ) throws(MartletError) -> (sequence: UInt64, isFirst: Bool)? {
        let number: Int
        if kind.number >= 0, kind.number < numbers.count, numbers[kind.number] >= 0 {
            number = numbers[kind.number]
        } else {
            guard let named = try builder.define(kind.definition) else { return nil }
            number = named
            if kind.number >= 0 { remember(named, as: kind.number) }
        }
        let isFirst = builder.isEmpty
        let time = fields.time ?? now()
        let sequence =
            fields.isPlain
            ? try builder.append(payload, as: number, at: time)
            : try builder.append(
                payload, as: number, at: time, key: fields.key, id: fields.id,
                attributes: fields.attributes ?? EventAttributes())
        guard let sequence else { return nil }
        if time > latest { latest = time }
        return (sequence, isFirst)
    }

    /// The time of an event that is published now. A frame grows within microseconds, so that one
    /// look at the clock, which costs more than the event, serves several; but not when frames
    /// wait.
    private mutating func now() -> Timestamp {
        if isWaiting || builder.count.isMultiple(of: LaneBuffer.eventsPerLook) {
            lastLook = NodeClock.timestamp
        }
        return lastLook
    }

    private mutating func remember(_ number: Int, as kind: Int) {
        while numbers.count <= kind { numbers.append(-1) }
        numbers[kind] = number
    }

    /// Ends the frame, which holds an event at least.
    mutating func seal() -> SealedFrame {
        let sequences = builder.nextSequence - UInt64(builder.count)..<builder.nextSequence
        for kind in numbers.indices { numbers[kind] = -1 }
        return SealedFrame(
            lane: lane, sequences: sequences, latest: latest, bytes: builder.seal())
    }
}

/// A place for one in an array.
@safe
final class LaneBox {
    // Sound: allocated for this object alone, and freed with it. A stored property would be checked
    // for exclusive access at every event; the stream's lock has seen to that.
    private let place: UnsafeMutablePointer<LaneBuffer>

    init(_ lane: consuming LaneBuffer) {
        unsafe place = .allocate(capacity: 1)
        unsafe place.initialize(to: lane)
    }

    deinit {
        unsafe place.deinitialize(count: 1)
        unsafe place.deallocate()
    }

    var lane: LaneBuffer {
        @inline(__always) _read { yield unsafe place.pointee }
        @inline(__always) _modify { yield unsafe &place.pointee }
    }
}
