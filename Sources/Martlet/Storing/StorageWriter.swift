internal import MartletDelivery
internal import MartletSockets
import Synchronization

/// The thread that stores what a node publishes in its durable streams: whatever waits, in one
/// commit; then, and only then, it is published and confirmed.
///
/// When a commit fails, nobody knows what of it is on the disk. The storage looks, the epoch is
/// raised, and what was not found is numbered anew in the same order.
final class StorageWriter: Sendable {
    private struct State {
        /// Durable streams, and their places in the publishing core.
        var streams: [(place: Int, buffer: StreamBuffer)] = []
        var cursors: [String: [Position]] = [:]
        /// Subscriptions that go by a cursor.
        var trackers: [CursorTracker] = []
        /// Who waits until what was there when they came is on disk.
        var flushes: [CheckedContinuation<MartletError?, Never>] = []
        var isClosing = false
        /// Until when a storage that fails is given the time to recover.
        var closesBy: MonotonicTime?
        var hasEnded = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    let storage: any Storage
    private let signal = ThreadSignal()
    private let state = Lock(State())
    /// The epoch in which frames are stored. The writer's thread alone changes it.
    private let epoch: Lock<Epoch>
    /// The epoch in which streams number their frames.
    private let instanceEpoch: Epoch

    /// Most that is committed at a time.
    private static let bytesMax = 4 * 1_048_576
    private static let framesMax = 1_024
    /// A storage that fails is tried again so often.
    private static let pause = Duration.seconds(1)
    /// Nothing comes unless somebody tells.
    private static let idle = Duration.seconds(60)
    /// Cursors are looked at so often.
    private static let look = Duration.milliseconds(200)
    /// Readers that are waited for are looked at so often.
    private static let holdUp = Duration.milliseconds(5)

    init(_ storage: any Storage, epoch: Epoch) {
        self.storage = storage
        self.epoch = Lock(epoch)
        instanceEpoch = epoch
    }

    /// Begins to store what comes for this core, or cursors alone.
    func start(_ core: PublishingCore?) throws(MartletError) {
        try DedicatedThread.start(named: "martlet-store") { [self] in
            run(core)
            let (waiters, flushes) = state.withLock { state in
                state.hasEnded = true
                return (state.waiters, state.flushes)
            }
            for flush in flushes { flush.resume(returning: Outlet.closedError) }
            for waiter in waiters { waiter.resume() }
        }
    }

    /// A stream is stored from now on.
    func add(_ buffer: StreamBuffer, at place: Int) {
        state.withLock { $0.streams.append((place, buffer)) }
        signal.raise()
    }

    /// There is something to store.
    func tell() { signal.raise() }

    /// Stores a cursor, and returns once it is on disk.
    func store(_ positions: [Position], asCursor name: String) async throws(MartletError) {
        let error = await withCheckedContinuation { continuation in
            let hasEnded = state.withLock { state in
                guard !state.hasEnded else { return true }
                state.cursors[name] = positions
                state.flushes.append(continuation)
                return false
            }
            if hasEnded { continuation.resume(returning: Outlet.closedError) }
            signal.raise()
        }
        if let error { throw error }
    }

    /// A subscription goes by a cursor. False if another one does.
    func add(_ tracker: CursorTracker) -> Bool {
        state.withLock { state in
            guard !state.trackers.contains(where: { $0.name == tracker.name }) else { return false }
            state.trackers.append(tracker)
            return true
        }
    }

    /// It has ended: its cursor is stored where it stands.
    func remove(_ tracker: CursorTracker) async {
        state.withLock { state in state.trackers.removeAll { $0 === tracker } }
        // A disk that fails now is told to whoever stores the next thing.
        try? await store(tracker.positions, asCursor: tracker.name)
    }

    /// Whether a subscription goes by this cursor.
    func isTracked(_ name: String) -> Bool {
        state.withLock { $0.trackers.contains { $0.name == name } }
    }

    /// Stores what is there, and ends. A storage that fails is given so much time.
    func close(within timeout: Duration) async {
        state.withLock { state in
            state.isClosing = true
            state.closesBy = NodeClock.now + timeout
        }
        signal.raise()
        await withCheckedContinuation { continuation in
            let hasEnded = state.withLock { state in
                if !state.hasEnded { state.waiters.append(continuation) }
                return state.hasEnded
            }
            if hasEnded { continuation.resume() }
        }
    }

    // MARK: The thread

    private func run(_ core: PublishingCore?) {
        while true {
            let isClosing = state.withLock { $0.isClosing }
            let work = takeWork(core)
            if work.changes.isEmpty {
                if isClosing { break }
                signal.wait(atMost: work.pause)
            } else if !store(work, core) {
                break
            }
        }
        try? storage.close()
    }

    /// What is committed together.
    private struct Work {
        var changes = StorageChanges()
        var frames: [(place: Int, buffer: StreamBuffer, frame: SealedFrame)] = []
        var flushes: [CheckedContinuation<MartletError?, Never>] = []
        /// How long to wait if there is nothing.
        var pause = StorageWriter.idle
        var byteCount = 0
    }

