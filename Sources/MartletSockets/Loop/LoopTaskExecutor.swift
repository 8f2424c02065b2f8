/// Runs tasks on the loop's thread: what the loop has for them reaches them without waking another.
///
/// While such a task runs, the loop does nothing else.
public final class LoopTaskExecutor: TaskExecutor {
    private let loop: LoopExecutor

    init(_ loop: LoopExecutor) { self.loop = loop }

    /// Queues a job for the loop's next turn.
    public func enqueue(_ job: consuming ExecutorJob) { loop.enqueue(UnownedJob(job), of: self) }
}
