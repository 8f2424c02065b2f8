import MartletCore
import Synchronization

/// Something that takes a moment, such as a write to a disk, and that the loop's thread does itself
/// while there is nothing else to do, so that no other thread must wake for it.
package protocol LoopErrand: Sendable {
    /// Does it. The thread has left the loop meanwhile: the sockets are lent as if it slept.
    func run()
}

/// The loop without its thread.
///
/// Whoever gives the loop an errand watches it: when the thread is away for too long, because a
/// disk stalls, who watches stands in for it until it is back. So whatever has come together with
/// the errand waits for as long as that takes, and no longer than the watch does. The other way
/// round, who stands in is held up by what tasks do on the loop's thread, as the loop itself is.
extension SocketLoop {
    /// What a step of the loop comes to.
    enum Step {
        /// There is something that its thread does itself.
        case errand(any LoopErrand)
        /// It may sleep for so long.
        case nap(Duration)
        case closed
    }

    /// The errand that the loop's thread is on, by its number; nil while it is in its place.
    package nonisolated var errand: UInt64? {
        let count = errandCount.load(ordering: .sequentiallyConsistent)
        return count.isMultiple(of: 2) ? nil : count
    }

    /// Runs the loop on the thread that calls, for as long as its own is on this errand.
    package nonisolated func standIn(during errand: UInt64) {
        _ = seat.withLockIfAvailable { _ in
            // While it is away and its seat taken, the loop cannot end.
            guard self.errand == errand else { return }
            isolated { loop in loop.runUntilBack(from: errand) }
        }
    }

    /// Runs until there is an errand; nil once everything is closed.
    nonisolated func nextErrand() -> (any LoopErrand)? {
        seat.withLock { _ in isolated { loop in loop.runUntilErrand() } }
    }

    /// Does an errand, and comes back.
    nonisolated func run(_ errand: any LoopErrand) {
        errandCount.add(1, ordering: .sequentiallyConsistent)
        errand.run()
        errandCount.add(1, ordering: .sequentiallyConsistent)
        // Whoever stands in looks at the count before it sleeps.
        if seat.withLockIfAvailable({ _ in true }) == nil { executor.signal.notify() }
    }

    /// The thread that calls is the loop's while `body` runs. It holds the seat.
    private nonisolated func isolated<Result: Sendable>(
        _ body: (isolated SocketLoop) -> Result
    ) -> Result {
        executor.begin()
        defer { executor.pause() }
        return assumeIsolated(body)
    }

    private func runUntilErrand() -> (any LoopErrand)? {
        while true {
            switch step(mayLeave: true) {
            case .errand(let errand): return errand
            case .nap(let time): sleep(atMost: time)
            case .closed: return nil
            }
        }
    }

    private func runUntilBack(from errand: UInt64) {
        while self.errand == errand {
            switch step(mayLeave: false) {
            case .errand: preconditionFailure("who stands in goes on no errands")
            case .nap(let time) where self.errand == errand: sleep(atMost: time)
            case .nap, .closed: return
            }
        }
    }
}
