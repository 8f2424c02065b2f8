import Dispatch
import Martlet
import MartletTools
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Runs a command for each event, by the shell.
final class CommandAction: WorkAction {
    private let command: String

    /// The status with which a command asks for another attempt, sysexits' EX_TEMPFAIL.
    private static let retryStatus: Int32 = 75

    init(_ command: String) {
        self.command = command
        // Who reads nothing of its event must not end this program.
        signal(SIGPIPE, SIG_IGN)
    }

    func handle(_ event: RecordedEvent, _ delivery: Delivery) async throws {
        let process = ChildProcess(
            command, input: try EventText.json(event),
            environment: [
                "MARTLET_TOPIC": event.topic.text, "MARTLET_ID": delivery.id,
                "MARTLET_KEY": delivery.key ?? "", "MARTLET_ATTEMPT": "\(delivery.attempt)",
                "MARTLET_REPEAT": delivery.mayBeRepeat ? "1" : "0",
                "MARTLET_FENCE": "\(delivery.fence)",
            ])
        let status = await process.run()
        if Task.isCancelled { throw MartletError(.timedOut, "`\(command)` took too long.") }
        switch status {
        case .exited(0): return
        case .exited(CommandAction.retryStatus):
            throw MartletError(.failed, "`\(command)` asks for another attempt.")
        case .exited(let status): throw Rejection("`\(command)` ended with status \(status).")
        case .killed(let signal):
            throw MartletError(.failed, "`\(command)` was ended by signal \(signal).")
        case .notStarted(let why):
            throw MartletError(.failed, "`\(command)` cannot be started: \(why)")
        }
    }
}

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
    /// One is started at a time: a pipe must not be left to another.
    private static let starting = Mutex(())

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
                if let id = state.id { kill(id, SIGKILL) }
            }
        }
    }

    private func wait() -> Ending {
        let writing: Int32
        switch ChildProcess.starting.withLock({ _ in start() }) {
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
        var pipes: [Int32] = [-1, -1]
        guard unsafe pipe(&pipes) == 0 else {
            return .failure(Failure(ending: .notStarted(Self.why)))
        }
        let (reading, writing) = (pipes[0], pipes[1])
        defer { close(reading) }
        for descriptor in pipes { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
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
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_adddup2(&actions, standardInput, 0)
        var id: pid_t = 0
        var arguments = unsafe [UnsafeMutablePointer<CChar>?]()
        for text in ["/bin/sh", "-c", command] { unsafe arguments.append(strdup(text)) }
        unsafe arguments.append(nil)
        var variables = unsafe [UnsafeMutablePointer<CChar>?]()
        for (name, value) in environment { unsafe variables.append(strdup("\(name)=\(value)")) }
        var place = unsafe environ
        while let variable = unsafe place.pointee {
            unsafe variables.append(strdup(variable))
            unsafe place += 1
        }
        unsafe variables.append(nil)
        defer {
            unsafe arguments.forEach { unsafe free($0) }
            unsafe variables.forEach { unsafe free($0) }
        }
        let error = unsafe posix_spawn(
            &id, "/bin/sh", &actions, nil, arguments, variables)
        return (id, error)
    }

    /// Writes the event. A command that does not read it has had it all the same.
    private func feed(_ descriptor: Int32) {
        unsafe input.withUnsafeBytes { bytes in
            var rest = unsafe bytes[...]
            while unsafe !rest.isEmpty {
                let piece = unsafe UnsafeRawBufferPointer(rebasing: rest)
                let count = unsafe write(descriptor, piece.baseAddress, piece.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return }
                unsafe rest = rest.dropFirst(count)
            }
        }
    }

    private static var why: String { unsafe String(cString: strerror(errno)) }
}
