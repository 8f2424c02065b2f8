import Dispatch
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A process of the shell, which a thread of its own waits for.
final class ChildProcess: Sendable {
    enum Ending: Sendable {
        case exited(Int32)
        case killed(Int32)
        case notStarted(String)
    }

    private struct State {
        var id: pid_t?
        var isCancelled = false
    }

    private let command: String
    private let input: [UInt8]
    private let environment: [String: String]
    private let state = Mutex(State())
    init(_ command: String, input: [UInt8], environment: [String: String]) {
        self.command = command
        self.input = input
        self.environment = environment
    }

    /// Runs it to its end. Cancelling kills it.
    func run() async -> Ending {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                DispatchQueue.global().async { [self] in continuation.resume(returning: wait()) }
            }
        } onCancel: {
            state.withLock { state in
                state.isCancelled = true
                if let id = state.id { Shell.kill(id) }
            }
        }
    }

    private func wait() -> Ending {
        let writing: Int32
        switch Shell.starting.withLock({ _ in start() }) {
        case .success(let descriptor): writing = descriptor
        case .failure(let failure): return failure.ending
        }
        feed(writing)
        close(writing)
        var status: Int32 = 0
        let id = state.withLock { $0.id ?? -1 }
        while unsafe waitpid(id, &status, 0) < 0, errno == EINTR {}
        state.withLock { $0.id = nil }
        let signal = status & 0x7F
        return signal == 0 ? .exited((status >> 8) & 0xFF) : .killed(signal)
    }

    private struct Failure: Error { let ending: Ending }

    /// Starts it, and returns where its input is written.
    private func start() -> Result<Int32, Failure> {
        guard let (reading, writing) = Shell.pipe() else {
            return .failure(Failure(ending: .notStarted(Shell.why)))
        }
        defer { close(reading) }
        let ending = state.withLock { state -> Ending? in
            guard !state.isCancelled else { return .killed(SIGKILL) }
            let (id, error) = spawn(standardInput: reading)
            guard error == 0 else {
                return .notStarted(unsafe String(cString: strerror(error)))
            }
            state.id = id
            return nil
        }
        guard let ending else { return .success(writing) }
        close(writing)
        return .failure(Failure(ending: ending))
    }

    private func spawn(standardInput: Int32) -> (pid_t, Int32) {
        Shell.spawn(command, standardInput: standardInput, environment: environment)
    }

    /// Writes the event. A command that does not read it has had it all the same.
    private func feed(_ descriptor: Int32) {
        _ = Shell.write(input, to: descriptor)
    }
}
