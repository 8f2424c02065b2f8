internal import MartletDelivery
internal import MartletSockets
import Synchronization

/// The thread that stores what a node publishes in its durable streams: whatever waits, in one
/// commit; then, and only then, it is published and confirmed.
///
/// When a commit fails, the queue looks what is there, and it is tried again until the end.
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
        /// The clock was set, so that ages mean nothing.
        var isExpiryPaused = false
        /// Until when a storage that fails is given the time to recover.
        var closesBy: MonotonicTime?
        var hasEnded = false
        var waiters: [CheckedContinuation<Void, Never>] = []
        private var turns = 0

        /// All streams, each time from another one on.
        mutating func takeStreams() -> [(place: Int, buffer: StreamBuffer)] {
            guard !streams.isEmpty else { return [] }
            turns = (turns + 1) % streams.count
            return Array(streams[turns...] + streams[..<turns])
        }
    }

    let storage: any Storage
    private let signal = ThreadSignal()
    private let state = Lock(State())
    /// The epoch in which streams number their frames.
    private let instanceEpoch: Epoch

    /// Most that is committed at a time.
    private static let bytesMax = 4 * 1_048_576
    private static let framesMax = 1_024
    /// A storage that fails is tried again so often.
    private static let pause = Duration.seconds(1)
    /// Nothing comes unless somebody tells.
    private static let idle = Limits.retentionInterval
    /// Cursors are looked at so often.
    private static let look = Duration.milliseconds(200)
    /// Readers that are waited for are looked at so often.
    private static let holdUp = Duration.milliseconds(5)

    init(_ storage: any Storage, epoch: Epoch) {
        self.storage = storage
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

    /// Stores a cursor as `change` makes it of what it was, and returns once it is on disk. While
    /// nothing can be stored it throws, and the cursor is stored when that is over.
    func store(
        cursor name: String, _ change: @Sendable ([Position]) -> [Position]
    ) async throws(MartletError) {
        let error = await withCheckedContinuation { continuation in
            let hasEnded = state.withLock { state in
                guard !state.hasEnded else { return true }
                let before = state.cursors[name] ?? storage.cursors[name] ?? []
                state.cursors[name] = change(before)
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
        // A disk that fails now is told to whoever stores the next thing.
        let positions = tracker.positions
        try? await store(cursor: tracker.name) { _ in positions }
        state.withLock { state in state.trackers.removeAll { $0 === tracker } }
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

    /// Why nothing can be stored at present.
    var failure: MartletError? {
        state.withLock { $0.streams }.lazy.compactMap { $0.buffer.receipts?.failure }.first
    }

    /// Whether nothing expires by its age since the clock was set.
    var isExpiryPaused: Bool { state.withLock { $0.isExpiryPaused } }

    // MARK: The thread

    private func run(_ core: PublishingCore?) {
        var queue = CommitQueue(storage.node, instanceEpoch)
        var clock = RetentionClock()
        var nextExpiry = NodeClock.now
        while true {
            let isClosing = state.withLock { $0.isClosing }
            var turn = fill(&queue, core, isClosing: isClosing)
            if NodeClock.now >= nextExpiry {
                nextExpiry = NodeClock.now + Limits.retentionInterval
                expire(turn.buffers, &clock, &queue)
            }
            if queue.isEmpty {
                if isClosing { break }
                signal.wait(atMost: turn.pause)
            } else if !store(&queue, core, &turn) {
                break
            }
        }
        for (_, buffer) in state.withLock({ $0.streams }) { buffer.receipts?.close() }
        try? storage.close()
    }

    /// What belongs to a commit, beside what is stored.
    private struct Turn {
        /// Who waits for it.
        var flushes: [CheckedContinuation<MartletError?, Never>] = []
        var buffers: [StreamBuffer] = []
        /// Why nothing is stored at present.
        var failure: MartletError?
        /// How long to wait if there is nothing.
        var pause = StorageWriter.idle
    }

    private func fill(
        _ queue: inout CommitQueue, _ core: PublishingCore?, isClosing: Bool
    ) -> Turn {
        var turn = Turn()
        var cursors: [String: [Position]] = [:]
        let trackers = state.withLock { state in
            swap(&cursors, &state.cursors)
            swap(&turn.flushes, &state.flushes)
            return state.trackers
        }
        let now = NodeClock.now
        if !trackers.isEmpty { turn.pause = StorageWriter.look }
        for tracker in trackers where cursors[tracker.name] == nil {
            if let due = tracker.takeDue(at: now, orSooner: isClosing) {
                cursors[tracker.name] = due
            }
        }
        for (name, positions) in cursors { queue.add(cursor: name, positions) }
        // A different one first each time: one that is fast must not keep the others from the disk.
        for (place, buffer) in state.withLock({ $0.takeStreams() }) {
            turn.buffers.append(buffer)
            guard isClosing || core?.isHeldUp(place) == false else {
                if !buffer.isEmpty { turn.pause = StorageWriter.holdUp }
                continue
            }
            take(from: buffer, place, &queue)
        }
        return turn
    }

    private func take(from buffer: StreamBuffer, _ place: Int, _ queue: inout CommitQueue) {
        // Each of the open frames once: they begin anew while this goes on.
        var open = buffer.openCount
        while queue.byteCount < StorageWriter.bytesMax, queue.count < StorageWriter.framesMax {
            guard case .frame(let frame, let wasOpen) = buffer.take(openToo: open > 0) else {
                return
            }
            if wasOpen { open -= 1 }
            queue.add(.init(place: place, stream: buffer.definition.name, frame: frame))
        }
    }

    /// False if it could not be stored before the end.
    private func store(
        _ queue: inout CommitQueue, _ core: PublishingCore?, _ turn: inout Turn
    ) -> Bool {
        let buffers = turn.buffers
        for attempt in 1... {
            let firsts = queue.firsts
            do throws(MartletError) {
                try queue.commit(to: storage, random: .random(in: 0 ... .max)) { stored in
                    publish(stored, buffers, core)
                }
                if attempt > 1 { for buffer in buffers { buffer.receipts?.recover() } }
                if !firsts.isEmpty { core?.forget(before: firsts) }
                for flush in turn.flushes { flush.resume(returning: nil) }
                return true
            } catch {
                // The second attempt begins by looking, and may succeed before anybody has noticed.
                guard attempt > 1 else { continue }
                fail(&turn, because: error)
            }
            guard waitToTryAgain(&turn) else { return false }
        }
        return false
    }

    /// Lets the pause pass, in which nobody waits for the disk. False at the end.
    private func waitToTryAgain(_ turn: inout Turn) -> Bool {
        let due = NodeClock.now + StorageWriter.pause
        while NodeClock.now < due {
            if let closesBy = state.withLock({ $0.closesBy }), NodeClock.now >= closesBy {
                return false
            }
            signal.wait(atMost: NodeClock.now.duration(to: due))
            let flushes = state.withLock { state in
                defer { state.flushes = [] }
                return state.flushes
            }
            for flush in flushes { flush.resume(returning: turn.failure) }
        }
        return true
    }

    /// What need not be kept any more goes with the next commit, and its room with the one after.
    private func expire(
        _ buffers: [StreamBuffer], _ clock: inout RetentionClock, _ queue: inout CommitQueue
    ) {
        var isPaused = false
        for buffer in buffers {
            let (stream, retention) = (buffer.definition.name, buffer.definition.retention)
            var firsts: [Channel: UInt64] = [:]
            if let byteCount = retention.byteCount {
                firsts = (try? storage.firsts(of: stream, keeping: byteCount)) ?? [:]
            }
            if let age = retention.age {
                let deadline = clock.deadline(for: age)
                isPaused = isPaused || clock.isPaused
                for stored in storage.channels where stored.channel.stream == stream {
                    guard let deadline,
                        let first = try? storage.sequence(at: deadline, of: stored.channel)
                    else { continue }
                    firsts[stored.channel] = max(firsts[stored.channel] ?? 0, first)
                }
            }
            for stored in storage.channels
            where stored.first >= firsts[stored.channel] ?? 0 {
                firsts[stored.channel] = nil
            }
            queue.add(firsts: firsts)
        }
        state.withLock { $0.isExpiryPaused = isPaused }
        // What cannot be removed now is tried again.
        try? storage.shrink()
    }

    /// Who waits is told. What waits is tried again.
    private func fail(_ turn: inout Turn, because error: MartletError) {
        let error = MartletError(
            error.code,
            "Nothing can be stored at present: \(error.message) What was published waits, and is "
                + "stored when that is over.", cause: error, isRetriable: true)
        for buffer in turn.buffers { buffer.receipts?.fail(error) }
        for flush in turn.flushes { flush.resume(returning: error) }
        turn.flushes = []
        turn.failure = error
    }

    private func publish(
        _ stored: CommitQueue.Stored, _ buffers: [StreamBuffer], _ core: PublishingCore?
    ) {
        core?.publishStored(stored)
        var rest = stored.entries
        while let first = rest.first {
            let own = rest.prefix { $0.stream == first.stream }
            buffers.first { $0.definition.name == first.stream }?.noteStored(
                own.lazy.map { ($0.frame.lane, $0.frame.sequences) }, in: stored.epoch)
            rest = rest.dropFirst(own.count)
        }
        core?.noteProgress()
    }
}
