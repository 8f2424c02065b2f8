import Dispatch
import MartletCore
import Synchronization

/// Runs jobs on the loop's thread, or on one that stands in for it, between two looks at the
/// sockets: those of the loop actor, and those of tasks that prefer to be there.
final class LoopExecutor: SerialExecutor {
    private struct Entry {
        let job: UnownedJob
        /// Where a task's job believes to be; nil for the actor's own.
        let tasks: LoopTaskExecutor?
    }

    private struct State {
        var jobs: [Entry] = []
        /// Empty, with memory for the next ones.
        var spare: [Entry] = []
        /// The thread that runs the jobs; nil while none does.
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

    func enqueue(_ job: consuming ExecutorJob) { enqueue(UnownedJob(job), of: nil) }

    /// - Parameter tasks: where the job believes to be; nil if it is the actor's.
    func enqueue(_ job: UnownedJob, of tasks: LoopTaskExecutor?) {
        let entry = Entry(job: job, tasks: tasks)
        let (hasEnded, isOwnThread) = state.withLock { state in
            if !state.hasEnded { state.jobs.append(entry) }
            return (state.hasEnded, state.thread?.isCurrent == true)
        }
        if hasEnded {
            afterlife.async { self.run(entry) }
        } else if !isOwnThread {
            // The thread itself looks for jobs before it sleeps.
            signal.notify()
        }
    }

    /// Whether a job is waiting.
    var hasJobs: Bool { state.withLock { !$0.jobs.isEmpty } }

    /// Runs every job that is waiting. On the loop's thread only.
    func runJobs() {
        // Jobs that these jobs enqueue wait for the next turn: the sockets are looked at between.
        var jobs = state.withLock { state in
            guard !state.jobs.isEmpty else { return [] as [Entry] }
            let jobs = state.jobs
            state.jobs = state.spare
            state.spare = []
            return jobs
        }
        guard !jobs.isEmpty else { return }
        for job in jobs { run(job) }
        jobs.removeAll(keepingCapacity: true)
        state.withLock { $0.spare = jobs }
    }

    private func run(_ entry: Entry) {
        if let tasks = entry.tasks {
            unsafe entry.job.runSynchronously(on: tasks.asUnownedTaskExecutor())
        } else {
            unsafe entry.job.runSynchronously(on: asUnownedSerialExecutor())
        }
    }

    /// Ends the thread's part. Jobs that have come in meanwhile run elsewhere.
    func end() {
        let left = state.withLock { state in
            state.hasEnded = true
            return state.jobs
        }
        for job in left { afterlife.async { self.run(job) } }
    }

    /// The thread that calls runs the jobs from now on.
    func begin() { state.withLock { $0.thread = .current } }

    /// The thread that has run the jobs runs none for a while.
    func pause() { state.withLock { $0.thread = nil } }

    func checkIsolated() {
        precondition(isIsolatingCurrentContext() == true, "not on the loop's thread")
    }

    func isIsolatingCurrentContext() -> Bool? {
        state.withLock { $0.hasEnded ? nil : $0.thread?.isCurrent ?? false }
    }
}
