import Dispatch
internal import MartletCore
internal import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Runs what takes its time, until it is done or told to stop.
public enum Service {
    /// Runs `body` on Swift's pool while the calling thread waits.
    ///
    /// SIGINT and SIGTERM cancel it, so that it can end in order; a second one ends the program at
    /// once, with 128 and the signal's number, as the shell has it.
    public static func run(
        _ body: @escaping @Sendable () async throws -> ExitStatus
    ) throws(CommandFailure) -> ExitStatus {
        let outcome = Mutex<Result<ExitStatus, any Error>?>(nil)
        let isDone = DispatchSemaphore(value: 0)
        let task = Task {
            let result: Result<ExitStatus, any Error>
            do { result = .success(try await body()) } catch { result = .failure(error) }
            outcome.withLock { $0 = result }
            isDone.signal()
        }
        let sources = [SIGINT, SIGTERM].map { source(for: $0, task) }
        isDone.wait()
        for source in sources { source.cancel() }
        switch outcome.withLock({ $0 }) {
        case .success(let status)?: return status
        case .failure(let failure as CommandFailure)?: throw failure
        case .failure(let error)?: throw CommandFailure(.unavailable, "\(error)")
        case nil: return .success
        }
    }

    /// Runs `body` until it ends or is cancelled, which is how a signal reaches it and no failure.
    /// False if it was cancelled.
    @discardableResult
    public static func untilStopped(_ body: () async throws -> Void) async throws -> Bool {
        do {
            try await body()
            return true
        } catch let error as MartletError where error.code == .cancelled {
            return false
        } catch is CancellationError {
            return false
        }
    }

    private static func source(
        for number: Int32, _ task: Task<Void, Never>
    ) -> any DispatchSourceSignal {
        signal(number, SIG_IGN)
        let queue = DispatchQueue.global()
        let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        source.setEventHandler {
            guard !task.isCancelled else { exit(128 + number) }
            task.cancel()
        }
        source.resume()
        return source
    }
}
