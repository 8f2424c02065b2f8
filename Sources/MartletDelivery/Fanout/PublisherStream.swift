/// A stream at the node that publishes it: its lanes, which share a ring, and the readers that hold
/// it up.
struct PublisherStream {
    let name: StreamName
    /// Whether it is on disk.
    let isDurable: Bool
    private var instance: Instance
    private let ringBytes: Int
    private var flow: FlowControl
    private let waits: Bool
    /// By their numbers, up to the last that has been used.
    private var lanes: [PublisherChannel?] = []
    /// The numbers of the lanes, in their order.
    private(set) var laneNumbers: [Int] = []
    /// The lane of each frame that is kept, the oldest first; those before `gone` have gone.
    private var ages: [Int] = []
    private var gone = 0
    private(set) var ringByteCount = 0

    init(
        _ name: StreamName, of instance: Instance, stored: [StoredChannel]? = nil, ringBytes: Int,
        flow: FlowControl, waits: Bool
    ) {
        self.name = name
        isDurable = stored != nil
        self.instance = instance
        self.ringBytes = ringBytes
        self.flow = flow
        self.waits = waits
        for channel in stored ?? [] { add(channel) }
    }

    private mutating func add(_ stored: StoredChannel) {
        let lane = stored.channel.lane
        while lanes.count <= lane { lanes.append(nil) }
        lanes[lane] = PublisherChannel(stored, instance.epoch)
        laneNumbers.insert(lane, at: laneNumbers.firstIndex { lane < $0 } ?? laneNumbers.count)
    }

    /// The epoch was raised.
    mutating func raise(_ epoch: Epoch) {
        instance = Instance(node: instance.node, epoch: epoch)
        for lane in laneNumbers { lanes[lane]?.raise(epoch) }
    }

    /// What comes before this event of a lane is stored no more.
    mutating func forget(lane: Int, before first: UInt64) { lanes[lane]?.forget(before: first) }

    /// The lane, if something has been published there.
    subscript(lane: Int) -> PublisherChannel? {
        lanes.indices.contains(lane) ? lanes[lane] : nil
    }

    /// A frame has been sealed that follows the last one of its lane.
    mutating func seal(_ frame: SealedFrame, at now: MonotonicTime) {
        while lanes.count <= frame.lane { lanes.append(nil) }
        if lanes[frame.lane]?.seal(frame, at: now) == nil {
            add(lane: frame.lane)
            lanes[frame.lane]?.seal(frame, at: now)
        }
        flow.published(frame.bytes.count, lane: frame.lane)
        ringByteCount += frame.bytes.count
        ages.append(frame.lane)
        // The last frame always stays.
        while ringByteCount > ringBytes, gone < ages.count - 1 { forgetOldest() }
    }

    private mutating func add(lane: Int) {
        let channel = Channel(node: instance.node, stream: name, lane: lane)
        guard !isDurable else { return add(StoredChannel(channel)) }
        lanes[lane] = PublisherChannel(channel, instance.epoch)
        laneNumbers.insert(lane, at: laneNumbers.firstIndex { lane < $0 } ?? laneNumbers.count)
    }

    private mutating func forgetOldest() {
        ringByteCount -= lanes[ages[gone]]?.forgetOldest() ?? 0
        gone += 1
        if gone > 64, gone * 2 > ages.count {
            ages.removeFirst(gone)
            gone = 0
        }
    }

    /// The beats that are due now.
    mutating func beats(at now: MonotonicTime) -> [Bytes] {
        laneNumbers.compactMap { lanes[$0]?.beat(at: now) }
    }

    // MARK: Readers

    mutating func began(session: UInt64) { flow.began(session) }

    mutating func ended(session: UInt64) { flow.ended(session) }

    mutating func reached(_ sequence: UInt64, lane: Int, session: UInt64) {
        guard let channel = self[lane], sequence < channel.next else { return }
        flow.reached(channel.total(upTo: sequence), lane: lane, session: session)
    }

    /// Whether a reader is so far behind that nothing should be published.
    mutating func isHeldUp(at now: MonotonicTime) -> Bool { waits && flow.isHeldUp(at: now) }

    /// Whether the readers are done with all that was published.
    var isDrained: Bool { flow.isDrained }

    /// How much the readers have reported, which rises while they go on.
    var progress: UInt64 { flow.progress }
}
