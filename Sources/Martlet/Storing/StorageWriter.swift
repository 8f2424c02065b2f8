internal import MartletDelivery
internal import MartletSockets
import Synchronization

/// Stores what a node publishes in its durable streams: whatever waits, in one commit; then, and
/// only then, it is published and confirmed.
///
/// A thread of its own does it, in rounds. What a producer submits when nothing else is to be done,
/// the loop's thread stores itself: who waits for one event at a time waits for one thread less.
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
    let submissions = SubmissionIntake()
    let signal = ThreadSignal()
    let state = Lock(State())
    /// The epoch in which streams number their frames.
    let instanceEpoch: Epoch
    /// Held by the thread that stores; nil before the thread has begun, and once it has ended.
    let rounds = Lock<StoringRounds?>(nil)
    /// What else the two threads know of each other.
    let watch = ErrandWatch()

    /// A storage that fails is tried again so often.
    static let pause = Duration.seconds(1)

    init(_ storage: any Storage, epoch: Epoch) {
        self.storage = storage
        instanceEpoch = epoch
    }

    /// Begins to store what comes for this core, or cursors alone.
    func start(_ core: PublishingCore?) throws(MartletError) {
        try DedicatedThread.start(named: "martlet-store") { [self] in
            runThread(core)
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

    /// Producers ask for something. What there is no room for is returned; `takesErrand` follows.
    func submit(_ requests: [ProducerRequest]) -> [ProducerRequest] { submissions.add(requests) }

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
}
