import Martlet
import MartletTools

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
