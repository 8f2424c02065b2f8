import Martlet
import MartletCommandLine
import MartletTools

/// Dead letters for people.
enum LetterText {
    static func show(_ letters: [LetterReport]) {
        var table = TextTable([
            "NUMBER", "TIME", "GROUP", "REASON", "TRIED", "TOPIC", "KEY", "TEXT",
        ])
        for letter in letters {
            table.add([
                "\(letter.number)", time(letter.time), letter.group, letter.reason.rawValue,
                "\(letter.attempts)", letter.topic, letter.key ?? "-", short(letter.text),
            ])
        }
        for line in table.lines { Output.standard.lines(ofOthers: line) }
    }

    static func show(_ letter: LetterReport) {
        let output = Output.standard
        let channel = "\(letter.channel.stream) lane \(letter.channel.lane)"
        output.lines(
            ofOthers: "\(letter.number): \(letter.group) gave up event \(letter.sequence) of "
                + "\(channel), \(letter.reason.rawValue), \(time(letter.time))")
        output.lines(ofOthers: "  topic: \(letter.topic)")
        if let key = letter.key { output.lines(ofOthers: "  key: \(key)") }
        output.lines(ofOthers: "  attempts: \(letter.attempts)")
        for attempt in letter.history {
            output.lines(
                ofOthers: "    \(time(attempt.time)) \(attempt.worker): \(attempt.text)")
        }
        output.lines(ofOthers: "  event: \(letter.event ?? "too large for a copy")")
    }

    private static func time(_ time: Timestamp) -> String {
        String("\(time)".replacing("T", with: " ").prefix(19))
    }

    private static func short(_ text: String) -> String {
        text.count > 60 ? String(text.prefix(59)) + "…" : text
    }

    /// What is in a file, or comes from standard input.
    static func payload(_ name: String) throws(CommandFailure) -> Bytes {
        var bytes = try LineReader.contents(of: name, byteCountMax: Limits.encodedBytesMax)
        // `echo` and editors end a line that belongs to nothing.
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        return Bytes(bytes)
    }
}

/// Lets letters be tried again, so many a second.
struct LetterRetry {
    private let control: NodeControl
    private let rate: Int?

    init(_ control: NodeControl, rate: Int?) {
        self.control = control
        self.rate = rate
    }

    func run(_ selection: LetterSelection) async throws -> LetterCount {
        guard let rate else { return try await control.retryDeadLetters(selection) }
        var count = LetterCount()
        // Those that are open now: what fails again is not tried again by this call.
        var left = try await control.deadLetters(selection).map(\.number)[...]
        let batch = max(1, rate / 10)
        var due = ContinuousClock.now
        while !left.isEmpty {
            let some = Array(left.prefix(batch))
            left = left.dropFirst(batch)
            let own = try await control.retryDeadLetters(LetterSelection(numbers: some))
            count.done += own.done
            count.notDone += own.notDone
            due += .seconds(1) * batch / rate
            if !left.isEmpty { try await Task.sleep(until: due) }
        }
        return count
    }
}
