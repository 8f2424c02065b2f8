internal import MartletDelivery
import Synchronization

/// The events of a stream on their way from callers to whoever publishes them.
///
/// Callers append under a short lock and go on; whoever is free to publish takes the frames that
/// are full, and then those that are open. Frames therefore grow by themselves while the publisher
/// is busy, and hold one event when it is not.
@usableFromInline
final class StreamBuffer: Sendable {
    /// What became of an event.
    enum Outcome {
        /// It has this number. If nobody has been told that there is something, the caller must.
        case appended(UInt64, mustTell: Bool)
        /// Too much is waiting.
        case full
        /// The node has closed.
        case closed
    }

    private struct State: ~Copyable {
        var lanes: LaneBuffers
        /// Lanes whose frames are open and not empty, in the order in which they began.
        var open: [Int] = []
        var sealed = Queue<SealedFrame>()
        var sealedBytes = 0
        var kinds: [EventDefinition] = []
        /// Where small frames lie: each in memory of its own would make the ring grow page by page.
        var arena = ByteArena(chunkBytes: Limits.frameChunkBytes)
        /// Whether somebody knows that there is something to take.
        var isPending = false
        var isClosed = false
        var isWaiting = false
        /// Of a durable stream: frames that were taken, and are not stored yet.
        var unstored = 0
    }

    let definition: StreamDefinition
    let instance: Instance
    /// Raised when there is room again.
    let room = ChangeSignal()
    /// Of a durable stream: who waits for the disk.
    let receipts: ReceiptBook?
    private let stored: [Int: StoredChannel]
    /// Longest wait for room, or for the disk.
    let timeout: Duration
    private let bytesMax: Int
    private let partitions: Int
    private let state: Lock<State>

    init(
        _ definition: StreamDefinition, of instance: Instance, stored: [StoredChannel] = [],
        timeout: Duration = Limits.publishTimeout, bytesMax: Int = Limits.publishBytes
    ) {
        self.definition = definition
        self.instance = instance
        self.timeout = timeout
        receipts = definition.isDurable ? ReceiptBook() : nil
        receipts?.begin(stored)
        self.stored = Dictionary(
            stored.map { ($0.channel.lane, $0) }, uniquingKeysWith: { $1 })
        self.bytesMax = bytesMax
        partitions = definition.partitioning.partitions
        state = Lock(State(lanes: LaneBuffers(count: partitions + 1)))
    }

    // MARK: Callers

    /// The number by which a kind of event is known here from now on; -1 if there are too many.
    func register(_ kind: EventDefinition) -> Int {
        state.withLock { state in
            if let known = state.kinds.firstIndex(of: kind) { return known }
            guard state.kinds.count < Limits.frameDefinitionsMax else { return -1 }
            state.kinds.append(kind)
            return state.kinds.count - 1
        }
    }

    /// Who waits for the disk. Throws for a live stream, which has none.
    func requireReceipts() throws(MartletError) -> ReceiptBook {
        guard let receipts else {
            throw MartletError(
                .wrongState,
                "The stream `\(definition.name)` is live: its events are never on disk. Start the "
                    + "node with a journal and `.durable(\"\(definition.name)\")`.")
        }
        return receipts
    }

    /// The lane of a key; that of events without one is 0.
    func lane(ofKey key: String?) -> Int {
        Partitioning.lane(ofKey: key, partitions: partitions)
    }

    /// Appends an event, if there is room.
    func append(
        _ payload: RawSpan, _ fields: EventFields, lane: Int, _ kind: PublishedKind
    ) throws(MartletError) -> Outcome {
        try append(to: lane) { (buffer) throws(MartletError) in
            try buffer.append(payload, fields, kind)
        }
    }

    /// Appends an event that carries nothing but its payload, if there is room.
    func append(
        _ payload: RawSpan, at time: Timestamp?, _ kind: PublishedKind
    ) throws(MartletError) -> Outcome {
        try append(to: 0) { (buffer) throws(MartletError) in
            try buffer.append(payload, at: time, kind)
        }
    }

