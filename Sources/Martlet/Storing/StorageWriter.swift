internal import MartletDelivery
internal import MartletSockets
import Synchronization

/// The thread that stores what a node publishes in its durable streams: whatever waits, in one
/// commit; then, and only then, it is published and confirmed.
///
/// When a commit fails, the queue looks what is there, and it is tried again until the end.
final class StorageWriter: Sendable {
    struct State {
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
        /// What goes although a cursor is not past it.
        var overruns: [RetentionOverrun] = []
        /// Until when a storage that fails is given the time to recover.
        var closesBy: MonotonicTime?
        var hasEnded = false
        var waiters: [CheckedContinuation<Void, Never>] = []
        private var turns = 0

        /// All streams, each time from another one on.
        mutating func takeStreams() -> [(place: Int, buffer: StreamBuffer)] {
            guard streams.count > 1 else { return streams }
            turns = (turns + 1) % streams.count
            return Array(streams[turns...] + streams[..<turns])
        }
    }

    let storage: any Storage
    private let submissions = SubmissionIntake()
    let signal = ThreadSignal()
    let state = Lock(State())
    /// The epoch in which streams number their frames.
    private let instanceEpoch: Epoch

    /// Most that is committed at a time.
    private static let bytesMax = 4 * 1_048_576
    private static let framesMax = 1_024
    /// A storage that fails is tried again so often.
    static let pause = Duration.seconds(1)
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

    /// Producers ask for something. What there is no room for is returned.
    func submit(_ requests: [ProducerRequest]) -> [ProducerRequest] {
        defer { signal.raise() }
        return submissions.add(requests)
    }

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

    /// Waits until what is there now is on disk. While nothing can be stored it throws.
    func flush() async throws(MartletError) {
        let error = await withCheckedContinuation { continuation in
            let hasEnded = state.withLock { state in
                if !state.hasEnded { state.flushes.append(continuation) }
                return state.hasEnded
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

    /// Events that went although a cursor was not past them.
    var overruns: [RetentionOverrun] { state.withLock { $0.overruns } }

    // MARK: The thread

    private func run(_ core: PublishingCore?) {
        var queue = CommitQueue(storage.node, instanceEpoch)
        var submitted = SubmissionWriter(storage)
        var keeper = RetentionKeeper(storage)
        while true {
            let isClosing = state.withLock { $0.isClosing }
            var turn = fill(&queue, &submitted, core, isClosing: isClosing)
            if let firsts = keeper.firstsIfDue(turn.buffers.lazy.map(\.definition)) {
                queue.add(firsts: firsts)
                state.withLock { state in
                    (state.isExpiryPaused, state.overruns) = (keeper.isPaused, keeper.overruns)
                }
            }
            if let core { takeWork(of: core, &queue, &turn) }
            let isNothing = queue.isEmpty
            guard isNothing || store(&queue, &submitted, core, &turn) else { break }
            core?.workStored()
            if isNothing {
                // What was refused, or is there already.
                core?.send(answers(submitted, core, in: queue.epoch))
                submitted.forgetAnswers()
                for flush in turn.flushes { flush.resume(returning: nil) }
                if isClosing { break }
                signal.wait(atMost: turn.pause)
            }
        }
        for (_, buffer) in state.withLock({ $0.streams }) { buffer.receipts?.close() }
        try? storage.close()
    }

    /// What belongs to a commit, beside what is stored.
    struct Turn {
        /// Who waits for it.
        var flushes: [CheckedContinuation<MartletError?, Never>] = []
        var buffers: [StreamBuffer] = []
        /// Why nothing is stored at present.
        var failure: MartletError?
        /// How long to wait if there is nothing.
        var pause = StorageWriter.idle
    }

    private func fill(
        _ queue: inout CommitQueue, _ submitted: inout SubmissionWriter, _ core: PublishingCore?,
        isClosing: Bool
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
        let streams = state.withLock { $0.takeStreams() }
        let targets = submitted.admit(
            submissions.take(beside: submitted.table.waitingBytes), to: streams,
            isHeldUp: { core?.isHeldUp($0) == true })
        core?.watch(submitted.takeWatches())
        queue.add(producers: submitted.takeChanges())
        for (place, buffer) in streams {
            turn.buffers.append(buffer)
            let target = targets[place] ?? [:]
            guard isClosing || !target.isEmpty || core?.isHeldUp(place) == false else {
                if !buffer.isEmpty { turn.pause = StorageWriter.holdUp }
                continue
            }
            take(from: buffer, place, upTo: target, &queue)
        }
        if submitted.table.waitingBytes > 0 { turn.pause = StorageWriter.holdUp }
        return turn
    }

    /// Takes what groups have done, and what they have set aside, which is told in the same commit.
    private func takeWork(
        of core: PublishingCore, _ queue: inout CommitQueue, _ turn: inout Turn
    ) {
        let work = core.takeWork()
        queue.add(groups: work.groups, ledgers: work.ledgers)
        guard !work.letters.isEmpty else { return }
        guard let (place, buffer, isNew) = try? core.deadLetters() else {
            // Too many streams: what was set aside is told when there is room.
            return core.putBack(work.letters)
        }
        if isNew {
            queue.add(
                stream: buffer.definition.name,
                partitions: buffer.definition.partitioning.partitions)
        }
        if !turn.buffers.contains(where: { $0 === buffer }) { turn.buffers.append(buffer) }
        for news in work.letters {
            do throws(MartletError) {
                var number = try core.append(news, to: buffer)
                if number == nil {
                    // What is there makes room.
                    take(from: buffer, place, upTo: [0: .max], &queue)
                    number = try core.append(news, to: buffer)
                }
                if let number { take(from: buffer, place, upTo: [0: number], &queue) }
            } catch {
                // The ledger counts it as dead. What cannot be told of must not hold up the rest.
                continue
            }
        }
    }

    /// Takes what there is, up to a size, but all up to these events of its lanes.
    private func take(
        from buffer: StreamBuffer, _ place: Int, upTo target: [Int: UInt64],
        _ queue: inout CommitQueue
    ) {
        // Each of the open frames once: they begin anew while this goes on.
        var open = buffer.openCount
        var missing = target
        while !missing.isEmpty
            || queue.byteCount < StorageWriter.bytesMax && queue.count < StorageWriter.framesMax
        {
            let taken = buffer.take(openToo: open > 0 || !missing.isEmpty)
            guard case .frame(let frame, let wasOpen) = taken else { return }
            if wasOpen { open -= 1 }
            if let last = missing[frame.lane], frame.sequences.upperBound > last {
                missing[frame.lane] = nil
            }
            queue.add(.init(place: place, stream: buffer.definition.name, frame: frame))
        }
    }
}
