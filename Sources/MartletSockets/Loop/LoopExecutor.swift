import Dispatch
import MartletCore
import Synchronization

/// Runs the loop actor's jobs on the loop's thread, between two looks at the sockets.
final class LoopExecutor: SerialExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        /// The thread that runs the jobs, once it has begun.
        var thread: DedicatedThread?
        /// The thread has ended: jobs run on `afterlife`.
        var hasEnded = false
    }

    let signal: WakeSignal
    private let state = Lock(State())
    /// Where calls on a closed loop run, so that they get their error instead of waiting for ever.
    private let afterlife = DispatchQueue(label: "martlet-loop-closed")

    init(signal: WakeSignal) {
        self.signal = signal
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let hasEnded = state.withLock { state in
            if !state.hasEnded { state.jobs.append(job) }
            return state.hasEnded
        }
        if hasEnded {
            let executor = unsafe asUnownedSerialExecutor()
            afterlife.async { unsafe job.runSynchronously(on: executor) }
        } else {
            signal.notify()
        }
    }

    /// Runs every job that is waiting. On the loop's thread only.
    func runJobs() {
        // Jobs that these jobs enqueue wait for the next turn: the sockets are looked at between.
        let jobs = state.withLock { state in
            let jobs = state.jobs
            state.jobs = []
            return jobs
        }
        let executor = unsafe asUnownedSerialExecutor()
        for job in jobs { unsafe job.runSynchronously(on: executor) }
    }

    /// Ends the thread's part. False when jobs came in meanwhile: run them first.
    func end() -> Bool {
        state.withLock { state in
            guard state.jobs.isEmpty else { return false }
            state.hasEnded = true
            return true
        }
    }

    /// Names the thread that runs the jobs: the one that calls.
    func beginOnCurrentThread() {
        state.withLock { $0.thread = .current }
    }

    func checkIsolated() {
        precondition(isIsolatingCurrentContext() == true, "not on the loop's thread")
    }

    func isIsolatingCurrentContext() -> Bool? {
        state.withLock { $0.hasEnded ? nil : $0.thread?.isCurrent }
    }
}
