internal import MartletDelivery
import Synchronization

/// The events of a stream on their way from callers to whoever publishes them.
///
/// Callers append under a short lock and go on; whoever is free to publish takes the frames that are
/// full, and then those that are open. Frames therefore grow by themselves while the publisher is
/// busy, and hold one event when it is not.
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
        var lanes: [LaneBuffer?]
        /// Lanes whose frames are open and not empty, in the order in which they began.
        var open: [Int] = []
        var sealed: [SealedFrame] = []
        var taken = 0
        var sealedBytes = 0
        var kinds: [EventDefinition] = []
        /// Whether somebody knows that there is something to take.
        var isPending = false
        var isClosed = false
    }

    let definition: StreamDefinition
    let instance: Instance
    /// Raised when there is room again.
    let room = ChangeSignal()
    private let bytesMax: Int
    private let state: Lock<State>

    init(
        _ definition: StreamDefinition, of instance: Instance,
        bytesMax: Int = Limits.publishBytes
    ) {
        self.definition = definition
        self.instance = instance
        self.bytesMax = bytesMax
        let lanes = [LaneBuffer?](
            repeating: nil, count: definition.partitioning.partitions + 1)
        state = Lock(State(lanes: lanes))
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

    /// Appends an event, if there is room.
    func append(
        _ payload: RawSpan, _ fields: EventFields, lane: Int, kind: Int, _ kindOf: EventDefinition
    ) throws(MartletError) -> Outcome {
        try state.withLock { (state) throws(MartletError) in
            guard state.sealedBytes < bytesMax else {
                return state.isClosed ? Outcome.closed : Outcome.full
            }
            guard !state.isClosed else { return .closed }
            let buffer = state.lanes[lane] ?? addLane(lane, &state)
            let wasEmpty = buffer.isEmpty
            var sequence = try buffer.append(payload, fields, kind: kind, kindOf)
            if sequence == nil {
                seal(buffer, &state)
                sequence = try buffer.append(payload, fields, kind: kind, kindOf)
                state.open.append(lane)
            } else if wasEmpty {
                state.open.append(lane)
            }
            guard let sequence else { preconditionFailure("an empty frame has room for an event") }
            defer { state.isPending = true }
            return .appended(sequence, mustTell: !state.isPending)
        }
    }

    private func addLane(_ lane: Int, _ state: inout State) -> LaneBuffer {
        let channel = Channel(node: instance.node, stream: definition.name, lane: lane)
        let buffer = LaneBuffer(channel, instance.epoch, frameBytes: definition.frameBytes)
        state.lanes[lane] = buffer
        return buffer
    }

    private func seal(_ buffer: LaneBuffer, _ state: inout State) {
        let frame = buffer.seal()
        state.open.removeAll { $0 == frame.lane }
        state.sealedBytes += frame.bytes.count
        state.sealed.append(frame)
    }

    // MARK: The publisher

    /// The next frame; nil if there is nothing, and then the next caller must tell.
    func take() -> SealedFrame? {
        let (frame, hasRoom) = state.withLock { state -> (SealedFrame?, Bool) in
            if state.taken < state.sealed.count {
                let frame = state.sealed[state.taken]
                state.taken += 1
                if state.taken == state.sealed.count {
                    state.sealed.removeAll(keepingCapacity: true)
                    state.taken = 0
                }
                let wasFull = state.sealedBytes >= bytesMax
                state.sealedBytes -= frame.bytes.count
                return (frame, wasFull && state.sealedBytes < bytesMax)
            }
            guard let lane = state.open.first else {
                state.isPending = false
                return (nil, false)
            }
            state.open.removeFirst()
            return (state.lanes[lane]?.seal(), false)
        }
        if hasRoom { room.raise() }
        return frame
    }

    /// Whether something waits to be taken.
    var isEmpty: Bool { state.withLock { $0.sealed.isEmpty && $0.open.isEmpty } }

    /// Whether the node has closed.
    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Accepts nothing more. What is here can still be taken.
    func close() {
        state.withLock { $0.isClosed = true }
        room.close()
    }
}
