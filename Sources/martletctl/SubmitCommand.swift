import Martlet
import MartletCommandLine
import MartletTools

/// `martletctl submit`: events to a node that stores them, each once.
enum SubmitCommand {
    static let command = Command(
        "submit", "submits events to a node that stores them",
        details: [
            "It hands events to the durable streams of a node, and ends when they are on its disk. "
                + "A line of the file, or of standard input, is an event in the JSON format of "
                + "CloudEvents; with --topic it is the payload of an event on that topic.",
            "The node knows the producer by its name, and stores each of its events once, though "
                + "the connection breaks or the node starts anew. With --resume the input is taken "
                + "to be what was submitted under this name before, and perhaps more: what is "
                + "stored is passed by. An import that was stopped is started again so, and "
                + "nothing is stored twice. With --follow it stays and submits what is added; the "
                + "file must grow and never be replaced.",
            "Of two programs of one name that run at the same time, the later one goes on and the "
                + "other ends.",
            "Exit status: 0 all is stored, 64 the command line is wrong, 65 something was no event "
                + "and was left out, 66 the file cannot be read, 69 the node cannot be had, or "
                + "not all is known to be stored.",
        ],
        operands: .init("[FILE]", 0...1, "The file; standard input without."),
        options: [
            .value(
                "to", "ENDPOINT", nil, standard: "\(NodeOptions.usualEndpoint)", "The node."),
            .value("producer", "NAME", nil, "What the node knows the producer by."),
            .flag("resume", nil, "Pass by what is stored already."),
            .flag("follow", "f", "Go on with what is added to the file, until SIGTERM."),
            .value("topic", "TOPIC", "t", "Lines are payloads of events on this topic."),
            EventKeys.option,
            .value("timeout", "SECONDS", nil, "Wait so long for the node; 30 without it."),
            .flag("quiet", "q", "Show no progress, and say nothing at the end."),
        ],
        examples: [
            .init(
                "martletctl submit --producer import-7 --resume orders.ndjson",
                "A file, which may be begun again"),
            .init(
                "martletctl submit --producer inbox --resume --follow inbox.ndjson",
                "A file that grows; start it again whenever it ends"),
            .init(
                #"echo '{"id": "A-17"}' | martletctl submit --producer web -t orders.placed"#,
                "One event"),
        ]
    ) { (arguments) throws(CommandFailure) in
        try Submitting(arguments).run()
    }
}

/// From a command line to events that are stored.
private struct Submitting: Sendable {
    private let node: Endpoint
    private let producer: String
    private let file: String
    private let resumes: Bool
    private let follows: Bool
    private let topic: Topic?
    private let keys: EventKeys
    private let timeout: Duration
    private let isQuiet: Bool

    init(_ arguments: Arguments) throws(CommandFailure) {
        let text = try arguments.required("to")
        node = try arguments.parsed("to", text) { (text) throws(MartletError) in
            try Endpoint(text)
        }
        producer = try arguments.required("producer")
        file = arguments.operands.first ?? "-"
        resumes = arguments.flag("resume")
        follows = arguments.flag("follow")
        guard !follows || file != "-" else {
            throw CommandFailure(.usage, "`--follow` goes with a file.")
        }
        var topic: Topic?
        if let text = arguments.value("topic") {
            topic = try arguments.parsed("topic", text) { (text) throws(MartletError) in
                try Topic(text)
            }
        }
        self.topic = topic
        keys = try EventKeys(arguments)
        timeout = .seconds(try arguments.integer("timeout", in: 1...86_400) ?? 30)
        isQuiet = arguments.flag("quiet")
    }

    func run() throws(CommandFailure) -> ExitStatus {
        let progress = EventProgress("submitted", isShown: !isQuiet && Terminal.isErrorsOne)
        return try Service.run {
            do { return try await submit(progress) } catch let error as MartletError {
                // Only what the command line says can be wrong in itself.
                let isUsage = error.code == .invalidArgument
                throw CommandFailure(isUsage ? .usage : .unavailable, error.message)
            }
        }
    }

    private func submit(_ progress: EventProgress) async throws -> ExitStatus {
        let (isWhole, passed) = try await withProducer(
            named: producer, at: node, timeout: timeout
        ) { producer in
            let stored = resumes ? producer.next - 1 : 0
            return try await progress.whileShown {
                let isWhole = try await Service.untilStopped {
                    try await submit(to: producer, behind: stored, progress)
                }
                // Also after a signal: what was submitted is told.
                try await Task { try await producer.flush() }.value
                return (isWhole, stored)
            }
        }
        if !isQuiet {
            let before = passed > 0 ? ", \(Rate.grouped(passed)) were stored before" : ""
            Output.errors.line(
                progress.summary + before + (isWhole || follows ? "" : "; it was stopped"))
            Output.errors.flush()
        }
        guard isWhole || follows else { return .unavailable }
        return progress.refused == 0 ? .success : .badData
    }

    private func submit(
        to producer: Producer, behind stored: UInt64, _ progress: EventProgress
    ) async throws {
        let lines = LineFeed(file, lineBytesMax: EventLines.lineBytesMax, follows: follows)
        var events: UInt64 = 0
        while let items = await lines.next() {
            for item in items {
                guard case .line(let line, let number) = item else {
                    if case .failure(let failure) = item { throw failure }
                    continue
                }
                let event: LineEvent?
                do throws(MartletError) { event = try self.event(line) } catch {
                    try progress.refuse("\(file):\(number)", error)
                    continue
                }
                guard let event else { continue }
                events += 1
                guard events > stored else { continue }
                try await submit(event, to: producer, number)
                progress.add()
            }
        }
        try Task.checkCancellation()
    }

    private enum LineEvent {
        case whole(CloudEvent)
        case payload(Bytes, EventDefinition, key: String?)
    }

    /// Nil for an empty line.
    private func event(_ line: LineReader.Line) throws(MartletError) -> LineEvent? {
        guard case .bytes(let bytes) = line else { throw EventLines.tooLong }
        guard bytes.contains(where: { $0 > 0x20 }) else { return nil }
        guard let topic else { return .whole(try keys.keyed(EventLines.event(bytes).get())) }
        let payload = Bytes(bytes)
        return .payload(
            payload, try EventDefinition(topic: topic, contentType: .json),
            key: try keys.key(of: payload, on: topic))
    }

    /// An event that cannot be submitted ends it: the numbers of those behind would be others the
    /// next time.
    private func submit(_ event: LineEvent, to producer: Producer, _ number: Int) async throws {
        do throws(MartletError) {
            switch event {
            case .whole(let event): try await producer.submit(event, until: .queued)
            case .payload(let payload, let definition, let key):
                try await producer.submit(payload, as: definition, key: key, until: .queued)
            }
        } catch {
            guard error.code != .cancelled else { throw error }
            let status = error.code == .messageTooLarge || error.code == .invalidArgument
            throw CommandFailure(
                status ? .badData : .unavailable,
                "\(file):\(number): \(error.message) It was not submitted, nor what comes behind.")
        }
    }
}
