import Dispatch
import Martlet
import MartletTools
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Gives events to commands that go on running: a line of JSON for each, and a line with a verdict
/// back. There are as many of them as events are handled at once.
final class ServedAction: WorkAction {
    private let command: String
    private let free = Mutex<[LineProcess]>([])

    init(_ command: String) {
        self.command = command
        // A command that ends must not end this program.
        signal(SIGPIPE, SIG_IGN)
    }

    func handle(_ event: RecordedEvent, _ delivery: Delivery) async throws {
        let line = try ServedAction.line(of: event, delivery)
        var known = free.withLock { $0.popLast() }
        // What a command has said unasked would be taken for its next answer.
        if known?.isSilent == false { known = nil }
        let process = try known ?? LineProcess(command)
        guard let answer = await process.exchange(line) else {
            if Task.isCancelled { throw MartletError(.timedOut, "`\(command)` took too long.") }
            throw MartletError(.failed, "`\(command)` ended before it had answered.")
        }
        let words = answer.split(separator: " ", maxSplits: 1)
        let reason = words.count > 1 ? String(words[1]) : "`\(command)` says \(answer)"
        let isVerdict = ["ack", "retry", "reject"].contains(words.first)
        if isVerdict, process.isSilent, !Task.isCancelled {
            free.withLock { $0.append(process) }
        }
        switch words.first {
        case "ack": return
        case "retry": throw MartletError(.failed, reason)
        case "reject": throw Rejection(reason)
        default:
            throw Rejection(
                "`\(command)` has answered `\(answer.prefix(80))`, which is none of ack, retry and "
                    + "reject.")
        }
    }

    func end() throws { free.withLock { $0 = [] } }

    /// The event in the JSON format of CloudEvents, with what else there is to know of it.
    private static func line(
        of event: RecordedEvent, _ delivery: Delivery
    ) throws(MartletError) -> [UInt8] {
        var cloudEvent = try event.cloudEvent()
        var attributes = cloudEvent.attributes
        try attributes.set("attempt", to: .integer(Int32(clamping: delivery.attempt)))
        try attributes.set("repeat", to: .boolean(delivery.mayBeRepeat))
        try attributes.set("fence", to: .string("\(delivery.fence)"))
        cloudEvent = try cloudEvent.with(attributes)
        return try CloudEventsJSON.encode(cloudEvent).array() + [UInt8(ascii: "\n")]
    }
}

/// A command of the shell that answers each line with another one.
final class LineProcess: Sendable {
    private let id: pid_t
    private let input: Int32
    private let output: Int32
    private let queue = DispatchQueue(label: "martlet-worker-command")
    /// What was read behind the last answer.
    private let rest = Mutex<[UInt8]>([])

    private static let answerBytesMax = 64 * 1_024

    init(_ command: String) throws(MartletError) {
        let started = Shell.starting.withLock { _ -> (pid_t, Int32, Int32)? in
            guard let questions = Shell.pipe() else { return nil }
            guard let answers = Shell.pipe() else {
                close(questions.reading)
                close(questions.writing)
                return nil
            }
            let (id, error) = Shell.spawn(
                command, standardInput: questions.reading, standardOutput: answers.writing)
            close(questions.reading)
            close(answers.writing)
            guard error == 0 else {
                close(questions.writing)
                close(answers.reading)
                errno = error
                return nil
            }
            return (id, questions.writing, answers.reading)
        }
        guard let started else {
            throw MartletError(.failed, "`\(command)` cannot be started: \(Shell.why)")
        }
        (id, input, output) = started
    }

    /// Nobody gives it anything more.
    deinit {
        close(input)
        close(output)
        Shell.kill(id)
        let id = id
        DispatchQueue.global().async {
            var status: Int32 = 0
            while unsafe waitpid(id, &status, 0) < 0, errno == EINTR {}
        }
    }

    /// Writes a line, and returns the one that comes back; nil if the command has ended. Cancelling
    /// kills it.
    func exchange(_ line: [UInt8]) async -> String? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                queue.async { [self] in
                    continuation.resume(
                        returning: Shell.write(line, to: input) ? readLine() : nil)
                }
            }
        } onCancel: {
            Shell.kill(id)
        }
    }

    /// Whether it has said nothing that nobody has asked for.
    var isSilent: Bool {
        var state = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
        let count = unsafe poll(&state, 1, 0)
        return count == 0 && rest.withLock { $0.isEmpty }
    }

    private func readLine() -> String? {
        rest.withLock { rest in
            while true {
                if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    defer { rest.removeSubrange(...end) }
                    return String(decoding: rest[..<end], as: UTF8.self)
                }
                guard rest.count < LineProcess.answerBytesMax else { return nil }
                var chunk = [UInt8](repeating: 0, count: 4_096)
                let count = unsafe chunk.withUnsafeMutableBytes { chunk in
                    unsafe read(output, chunk.baseAddress, chunk.count)
                }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return nil }
                rest += chunk[..<count]
            }
        }
    }
}
