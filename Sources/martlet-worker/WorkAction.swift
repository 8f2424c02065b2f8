import Martlet
import MartletCommandLine
import MartletTools
import Synchronization

/// What is done with an event.
protocol WorkAction: Sendable {
    func handle(_ event: RecordedEvent, _ delivery: Delivery) async throws
    /// No more events come.
    func end() throws
}

extension WorkAction {
    func end() throws {}
}

enum WorkActions {
    /// The one that the options name.
    static func action(_ arguments: Arguments) throws(CommandFailure) -> any WorkAction {
        let named =
            ["exec", "append"].filter { arguments.value($0) != nil }
            + ["print", "count"].filter { arguments.flag($0) }
        guard named.count == 1 else {
            throw CommandFailure(
                .usage,
                "Say what to do with an event, one thing: --exec COMMAND, --print, --append FILE "
                    + "or --count.")
        }
        guard !arguments.flag("persistent") || arguments.value("exec") != nil else {
            throw CommandFailure(
                .usage, "\(arguments.label("persistent")) goes with a command (`--exec`).")
        }
        // Who only looks makes no file.
        guard !arguments.flag("check") else { return CountAction() }
        if let command = arguments.value("exec") {
            return arguments.flag("persistent") ? ServedAction(command) : CommandAction(command)
        }
        if let file = arguments.value("append") { return try AppendAction(file) }
        return arguments.flag("print") ? PrintAction() : CountAction()
    }
}

/// Counts, which the program does in any case.
struct CountAction: WorkAction {
    func handle(_ event: RecordedEvent, _ delivery: Delivery) {}
}

/// Prints a line for each event.
struct PrintAction: WorkAction {
    func handle(_ event: RecordedEvent, _ delivery: Delivery) {
        var line = EventText.line(event)
        if delivery.attempt > 1 { line += " attempt=\(delivery.attempt)" }
        if delivery.mayBeRepeat { line += " repeat" }
        Output.standard.lines(ofOthers: line)
        Output.standard.flush()
    }
}

/// Appends each event to a file, as a line.
final class AppendAction: WorkAction {
    private let file: AppendedFile
    private let lock = Mutex(())

    init(_ name: String) throws(CommandFailure) { file = try AppendedFile(name) }

    func handle(_ event: RecordedEvent, _ delivery: Delivery) throws {
        let line = try EventText.json(event)
        // A line at a time, whole.
        try lock.withLock { _ in try file.append(line) }
    }
}
