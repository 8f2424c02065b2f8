public import MartletCore
import MartletEvents
import Synchronization

/// A storage that lives in memory, and remembers for as long as it lives.
public final class MemoryStorage: Storage {
    private struct State {
        var epoch: Epoch?
        var partitions: [StreamName: Int] = [:]
        var channels: [StoredChannel] = []
        var frames: [Channel: [StoredFrame]] = [:]
        var cursors: [String: [Position]] = [:]
        var producers: [String: StoredProducer] = [:]
        var groups: [String: StoredGroup] = [:]
        var ledgers: [LedgerName: StoredLedger] = [:]
        var isClosed = false
    }

    /// Whose events are kept.
    public let node: NodeID
    private let state = Lock(State())

    /// An empty one.
    public init(node: NodeID = .random()) { self.node = node }

    /// The last epoch that was raised.
    public var epoch: Epoch? { state.withLock { $0.epoch } }
    /// The streams, and their partitions.
    public var partitions: [StreamName: Int] { state.withLock { $0.partitions } }
    /// The channels that are kept.
    public var channels: [StoredChannel] { state.withLock { $0.channels } }
    /// The named positions.
    public var cursors: [String: [Position]] { state.withLock { $0.cursors } }

    /// Who submits events.
    public var producers: [String: StoredProducer] { state.withLock { $0.producers } }

    /// Groups of workers.
    public var groups: [String: StoredGroup] { state.withLock { $0.groups } }

    /// What they have done.
    public var ledgers: [LedgerName: StoredLedger] { state.withLock { $0.ledgers } }

    /// How many bytes are kept.
    public var byteCount: UInt64 {
        state.withLock { state in
            state.frames.values.joined().reduce(0) { $0 + UInt64($1.bytes.count) }
        }
    }

    /// Keeps all of it, or throws.
    public func commit(
        _ changes: StorageChanges, meanwhile: () -> Void
    ) throws(MartletError) {
        guard !changes.isEmpty else { return }
        meanwhile()
        try state.withLock { (state) throws(MartletError) in
            var next = state
            try MemoryStorage.check(state)
            if let epoch = changes.epoch {
                next.epoch = epoch
                for place in next.channels.indices { next.channels[place].raise(epoch) }
            }
            next.partitions.merge(changes.streams) { $1 }
            for frame in changes.frames { try MemoryStorage.append(frame, to: &next) }
            for (channel, first) in changes.firsts {
                let place = MemoryStorage.place(of: channel, in: &next)
                let stored = next.channels[place]
                next.channels[place].first = min(max(stored.first, first), stored.next)
            }
            for (name, positions) in changes.cursors {
                guard !name.isEmpty, name.utf8.count <= Limits.cursorNameBytesMax else {
                    throw MartletError(
                        .invalidArgument, "The name of a cursor has 1 to 256 bytes.")
                }
                next.cursors[name] = positions.isEmpty ? nil : positions
            }
            for (name, producer) in changes.producers { next.producers[name] = producer }
            for (name, group) in changes.groups {
                next.groups[name] = group
                if group == nil { next.ledgers = next.ledgers.filter { $0.key.group != name } }
            }
            next.ledgers.merge(changes.ledgers) { $1 }
            state = next
        }
    }

    private static func check(_ state: State) throws(MartletError) {
        guard !state.isClosed else {
            throw MartletError(.closed, "The storage is closed. Make another.")
        }
    }

    private static func place(of channel: Channel, in state: inout State) -> Int {
        if let known = state.channels.firstIndex(where: { $0.channel == channel }) { return known }
        state.channels.append(StoredChannel(channel))
        return state.channels.count - 1
    }

    private static func append(
        _ frame: StoredFrame, to state: inout State
    ) throws(MartletError) {
        let place = place(of: frame.channel, in: &state)
        guard frame.sequences.lowerBound == state.channels[place].next else {
            throw MartletError(
                .invalidArgument, "The frame does not follow the last one of its channel.")
        }
        state.channels[place].append(frame)
        state.frames[frame.channel, default: []].append(frame)
    }

    /// Frames from the one that holds an event on.
    public func read(
        _ channel: Channel, from sequence: UInt64, byteCountMax: Int
    ) throws(MartletError) -> StoredEvents {
        try state.withLock { (state) throws(MartletError) in
            try MemoryStorage.check(state)
            let first = state.channels.first { $0.channel == channel }?.first ?? 1
            var byteCount = 0
            let frames = (state.frames[channel] ?? []).drop {
                $0.sequences.upperBound <= max(first, sequence)
            }.prefix { frame in
                defer { byteCount += frame.bytes.count }
                return byteCount == 0 || byteCount + frame.bytes.count <= byteCountMax
            }
            return StoredEvents(Array(frames))
        }
    }

    /// The first event of a time or later.
    public func sequence(
        at time: Timestamp, of channel: Channel
    ) throws(MartletError) -> UInt64 {
        try state.withLock { (state) throws(MartletError) in
            try MemoryStorage.check(state)
            let stored = state.channels.first { $0.channel == channel }
            let frame = (state.frames[channel] ?? []).first {
                $0.latest >= time && $0.sequences.upperBound > stored?.first ?? 1
            }
            guard let frame else { return stored?.next ?? 1 }
            let event = try Frame(frame.bytes).first { $0.time >= time }
            return max(stored?.first ?? 1, event?.sequence ?? frame.sequences.lowerBound)
        }
    }

    /// From which events on channels of a stream would be kept in so many bytes.
    public func firsts(
        of stream: StreamName, keeping byteCount: UInt64
    ) throws(MartletError) -> [Channel: UInt64] {
        state.withLock { state in
            var left = byteCount
            var firsts: [Channel: UInt64] = [:]
            for stored in state.channels where stored.channel.stream == stream {
                for frame in (state.frames[stored.channel] ?? []).reversed() {
                    guard frame.sequences.upperBound > stored.first else { break }
                    if UInt64(frame.bytes.count) > left, firsts[stored.channel] == nil {
                        firsts[stored.channel] = frame.sequences.upperBound
                    }
                    left -= min(left, UInt64(frame.bytes.count))
                }
            }
            return firsts
        }
    }

    /// Gives back the room of what is kept no more.
    public func shrink() throws(MartletError) {
        state.withLock { state in
            for stored in state.channels {
                state.frames[stored.channel]?.removeAll {
                    $0.sequences.upperBound <= stored.first
                }
            }
        }
    }

    /// Looks what is there, after a failure.
    public func recover() throws(MartletError) {}

    /// Reads everything, and names what is damaged.
    public func check(
        _ progress: (UInt64) -> Void
    ) throws(MartletError) -> [StorageDamage] { [] }

    /// Ends its use.
    public func close() throws(MartletError) { state.withLock { $0.isClosed = true } }
}
