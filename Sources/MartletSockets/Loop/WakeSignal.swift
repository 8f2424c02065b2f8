import CZeroMQ
import MartletCore
import Synchronization

/// Wakes the loop's thread, at the price of an atomic exchange while it is awake.
///
/// The thread announces that it will sleep, looks once more whether there is work, and sleeps on
/// the descriptor. A call to `notify` in between turns the announcement down; one while it sleeps
/// writes the descriptor, and only the first does.
final class WakeSignal: Sendable {
    private enum State {
        static let awake: UInt8 = 0
        static let asleep: UInt8 = 1
        static let notified: UInt8 = 2
    }

    private let state = Atomic<UInt8>(State.awake)
    // Sound to share: two integers that never change before `deinit`; reads and writes of
    // descriptors are thread-safe.
    private let wakeup: zeromq_wakeup

    init() throws(MartletError) {
        var wakeup = zeromq_wakeup()
        let result = unsafe zeromq_wakeup_open(&wakeup)
        guard result == 0 else { throw MartletError.socket(result, "eventfd") }
        self.wakeup = wakeup
    }

    deinit {
        zeromq_wakeup_close(wakeup)
    }

    /// What the thread polls together with its sockets.
    var descriptor: Int32 { wakeup.read_end }

    /// There is work. From any thread.
    func notify() {
        // A look before the exchange: while the loop is busy, callers only share a cache line.
        if state.load(ordering: .sequentiallyConsistent) == State.notified { return }
        let previous = state.exchange(State.notified, ordering: .sequentiallyConsistent)
        if previous == State.asleep { zeromq_wakeup_set(wakeup) }
    }

    /// Announces sleep. False when there was a notification since the last `wake`: look for work.
    func prepareToSleep() -> Bool {
        state.compareExchange(
            expected: State.awake, desired: State.asleep, ordering: .sequentiallyConsistent
        ).exchanged
    }

    /// Takes note of a notification while awake: whoever calls looks at everything next, and need
    /// not look once more for its sake. Work announced before this is visible after.
    func takeNote() {
        guard isNotified else { return }
        _ = state.compareExchange(
            expected: State.notified, desired: State.awake, ordering: .sequentiallyConsistent)
    }

    /// Whether the thread looks once more before it sleeps, or has been woken.
    var isNotified: Bool { state.load(ordering: .sequentiallyConsistent) == State.notified }

    /// Ends sleep, or takes note of a notification. Work announced before this is visible after.
    func wake(descriptorIsSet: Bool) {
        if descriptorIsSet { zeromq_wakeup_clear(wakeup) }
        state.store(State.awake, ordering: .sequentiallyConsistent)
    }
}