    @inline(__always)
    private func append(
        to lane: Int,
        _ write: (inout LaneBuffer) throws(MartletError) -> (sequence: UInt64, isFirst: Bool)?
    ) throws(MartletError) -> Outcome {
        try state.withLock { (state) throws(MartletError) in
            guard state.sealedBytes < bytesMax else {
                return state.isClosed ? Outcome.closed : Outcome.full
            }
            guard !state.isClosed else { return .closed }
            if !state.lanes.contains(lane) { addLane(lane, &state) }
            var appended = try write(&state.lanes[lane])
            if appended == nil {
                seal(lane, &state)
                appended = try write(&state.lanes[lane])
            }
            guard let appended else { preconditionFailure("an empty frame has room for an event") }
            if appended.isFirst { state.open.append(lane) }
            defer { state.isPending = true }
            return .appended(appended.sequence, mustTell: !state.isPending)
        }
    }

    private func addLane(_ lane: Int, _ state: inout State) {
        let channel = Channel(node: instance.node, stream: definition.name, lane: lane)
        let behind =
            stored[lane] ?? (definition.isDurable ? StoredChannel(channel) : nil)
        var buffer = LaneBuffer(
            channel, instance.epoch, frameBytes: definition.frameBytes, behind: behind)
        buffer.isWaiting = state.isWaiting
        state.lanes.add(lane, buffer)
    }

    private func seal(_ lane: Int, _ state: inout State) {
        // Kinds that were named for events which were refused are forgotten.
        guard !state.lanes[lane].isEmpty else { return state.lanes[lane].discard() }
        let frame = state.lanes[lane].seal(into: &state.arena)
        state.open.removeAll { $0 == frame.lane }
        state.sealedBytes += frame.bytes.count
        state.sealed.append(frame)
    }

    // MARK: The publisher

    /// What there is to take.
    enum Taken {
        case frame(SealedFrame, wasOpen: Bool)
        /// Only frames that are open, and they were not wanted.
        case open
        /// Nothing: the next caller must tell.
        case nothing
    }

    /// The next frame: those that are full first, then, if they are wanted, those that are open.
    func take(openToo: Bool) -> Taken {
        let (taken, hasRoom) = state.withLock { state -> (Taken, Bool) in
            if let frame = state.sealed.popFirst() {
                state.unstored += 1
                let wasFull = state.sealedBytes >= bytesMax
                state.sealedBytes -= frame.bytes.count
                return (.frame(frame, wasOpen: false), wasFull && state.sealedBytes < bytesMax)
            }
            guard let lane = state.open.first else {
                state.isPending = false
                return (.nothing, false)
            }
            guard openToo else { return (.open, false) }
            state.open.removeFirst()
            let frame = state.lanes[lane].seal(into: &state.arena)
            state.unstored += 1
            return (.frame(frame, wasOpen: true), false)
        }
        if hasRoom { room.raise() }
        return taken
    }

    /// Frames that were taken are on the disk.
    func noteStored(
        _ frames: some Collection<(lane: Int, sequences: Range<UInt64>)>, in epoch: Epoch
    ) {
        state.withLock { $0.unstored -= frames.count }
        receipts?.stored(frames, in: epoch)
    }

    /// Whether frames wait since readers are waited for.
    func setWaiting(_ isWaiting: Bool) {
        state.withLock { state in
            guard state.isWaiting != isWaiting else { return }
            state.isWaiting = isWaiting
            for lane in state.lanes.used { state.lanes[lane].isWaiting = isWaiting }
        }
    }

    /// How many lanes have frames that are open and not empty.
    var openCount: Int { state.withLock { $0.open.count } }

    /// Whether something waits to be taken.
    var isEmpty: Bool { state.withLock { $0.sealed.isEmpty && $0.open.isEmpty } }

    /// Whether nothing waits to be taken or stored.
    var isDone: Bool {
        state.withLock { state in
            state.sealed.isEmpty && state.open.isEmpty
                && (receipts == nil || state.unstored == 0)
        }
    }

    /// Whether the node has closed.
    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Accepts nothing more. What is here can still be taken.
    func close() {
        state.withLock { $0.isClosed = true }
        room.close()
    }
}