    private func takeWork(_ core: PublishingCore?) -> Work {
        var work = Work()
        let (streams, trackers) = state.withLock { state in
            swap(&work.changes.cursors, &state.cursors)
            swap(&work.flushes, &state.flushes)
            return (state.streams, state.trackers)
        }
        let now = NodeClock.now
        if !trackers.isEmpty { work.pause = StorageWriter.look }
        for tracker in trackers where work.changes.cursors[tracker.name] == nil {
            if let due = tracker.takeDue(at: now) { work.changes.cursors[tracker.name] = due }
        }
        let epoch = epoch.withLock { $0 }
        for (place, buffer) in streams {
            guard core?.isHeldUp(place) == false else {
                if !buffer.isEmpty { work.pause = StorageWriter.holdUp }
                continue
            }
            take(from: buffer, place, epoch, &work)
        }
        return work
    }

    private func take(
        from buffer: StreamBuffer, _ place: Int, _ epoch: Epoch, _ work: inout Work
    ) {
        // Each of the open frames once: they begin anew while this goes on.
        var open = buffer.openCount
        while work.byteCount < StorageWriter.bytesMax, work.frames.count < StorageWriter.framesMax {
            guard case .frame(var frame, let wasOpen) = buffer.take(openToo: open > 0) else {
                return
            }
            if wasOpen { open -= 1 }
            if epoch != instanceEpoch { frame = frame.restamped(epoch) }
            work.frames.append((place, buffer, frame))
            work.byteCount += frame.bytes.count
            work.changes.frames.append(
                frame.stored(in: epoch, of: buffer.definition.name, at: storage.node))
        }
    }

    /// False if it could not be stored before the end.
    private func store(_ work: Work, _ core: PublishingCore?) -> Bool {
        do throws(MartletError) {
            try storage.commit(work.changes)
        } catch {
            return recover(work, core, after: error)
        }
        publish(work.frames[...], core)
        for flush in work.flushes { flush.resume(returning: nil) }
        return true
    }

    private func publish(
        _ frames: ArraySlice<(place: Int, buffer: StreamBuffer, frame: SealedFrame)>,
        _ core: PublishingCore?
    ) {
        guard !frames.isEmpty else { return }
        core?.publishStored(frames.lazy.map { ($0.place, $0.frame) })
        let epoch = epoch.withLock { $0 }
        var rest = frames
        while let first = rest.first {
            let own = rest.prefix { $0.buffer === first.buffer }
            first.buffer.noteStored(own.lazy.map { ($0.frame.lane, $0.frame.sequences) }, in: epoch)
            rest = rest.dropFirst(own.count)
        }
    }
}

// MARK: - Recovery

extension StorageWriter {
    private func recover(
        _ work: Work, _ core: PublishingCore?, after error: MartletError
    ) -> Bool {
        var work = work
        var isFirst = true
        while true {
            do throws(MartletError) {
                try storage.recover()
                try goOn(&work, core)
                for flush in work.flushes { flush.resume(returning: nil) }
                return true
            } catch {
                // The first attempt may succeed before anybody has noticed.
                if isFirst { for (_, buffer) in streams { buffer.receipts?.fail(named(error)) } }
                isFirst = false
                for flush in work.flushes { flush.resume(returning: named(error)) }
                work.flushes = []
            }
            if let closesBy = state.withLock({ $0.closesBy }), NodeClock.now >= closesBy {
                return false
            }
            signal.wait(atMost: StorageWriter.pause)
        }
    }

    private var streams: [(place: Int, buffer: StreamBuffer)] { state.withLock { $0.streams } }

    private func named(_ error: MartletError) -> MartletError {
        MartletError(
            error.code,
            "Nothing can be stored at present: \(error.message) What was published waits, and is "
                + "stored when that is over.", cause: error, isRetriable: true)
    }

    /// What of the work was found is published in its epoch; the rest is stored in a new one.
    private func goOn(_ work: inout Work, _ core: PublishingCore?) throws(MartletError) {
        var nexts: [Channel: UInt64] = [:]
        for stored in storage.channels { nexts[stored.channel] = stored.next }
        // An attempt before this one may have got so far.
        if let stored = storage.epoch, stored != epoch.withLock({ $0 }) {
            epoch.withLock { $0 = stored }
            core?.raise(stored)
        }
        let missing = work.changes.frames.firstIndex {
            $0.sequences.lowerBound >= nexts[$0.channel] ?? 1
        }
        let found = missing ?? work.frames.count
        let next = Epoch(
            start: (storage.epoch?.start ?? 0) + 1, random: .random(in: 0 ... .max))
        var changes = StorageChanges()
        changes.epoch = next
        changes.streams = work.changes.streams
        changes.cursors = work.changes.cursors
        for place in found..<work.frames.count {
            work.frames[place].frame = work.frames[place].frame.restamped(next)
            let entry = work.frames[place]
            changes.frames.append(
                entry.frame.stored(
                    in: next, of: entry.buffer.definition.name, at: storage.node))
        }
        publish(work.frames[..<found], core)
        work.frames.removeFirst(found)
        work.changes.frames.removeFirst(found)
        try storage.commit(changes)
        epoch.withLock { $0 = next }
        core?.raise(next)
        publish(work.frames[...], core)
    }
}

extension SealedFrame {
    /// The same events numbered in another epoch.
    fileprivate func restamped(_ epoch: Epoch) -> SealedFrame {
        // It was made here, and is a frame.
        guard let bytes = try? Frame.restamped(bytes, epoch) else { return self }
        return SealedFrame(lane: lane, sequences: sequences, latest: latest, bytes: bytes)
    }

    fileprivate func stored(in epoch: Epoch, of stream: StreamName, at node: NodeID) -> StoredFrame
    {
        StoredFrame(
            channel: Channel(node: node, stream: stream, lane: lane), epoch: epoch,
            sequences: sequences, latest: latest, bytes: bytes)
    }
}
