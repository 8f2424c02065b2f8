internal import MartletDelivery

/// The open frame of one channel. Used under its stream's lock.
struct LaneBuffer: ~Copyable {
    private let lane: Int
    private var builder: FrameBuilder
    private var latest = Timestamp.earliest
    /// The number of each kind in the open frame; -1 where it is not named yet.
    private var numbers: [Int] = []
    /// The kind that the open frame names first, or the one before named first.
    private var leadKind = -1
    private var lastLook = Timestamp.earliest
    /// Whether the frame may stay open for long, since readers are waited for.
    var isWaiting = false

    private static let eventsPerLook = 16

    /// The frames of a channel; of a durable one, behind what is stored.
    init(_ channel: Channel, _ epoch: Epoch, frameBytes: Int, behind stored: StoredChannel?) {
        lane = channel.lane
        builder = FrameBuilder(
            channel: channel, epoch: epoch, nextSequence: stored?.next ?? 1,
            frameBytes: frameBytes, isDurable: stored != nil)
        latest = stored?.latest ?? .earliest
    }

    /// Appends an event, and says whether it is the frame's first. Nil if the frame must be sealed
    /// first.
    mutating func append(
        _ payload: RawSpan, _ fields: EventFields, _ kind: PublishedKind
    ) throws(MartletError) -> (sequence: UInt64, isFirst: Bool)? {
        guard let number = try number(of: kind) else { return nil }
        let isFirst = builder.isEmpty
        let time = fields.time ?? now()
        let sequence = try builder.append(
            payload, as: number, at: time, key: fields.key, id: fields.id,
            attributes: fields.attributes ?? EventAttributes())
        guard let sequence else { return nil }
        if time > latest { latest = time }
        return (sequence, isFirst)
    }

    /// Appends an event that carries nothing but its payload, in the same way.
    mutating func append(
        _ payload: RawSpan, at time: Timestamp?, _ kind: PublishedKind
    ) throws(MartletError) -> (sequence: UInt64, isFirst: Bool)? {
        guard let number = try number(of: kind) else { return nil }
        let isFirst = builder.isEmpty
        let time = time ?? now()
        guard let sequence = try builder.append(payload, as: number, at: time) else { return nil }
        if time > latest { latest = time }
        return (sequence, isFirst)
    }

    /// The number of a kind in the open frame; nil if it finds no room there.
    @inline(__always)
    private mutating func number(of kind: PublishedKind) throws(MartletError) -> Int? {
        if kind.number >= 0, kind.number < numbers.count, numbers[kind.number] >= 0 {
            return numbers[kind.number]
        }
        return try define(kind)
    }

    @inline(never)
    private mutating func define(_ kind: PublishedKind) throws(MartletError) -> Int? {
        // Most frames are of the same kind as the one before.
        let isLead = kind.number >= 0 && kind.number == leadKind && !builder.hasKinds
        guard
            let named = try isLead ? builder.defineLead() : builder.define(kind.definition)
        else { return nil }
        if named == 0 { leadKind = kind.number }
        if kind.number >= 0 { remember(named, as: kind.number) }
        return named
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

    /// Whether the open frame has no event.
    var isEmpty: Bool { builder.isEmpty }

    /// Begins a frame that has no event anew.
    mutating func discard() {
        for kind in numbers.indices { numbers[kind] = -1 }
        _ = builder.seal()
    }

    /// Ends the frame, which holds an event at least.
    mutating func seal(into arena: inout ByteArena) -> SealedFrame {
        let sequences = builder.nextSequence - UInt64(builder.count)..<builder.nextSequence
        for kind in numbers.indices { numbers[kind] = -1 }
        // An event that is dated ahead must not make all that follow count as late as that.
        latest = min(latest, NodeClock.timestamp)
        return SealedFrame(
            lane: lane, sequences: sequences, latest: latest, bytes: builder.seal(into: &arena))
    }
}

// Sound to send: the memory is this value's alone, which has one owner.
/// The lanes of a stream, each made when it is used first. Used under the stream's lock.
@safe
struct LaneBuffers: ~Copyable, @unchecked Sendable {
    // Sound: allocated for this value alone, and freed with it. In an array of objects, each event
    // would retain one and be checked for exclusive access; the stream's lock has seen to that.
    private let places: UnsafeMutablePointer<UnsafeMutablePointer<LaneBuffer>?>
    private let count: Int

    init(count: Int) {
        unsafe places = .allocate(capacity: count)
        unsafe places.initialize(repeating: nil, count: count)
        self.count = count
    }

    deinit {
        for lane in 0..<count {
            if let place = unsafe places[lane] {
                unsafe place.deinitialize(count: 1)
                unsafe place.deallocate()
            }
        }
        unsafe places.deallocate()
    }

    /// Whether the lane has been used.
    @inline(__always)
    func contains(_ lane: Int) -> Bool { unsafe place(lane) != nil }

    /// Makes a lane that has not been used.
    mutating func add(_ lane: Int, _ buffer: consuming LaneBuffer) {
        precondition(!contains(lane))
        let place = UnsafeMutablePointer<LaneBuffer>.allocate(capacity: 1)
        unsafe place.initialize(to: buffer)
        unsafe places[lane] = place
    }

    /// A lane that has been used.
    subscript(lane: Int) -> LaneBuffer {
        @inline(__always) _read { yield unsafe used(lane).pointee }
        @inline(__always) _modify { yield unsafe &used(lane).pointee }
    }

    /// The lanes that have been used.
    var used: [Int] {
        var used: [Int] = []
        for lane in 0..<count where contains(lane) { used.append(lane) }
        return used
    }

    @unsafe
    @inline(__always)
    private func place(_ lane: Int) -> UnsafeMutablePointer<LaneBuffer>? {
        precondition(lane >= 0 && lane < count)
        return unsafe places[lane]
    }

    @unsafe
    @inline(__always)
    private func used(_ lane: Int) -> UnsafeMutablePointer<LaneBuffer> {
        guard let place = unsafe place(lane) else { preconditionFailure("add the lane first") }
        return unsafe place
    }
}
