internal import MartletDelivery
internal import MartletSockets
import Synchronization

/// Whether the thread that stores watches the loop, or will before it sleeps, so that the loop's
/// thread may store something itself. If the disk stalls then, who watches stands in for it.
final class ErrandWatch: Sendable {
    private let isWatching = Atomic<Bool>(false)
    /// Until when it is worth while to watch, in microseconds: there have been commits of late, and
    /// the last one was quick.
    private let watchUntil = Atomic<UInt64>(0)
    /// The thread that stores was told of something while the loop's had the rounds.
    let isMissed = Atomic<Bool>(false)

    /// Whether the loop's thread may store something. It asks once it has left on its errand.
    var isOn: Bool { isWatching.load(ordering: .sequentiallyConsistent) }

    /// Whether to watch, for the thread that stores: which it does from now on, or no more.
    func isWorthwhile(for loop: SocketLoop) -> Bool {
        let isWorthwhile = NodeClock.now.microseconds < watchUntil.load(ordering: .relaxed)
        isWatching.store(isWorthwhile, ordering: .sequentiallyConsistent)
        if isWorthwhile || loop.errand == nil { return isWorthwhile }
        // It has left just now.
        isWatching.store(true, ordering: .sequentiallyConsistent)
        return true
    }

    /// A commit was begun then, and has ended now, or has failed.
    func noteCommit(since start: MonotonicTime, hasFailed: Bool) {
        let now = NodeClock.now
        let isQuick = !hasFailed && start.duration(to: now) < Limits.errandTime
        watchUntil.store(isQuick ? (now + Limits.errandWatch).microseconds : 0, ordering: .relaxed)
    }

    /// Nobody watches any more.
    func end() { isWatching.store(false, ordering: .sequentiallyConsistent) }
}
