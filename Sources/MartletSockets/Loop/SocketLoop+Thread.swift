import CZeroMQ
import MartletCore
import Synchronization

/// What the loop does, a turn at a time.
extension SocketLoop {
    /// A driver that wants to be called so soon is waited for without being woken.
    private static let napMax = Duration.microseconds(50)

    nonisolated func runThread() {
        zeromq_thread_sleep_exactly()
        while let errand = nextErrand() { run(errand) }
        executor.end()
        // Jobs go elsewhere from here on, and the actor's find it closed.
        let waiters = ending.withLock { ending in
            ending.hasEnded = true
            return ending.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// A step of the loop, until it would go on an errand.
    func step(mayLeave: Bool) -> Step {
        let step = baton.withLock { _ -> Step in
            // What has come goes first to those who wait for it, without a system call between.
            driver?.deliver(on: self)
            executor.runJobs()
            let isIdle = isIdle && mayLeave && !executor.hasJobs
            if let errand = driver?.serve(isIdle: isIdle, on: self) {
                return .errand(errand)
            }
            return turn().map { .nap($0) } ?? .closed
        }
        isIdle = false
        return step
    }

    /// Waits for news, and takes in what has come.
    func sleep(atMost nap: Duration) {
        descriptors.wait(atMost: nap)
        isIdle = nap > .zero
        baton.withLock { _ in wake(hasSlept: nap > .zero) }
    }

    /// One round: timers, the driver, outgoing. How long to wait then for whatever happens next;
    /// nil once everything is closed.
    private func turn() -> Duration? {
        if case .closed = phase { return nil }
        executor.signal.takeNote()
        fireTimers()
        driverDeadline = driver?.turn(on: self)
        var isBusy = false
        for socket in sockets where !socket.flush() { isBusy = true }
        closeDrainedSockets()
        if case .draining = phase, sockets.isEmpty { finish() }
        if case .closed = phase { return nil }
        return prepareToWait(isBusy: isBusy)
    }

    private func prepareToWait(isBusy: Bool) -> Duration {
        noteIdleSockets()
        var isReady = isBusy || executor.hasJobs
        descriptors.removeAll()
        descriptors.add(executor.signal.descriptor)
        for socket in sockets {
            descriptors.add(socket.descriptor)
            if socket.isReady() { isReady = true }
        }
        let time = isReady ? .zero : timeToSleep()
        // A nap is too short for anybody to end it.
        let canSleep = !isReady && (time <= SocketLoop.napMax || executor.signal.prepareToSleep())
        return canSleep ? time : .zero
    }

    /// Takes in what has come.
    private func wake(hasSlept: Bool) {
        executor.signal.wake(descriptorIsSet: descriptors.isReadable(0))
        let isUntold = hasSlept && !descriptors.hasReadable
        for (index, socket) in sockets.enumerated() {
            guard descriptors.isReadable(index + 1) || socket.isReady() else { continue }
            if isUntold { untoldCount += 1 }
            socket.serve()
        }
        if sockets.contains(where: \.isOver) { abandonSockets() }
    }

    /// libzmq does some of its work, such as letting go of peers that have gone, only when a socket
    /// is used.
    private func noteIdleSockets() {
        let now = clock.now
        guard now >= nextLook else { return }
        nextLook = now + Limits.loopIdleInterval
        for socket in sockets { socket.noteUse() }
    }

    /// The context was shut down by its owner: its sockets can do nothing more.
    private func abandonSockets() {
        for socket in sockets { socket.close(by: clock.now) }
    }

    private func timeToSleep() -> Duration {
        let now = clock.now
        var deadline = nextLook
        if let earliest = timers.earliest { deadline = min(deadline, earliest) }
        if let driverDeadline { deadline = min(deadline, driverDeadline) }
        for socket in sockets where socket.isClosing { deadline = min(deadline, socket.deadline) }
        return max(.zero, deadline - now)
    }

    private func fireTimers() {
        guard timers.count > 0 else { return }
        let now = clock.now
        while let action = timers.popDue(at: now) { action(true) }
    }

    private func closeDrainedSockets() {
        guard sockets.contains(where: { $0.isClosing }) else { return }
        let now = clock.now
        var closed: [LoopSocket] = []
        sockets.removeAll { socket in
            guard socket.isClosing, socket.isDrained || socket.deadline <= now else {
                return false
            }
            // What libzmq still has queued may take the rest of the time.
            socket.returnUnsent()
            let linger = max(0, (socket.deadline - now).milliseconds(rounded: .up))
            _ = socket.handle.set(ZMQ_LINGER, to: Int32(linger))
            closed.append(socket)
            return true
        }
        for socket in closed {
            socket.queues.returned.close()
            let waiters = linkCloseWaiters.removeValue(forKey: ObjectIdentifier(socket.queues))
            for waiter in waiters ?? [] { waiter.resume() }
        }
    }

    private func finish() {
        phase = .closed
        // Ends when the sockets' linger is over, which is at the deadline, unless links were closed
        // with a later one before: they do not hold this up.
        if ownsContext {
            context?.end(waitingAtMost: max(.zero, end - clock.now) + Limits.terminationGrace)
        }
        context = nil
        for action in timers.removeAll() { action(false) }
    }
}
