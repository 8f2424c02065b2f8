import CZeroMQ
public import MartletCore
import Synchronization

/// The thread that owns a node's sockets.
///
/// Tasks never touch a socket: they hold links, whose queues the loop fills and empties. The loop
/// waits for the descriptors of its sockets and one that wakes it, runs timers, and runs no code of
/// its users but for tasks that ask for its thread (`taskExecutor`). Close it when you are done, or
/// let `withSocketLoop` do so: an unclosed loop keeps its thread.
@safe
public actor SocketLoop {
    /// How the loop ends.
    enum Phase {
        case running
        /// What is queued goes out until `end`.
        case draining
        case closed
    }

    /// What the thread leaves behind, outside of the actor, which it has left by then.
    struct Ending {
        var hasEnded = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    nonisolated let executor: LoopExecutor
    /// The sockets belong to whoever holds it: the loop, but while it sleeps or is away. Others
    /// only ever try to take it, also code that runs on the loop's own thread, so that the loop may
    /// hold it for as long as it likes.
    nonisolated let baton = Lock(())
    /// Joined by `close`.
    private nonisolated let thread = Lock<DedicatedThread?>(nil)
    nonisolated let ending = Lock(Ending())
    let clock = ContinuousClock()
    var context: Context?
    let ownsContext: Bool

    var phase = Phase.running
    var end = ContinuousClock.now
    var sockets: [LoopSocket] = []
    /// Resumed when the socket of a link has been closed.
    var linkCloseWaiters: [ObjectIdentifier: [CheckedContinuation<Void, Never>]] = [:]
    /// Whoever works on the loop's thread.
    var driver: (any LoopDriver)?
    var driverDeadline: ContinuousClock.Instant?
    var timers = TimerQueue<@Sendable (Bool) -> Void>()
    var descriptors: DescriptorSet
    /// When sockets are looked at that had no news.
    var nextLook = ContinuousClock.now

    /// Held by the thread that runs the loop: its own, or one that stands in for it.
    nonisolated let seat = Lock(())
    /// How often the loop's thread has left on an errand or come back: odd while it is away.
    nonisolated let errandCount = Atomic<UInt64>(0)
    /// The loop has slept until what came now: nothing else was to be done.
    var isIdle = false

    /// The loop's own thread.
    public nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
    }

    /// The loop's own thread, for tasks.
    public nonisolated let taskExecutor: LoopTaskExecutor

    /// Starts a loop on a thread of its own.
    ///
    /// - Parameters:
    ///   - name: what debuggers and `top` show for the thread, up to 15 characters.
    ///   - context: where its sockets live; nil for one of its own, which ends with the loop.
    ///   - spinTime: how long it goes on looking for news before it sleeps.
    public init(
        named name: String = "martlet-loop", context: Context? = nil, spinTime: Duration = .zero
    ) throws(MartletError) {
        descriptors = DescriptorSet(spinTime: spinTime)
        ownsContext = context == nil
        if let context { self.context = context } else { self.context = try Context() }
        executor = LoopExecutor(signal: try WakeSignal())
        taskExecutor = LoopTaskExecutor(executor)
        let started = try DedicatedThread(named: name) { [self] in runThread() }
        thread.withLock { $0 = started }
    }

    // MARK: Links

    /// Gives a socket to the loop, and returns the link through which tasks use it.
    ///
    /// Set options before; bind and connect before or after.
    ///
    /// - Parameters:
    ///   - socket: the loop's from here on.
    ///   - messages: how many messages may wait in either direction.
    ///   - bytes: how many bytes may wait in either direction; a larger message passes alone.
    public func link<Role: SocketRole>(
        over socket: consuming sending Socket<Role>,
        messages: Int = Limits.linkMessages,
        bytes: Int = Limits.linkBytes
    ) throws(MartletError) -> ZeroMQLink<Role> {
        guard messages > 0, bytes > 0 else {
            throw MartletError(.invalidArgument, "A link needs room for a message and a byte.")
        }
        guard case .running = phase else { throw SocketLoop.closedError }
        guard socket.handle.context === context else {
            throw MartletError(
                .invalidArgument,
                "The socket is of another context. Open it in the loop's own: `openContext()`.")
        }
        let queues = LinkQueues(bound: messages, byteBound: bytes)
        let owned = LoopSocket(socket.intoHandle(), queues: queues)
        queues.lent.socket = owned
        sockets.append(owned)
        return ZeroMQLink(loop: self, queues: queues)
    }

    /// Opens a socket in the loop's context and gives it to the loop.
    public func link<Role: SocketRole>(
        _ role: Role.Type,
        messages: Int = Limits.linkMessages,
        bytes: Int = Limits.linkBytes
    ) throws(MartletError) -> ZeroMQLink<Role> {
        try link(over: try openContext().socket(role), messages: messages, bytes: bytes)
    }

    // MARK: Drivers

    /// Gives the loop a driver, which is made on its thread and stays there.
    package func install<Driver: LoopDriver>(
        _ make: @Sendable (isolated SocketLoop) throws(MartletError) -> Driver
    ) throws(MartletError) {
        precondition(driver == nil, "a loop has one driver")
        driver = try make(self)
    }

    /// Does something with the driver, on the loop's thread, and calls the driver's `turn` after.
    package func withDriver<Driver: LoopDriver, Result: Sendable>(
        _ type: Driver.Type,
        _ body: @Sendable (Driver, isolated SocketLoop) throws(MartletError) -> Result
    ) throws(MartletError) -> Result {
        guard let driver = driver as? Driver else { throw SocketLoop.closedError }
        return try body(driver, self)
    }

    /// Ends the driver's work.
    package func removeDriver() {
        driver = nil
        driverDeadline = nil
    }

    /// Wakes the loop, so that its driver looks what there is to do. From any thread.
    package nonisolated func notify() { executor.signal.notify() }

    /// A link has queued something. The loop's own thread hands it over before it sleeps.
    nonisolated func noteOutgoing() {
        guard !executor.signal.isNotified, executor.isIsolatingCurrentContext() != true else {
            return
        }
        executor.signal.notify()
    }

    /// The context of the loop's sockets, for a socket that is to be configured first.
    public func openContext() throws(MartletError) -> Context {
        guard let context, case .running = phase else { throw SocketLoop.closedError }
        return context
    }

    /// Does something with a link's socket, on the loop's thread.
    func withHandle<Result>(
        of queues: LinkQueues, _ body: (borrowing SocketHandle) throws(MartletError) -> Result
    ) throws(MartletError) -> Result {
        guard let socket = sockets.first(where: { $0.queues === queues }) else {
            throw MartletError(.closed, "The link is closed. Open a new one.")
        }
        socket.noteUse()
        return try body(socket.handle)
    }

    /// Lets what a link has queued go out until the deadline, then closes its socket.
    func close(_ queues: LinkQueues, drainingFor timeout: Duration) async {
        guard beginDraining(queues, until: clock.now + timeout) else { return }
        await withCheckedContinuation { continuation in
            // A caller on the loop's thread may have had to wait for its turn once more.
            if sockets.contains(where: { $0.queues === queues }) {
                linkCloseWaiters[ObjectIdentifier(queues), default: []].append(continuation)
            } else {
                continuation.resume()
            }
        }
    }

    /// False when the link is closed already. Apart from `close`, so that nothing that waits there
    /// holds on to the socket.
    @discardableResult
    func beginDraining(
        _ queues: LinkQueues, until deadline: ContinuousClock.Instant
    ) -> Bool {
        guard let socket = sockets.first(where: { $0.queues === queues }) else { return false }
        socket.close(by: deadline)
        return true
    }

    // MARK: Timers

    /// Suspends until the instant. Throws `cancelled` with the task and `closed` with the loop.
    public func sleep(until deadline: ContinuousClock.Instant) async throws(MartletError) {
        guard case .running = phase else { throw SocketLoop.closedError }
        let inbox = Inbox<Bool>(bound: 1, byteBound: .max, overflow: .keepAll)
        let token = addTimer(at: deadline) { inbox.push([$0], byteCount: 0) }
        defer { cancelTimer(token) }
        guard try await inbox.take() == [true] else { throw SocketLoop.closedError }
    }

    /// Calls `action(true)` on the loop's thread at the instant, or `action(false)` when the loop
    /// closes before. It must return at once.
    @discardableResult
    func addTimer(
        at deadline: ContinuousClock.Instant, _ action: @escaping @Sendable (Bool) -> Void
    ) -> TimerQueue<@Sendable (Bool) -> Void>.Token {
        timers.add(at: deadline, action)
    }

    /// How many timers have not come up.
    package var timerCount: Int { timers.count }

    /// How often the loop slept although a socket had news: a fault of whoever had used it.
    package internal(set) var untoldCount = 0

    /// How many sockets the loop owns.
    package var socketCount: Int { sockets.count }

    /// Forgets a timer that has not come up.
    func cancelTimer(_ token: TimerQueue<@Sendable (Bool) -> Void>.Token) {
        _ = timers.cancel(token)
    }

    // MARK: The end

    /// Closes the loop: nothing new is accepted, what is queued goes out within the timeout, then
    /// every socket is closed, the loop's own context is ended and the thread joined. Whatever
    /// waits for the loop gets `closed`. Cancelling does not shorten it: choose the timeout.
    public func close(drainingFor timeout: Duration = Limits.drainTimeout) async {
        if case .running = phase {
            removeDriver()
            end = clock.now + timeout
            phase = .draining
            for socket in sockets { socket.close(by: end) }
        }
        await withCheckedContinuation { continuation in
            let hasEnded = ending.withLock { ending in
                if !ending.hasEnded { ending.waiters.append(continuation) }
                return ending.hasEnded
            }
            if hasEnded { continuation.resume() }
        }
        // The thread resumed this as its last act, so that the wait is for its return alone.
        thread.withLock { $0.take()?.join() }
    }

    static let closedError = MartletError(
        .closed, "The loop is closed. Start a new one to open sockets again.")
}
