import Dispatch
import Synchronization

/// Wakes a thread that has nothing to do.
final class ThreadSignal: Sendable {
    private let isRaised = Atomic<Bool>(false)
    private let semaphore = DispatchSemaphore(value: 0)

    /// There is work. From any thread.
    func raise() {
        // While the thread works, callers only share a cache line.
        if isRaised.load(ordering: .sequentiallyConsistent) { return }
        if !isRaised.exchange(true, ordering: .sequentiallyConsistent) { semaphore.signal() }
    }

    /// Waits until there is work, or for so long; false if there was none. What was raised before
    /// this is seen by whoever looks after it.
    @discardableResult
    func wait(atMost duration: Duration) -> Bool {
        let (seconds, attoseconds) = duration.components
        let nanoseconds = Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)
        let result = semaphore.wait(timeout: .now() + .nanoseconds(nanoseconds))
        isRaised.store(false, ordering: .sequentiallyConsistent)
        return result == .success
    }
}
