internal import MartletDelivery
internal import MartletSockets
import Synchronization

/// The thread that stores, and the loop's when it does so itself.
extension StorageWriter {
    /// Stores until the end.
    func runThread(_ core: PublishingCore?) {
        rounds.withLock { $0 = StoringRounds(self, core) }
        var absence = LoopAbsence(core?.loop)
        var isOver = false
        while !isOver {
            switch nextRound() {
            case .stored: continue
            case .nothing(let pause): rest(atMost: pause, &absence)
            case .failed(let error): isOver = !waitToTryAgain(error)
            case .over: isOver = true
            }
        }
        watch.end()
        rounds.withLock { $0 = nil }
        for (_, buffer) in state.withLock({ $0.streams }) { buffer.receipts?.close() }
        try? storage.close()
    }

    /// A round, unless the loop's thread has one, which tells when it is done.
    private func nextRound() -> StoringRounds.Outcome {
        if let outcome = tryRound() { return outcome }
        watch.isMissed.store(true, ordering: .sequentiallyConsistent)
        guard let outcome = tryRound() else { return .nothing(Limits.retentionInterval) }
        watch.isMissed.store(false, ordering: .sequentiallyConsistent)
        return outcome
    }

    private func tryRound() -> StoringRounds.Outcome? {
        rounds.withLockIfAvailable { rounds in rounds?.next() ?? .over }
    }

    /// Lets the pause pass, in which nobody waits for the disk. False at the end.
    private func waitToTryAgain(_ error: MartletError) -> Bool {
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
            for flush in flushes { flush.resume(returning: error) }
        }
        return true
    }

    /// Waits until there is something to do, or for so long; meanwhile, if there have been commits
    /// of late and the disk is quick, the loop may store what comes, and is watched.
    private func rest(atMost pause: Duration, _ absence: inout LoopAbsence) {
        let due = NodeClock.now + pause
        while let loop = absence.loop, watch.isWorthwhile(for: loop), NodeClock.now < due {
            let time = min(Limits.errandPatience, NodeClock.now.duration(to: due))
            let isRaised = signal.wait(atMost: time)
            // Also when there is something to store: it waits for the disk, and the loop must not.
            absence.standInIfLong()
            if isRaised { return }
        }
        signal.wait(atMost: NodeClock.now.duration(to: due))
    }

    // MARK: The loop's thread

    /// Whether what has been submitted is stored by the loop's thread. If not, the thread that
    /// stores is told of it.
    func takesErrand(isIdle: Bool) -> Bool {
        switch submissions.takeNews() {
        case .nothing: return false
        case .little where isIdle && watch.isOn: return true
        case .little, .much:
            signal.raise()
            return false
        }
    }

    /// Stores what was submitted, on the loop's thread.
    func runErrand() {
        let isDone = rounds.withLockIfAvailable { rounds in
            watch.isOn && rounds?.nextOnLoop() == true
        }
        let isMissed = watch.isMissed.exchange(false, ordering: .sequentiallyConsistent)
        if isDone != true || isMissed { signal.raise() }
    }
}
