internal import MartletDelivery
import Synchronization

/// A pool that pulls, at work: frames that have come, and the runners that handle their events.
final class PullCore: Sendable {
    /// Some events of a frame, for a runner.
    struct Batch: Sendable {
        let frame: Frame
        let places: Range<Int>
    }

    private struct State {
        /// Frames that have come; of the first, so many events are taken.
        var frames = Queue<Frame>()
        var taken = 0
        /// Events of them that are not.
        var waiting = 0
        var idle: [CheckedContinuation<Void, Never>] = []
        /// How long a handler takes, in microseconds, by a moving mean.
        var meanTime = Double(Limits.batchTime.components.attoseconds / 1_000_000_000_000)
        var tallies: [StreamName: PullReport] = [:]
        /// Streams of which there is news.
        var news: Set<StreamName> = []
        var isClosing = false
    }

    let pool: PullPool
    private let handler: PoolHandler
    /// Raised when the pool has come further.
    let changes = ChangeSignal()
    private let notify: @Sendable () -> Void
    private let state = Lock(State())

    /// Frames that wait here; more stay where they are.
    private static let framesMax = 32
    /// Frames that wait in a socket: few, so that others get what this one is too slow for.
    static let highWaterMark = 16

    init(
        _ pool: PullPool, _ codecs: CodecSet, notify: @escaping @Sendable () -> Void
    ) throws(MartletError) {
        try pool.check()
        self.pool = pool
        self.notify = notify
        handler = pool.makeHandler(codecs)
    }

    // MARK: The loop

    /// Whether more frames may come.
    var hasRoom: Bool {
        state.withLock { !$0.isClosing && $0.frames.count < PullCore.framesMax }
    }

    /// Frames have come.
    func push(_ frames: [Frame]) {
        guard !frames.isEmpty else { return }
        let woken = state.withLock { state in
            for frame in frames {
                state.frames.append(frame)
                state.waiting += frame.count
            }
            return PullCore.takeWoken(&state)
        }
        for runner in woken { runner.resume() }
    }

    /// One runner for so much as takes a while: each that wakes costs the system more than that.
    private static func takeWoken(
        _ state: inout State
    ) -> ArraySlice<CheckedContinuation<Void, Never>> {
        let wanted = max(1, state.waiting / share(state))
        let woken = state.idle.suffix(wanted)
        state.idle.removeLast(woken.count)
        return woken
    }

    /// Those who were woken may be held up by what they have.
    func wakeAnother() {
        let woken = state.withLock { state in
            state.waiting > 0 ? PullCore.takeWoken(&state) : []
        }
        for runner in woken { runner.resume() }
    }

    /// As many events as take a while.
    private static func share(_ state: State) -> Int {
        let time = Double(Limits.batchTime.components.attoseconds / 1_000_000_000_000)
        return max(1, Int(time / max(state.meanTime, 0.01)))
    }

    /// What is to be told, to all who push.
    func takeReports() -> [PullReport] {
        state.withLock { state in
            defer { state.news = [] }
            return state.news.compactMap { state.tallies[$0] }
        }
    }

    // MARK: Runners

    /// Handles what comes until the pool ends. It belongs to no actor, like a pool's runner.
    @concurrent
    func run() async {
        while let batch = await next() {
            let began = NodeClock.now
            let handled =
                switch handler.kind {
                case .direct(let handle): self.handle(batch, handle)
                case .plain(let handle): await self.handle(batch, handle)
                case .valued(let handle):
                    await self.handle(batch) { _ = try await handle($0, $1) }
                }
            finish(batch, handled, after: NodeClock.now.microseconds - began.microseconds)
        }
    }

    /// Handles what is wanted of a batch, and says how many events did not fail.
    @concurrent
    private func handle(
        _ batch: Batch, _ handle: @Sendable (RecordedEvent, Delivery) async throws -> Void
    ) async -> Int {
        let wantsAll = pool.wantsAll(of: batch.frame)
        var handled = 0
        for place in batch.places {
            // Made here, and the event taken from it: each further reference to the frame costs as
            // much as a quick handler.
            let delivery = Delivery(batch.frame[place])
            guard wantsAll || pool.wants(delivery.event) else { continue }
            do {
                try await PoolHandler.give(delivery, to: handle)
                handled += 1
            } catch { continue }
        }
        return handled
    }

    private func handle(
        _ batch: Batch, _ handle: @Sendable (RecordedEvent, Delivery) throws -> Void
    ) -> Int {
        let wantsAll = pool.wantsAll(of: batch.frame)
        var handled = 0
        for place in batch.places {
            let delivery = Delivery(batch.frame[place])
            guard wantsAll || pool.wants(delivery.event) else { continue }
            do {
                try PoolHandler.give(delivery, to: handle)
                handled += 1
            } catch { continue }
        }
        return handled
    }

    private func next() async -> Batch? {
        while true {
            let (batch, isOver, hasRoom) = state.withLock { state in take(&state) }
            if hasRoom { notify() }
            if let batch { return batch }
            if isOver { return nil }
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    guard state.frames.count == 0, !state.isClosing else { return true }
                    state.idle.append(continuation)
                    return false
                }
                if isReady { continuation.resume() }
            }
        }
    }

    private func take(_ state: inout State) -> (Batch?, isOver: Bool, hasRoom: Bool) {
        guard let frame = state.frames.first else { return (nil, state.isClosing, false) }
        let count = min(Limits.batchEvents, PullCore.share(state))
        let end = min(frame.count, state.taken + count)
        let batch = Batch(frame: frame, places: state.taken..<end)
        state.waiting -= batch.places.count
        state.taken = end
        guard end == frame.count else { return (batch, false, false) }
        _ = state.frames.popFirst()
        state.taken = 0
        // Half of the room is free: what waits elsewhere may come.
        return (batch, false, state.frames.count == PullCore.framesMax / 2)
    }

    private func finish(_ batch: Batch, _ handled: Int, after time: UInt64) {
        let stream = batch.frame.channel.stream
        let woken = state.withLock { state in
            let before = state.tallies[stream]
            state.tallies[stream] = PullReport(
                stream: stream, handled: (before?.handled ?? 0) + UInt64(handled),
                dropped: (before?.dropped ?? 0) + UInt64(batch.places.count - handled))
            state.news.insert(stream)
            let mean = Double(time) / Double(max(batch.places.count, 1))
            state.meanTime += (mean - state.meanTime) / (mean > state.meanTime ? 2 : 16)
            return state.waiting > 0 ? PullCore.takeWoken(&state) : []
        }
        for runner in woken { runner.resume() }
    }

    // MARK: The end

    /// Takes nothing more. Runners end when they have ended what is here.
    func close() {
        let woken = state.withLock { state in
            state.isClosing = true
            defer { state.idle = [] }
            return state.idle
        }
        for runner in woken { runner.resume() }
        notify()
    }
}
