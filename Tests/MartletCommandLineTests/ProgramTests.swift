import Foundation
import Testing

/// The programs `martlet-publisher` and `martletctl tail` as users run them, beside each other.
@Suite(.timeLimit(.minutes(5)), .serialized) struct ProgramTests {
    /// A program that runs. What waits for its end gives the thread away meanwhile.
    final class Running {
        private let process = Process()
        private let input = Pipe()
        private let output = FileManager.default.temporaryDirectory
            .appendingPathComponent(UUID().uuidString)
        private let errors = FileManager.default.temporaryDirectory
            .appendingPathComponent(UUID().uuidString)
        private let ends: AsyncStream<Void>

        convenience init(_ name: String, _ arguments: String...) throws {
            try self.init(name, arguments)
        }

        init(_ name: String, _ arguments: [String]) throws {
            let (ends, end) = AsyncStream.makeStream(of: Void.self)
            self.ends = ends
            process.executableURL = ControlTests.program.deletingLastPathComponent()
                .appendingPathComponent(name)
            process.arguments = arguments
            for file in [output, errors] { try Data().write(to: file) }
            process.standardOutput = try FileHandle(forWritingTo: output)
            process.standardError = try FileHandle(forWritingTo: errors)
            process.standardInput = input
            process.terminationHandler = { _ in end.finish() }
            try process.run()
        }

        deinit {
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
            for file in [output, errors] { try? FileManager.default.removeItem(at: file) }
        }

        /// Less than a pipe holds.
        func write(_ text: String) throws {
            try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
        }

        func closeInput() throws { try input.fileHandleForWriting.close() }

        func terminate() { process.terminate() }

        /// What it has written once it has ended. The test's time limit cancels the wait.
        func ended() async throws -> ControlTests.Outcome {
            for await _ in ends {}
            try Task.checkCancellation()
            return ControlTests.Outcome(
                status: process.terminationStatus,
                output: try String(contentsOf: output, encoding: .utf8),
                errors: try String(contentsOf: errors, encoding: .utf8))
        }
    }

    static func endpoint() -> String { "ipc:///tmp/martlet-program-\(UUID().uuidString)" }

    @Test func linesArePayloadsOfATopic() async throws {
        let endpoint = Self.endpoint()
        let publisher = try Running(
            "martlet-publisher", "--listen", endpoint, "--topic", "orders.placed", "--key",
            "data.customer", "--wait-for", "1")
        let tail = try Running(
            "martletctl", "tail", "orders.>", "-p", endpoint, "-n", "2", "--json")
        try publisher.write("{\"customer\": \"c-1\"}\n\nno json\n{\"customer\": \"c-2\"}\n")
        try publisher.closeInput()
        let shown = try await tail.ended()
        #expect(shown.status == 0)
        #expect(shown.lines.count == 2)
        for customer in ["c-1", "c-2"] {
            #expect(shown.output.contains("\"partitionkey\":\"\(customer)\""))
        }
        #expect(shown.errors.contains("2 events shown"))
        let published = try await publisher.ended()
        #expect(published.status == 65)
        #expect(published.errors.contains("-:3: "))
        #expect(published.errors.contains("published 2 events"))
    }

    @Test func linesAreCloudEvents() async throws {
        let endpoint = Self.endpoint()
        let publisher = try Running("martlet-publisher", "--listen", endpoint, "--wait-for", "1")
        let tail = try Running("martletctl", "tail", ">", "-p", endpoint, "-n", "1", "--json")
        try publisher.write(
            """
            {"specversion":"1.0","id":"e-1","source":"/shop","type":"orders.placed","region":"eu"}\n
            """)
        try publisher.closeInput()
        let shown = try await tail.ended()
        #expect(shown.output.contains("\"id\":\"e-1\""))
        #expect(shown.output.contains("\"source\":\"/shop\""))
        #expect(shown.output.contains("\"region\":\"eu\""))
        // The id is another's, so that the place is said beside it.
        #expect(shown.output.contains("\"position\":\""))
        #expect(try await publisher.ended().status == 0)
    }

    @Test func aGeneratorMakesTheSameOfASeed() async throws {
        var outputs: [[Substring]] = []
        for _ in 1...2 {
            let endpoint = Self.endpoint()
            let publisher = try Running(
                "martlet-publisher", "--listen", endpoint, "--generate", "sensors", "--rate", "max",
                "--count", "50", "--seed", "7", "--wait-for", "1", "--stream",
                "sensors:partitions=1")
            let tail = try Running(
                "martletctl", "tail", "sensors.*.temperature", "-p", endpoint, "-n", "50")
            let lines = try await tail.ended().lines
            // Without the time of day.
            outputs.append(lines.map { $0.dropFirst(13) })
            #expect(try await publisher.ended().status == 0)
        }
        #expect(outputs[0].count == 50)
        #expect(outputs[0] == outputs[1])
    }

    @Test func aFileOfEventsGoesOnWhereItEnds() async throws {
        let endpoint = Self.endpoint()
        let file = FileManager.default.temporaryDirectory
            .appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: file) }
        // Stays for as long as its input does.
        let publisher = try Running(
            "martlet-publisher", "--listen", endpoint, "--topic", "orders.placed", "--key",
            "data.customer", "--wait-for", "1")
        try publisher.write(
            (1...400).map { "{\"id\": \($0), \"customer\": \($0 % 30)}\n" }.joined())
        let first = try Running(
            "martletctl", "tail", ">", "-p", endpoint, "-n", "150", "--into", file.path)
        #expect(try await first.ended().status == 0)
        // As if it had been killed while it wrote.
        let text = try String(contentsOf: file, encoding: .utf8)
        try (text + "{\"specversion\":\"1.0\",\"id\"").write(
            to: file, atomically: false, encoding: .utf8)
        let second = try Running(
            "martletctl", "tail", ">", "-p", endpoint, "-n", "250", "--into", file.path)
        #expect(try await second.ended().status == 0)
        publisher.terminate()
        #expect(try await publisher.ended().status == 0)
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 400)
        #expect(Set(lines).count == 400)
    }

    /// A node that is there for one event is found by those who subscribe already.
    @Test func anEventOfAMoment() async throws {
        let endpoint = Self.endpoint()
        let seed = try Running(
            "martlet-publisher", "--listen", endpoint, "--topic", "orders.placed")
        let tail = try Running("martletctl", "tail", "notes.>", "-p", endpoint, "-n", "2", "--json")
        let published = try Running(
            "martletctl", "publish", "notes.note", #"{"text": "here"}"#, "-k", "me", "-a",
            "region=eu", "--id", "n-1", "-p", endpoint, "--timeout", "50")
        #expect(try await published.ended().output == "n-1\n")
        let text = try Running(
            "martletctl", "publish", "notes.text", "--content-type", "text/plain", "-p", endpoint,
            "--timeout", "50")
        try text.write("two\nlines")
        try text.closeInput()
        let receipt = try await text.ended()
        #expect(receipt.status == 0)
        let shown = try await tail.ended()
        #expect(shown.lines.count == 2)
        #expect(shown.output.contains(#""partitionkey":"me""#))
        #expect(shown.output.contains(#""region":"eu""#))
        #expect(shown.output.contains(#""id":"\#(receipt.lines.first ?? "-")""#))
        let nobody = try Running(
            "martletctl", "publish", "others.note", "1", "-p", endpoint, "--timeout", "1")
        #expect(try await nobody.ended().status == 69)
        seed.terminate()
        #expect(try await seed.ended().status == 0)
    }

    /// An import that is begun again stores nothing twice.
    @Test func eventsAreSubmittedOnce() async throws {
        let endpoint = Self.endpoint()
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: folder) }
        let publisher = try Running(
            "martlet-publisher", "--listen", endpoint, "--journal", folder.path, "--durable",
            "orders", "--idle")
        let lines = (1...5).map { "{\"customer\": \"c-\($0 % 2)\", \"number\": \($0)}\n" }
        func submit(_ input: String, _ options: String...) async throws -> ControlTests.Outcome {
            let submit = try Running(
                "martletctl",
                ["submit", "--to", endpoint, "--producer", "import", "--key", "data.customer"]
                    + options)
            try submit.write(input)
            try submit.closeInput()
            return try await submit.ended()
        }
        let topic = ["--topic", "orders.placed"]
        let first = try await submit(lines[..<3].joined(), topic[0], topic[1], "--resume")
        #expect(first.status == 0)
        #expect(first.errors.contains("submitted 3 events"))
        let again = try await submit("no json\n" + lines.joined(), topic[0], topic[1], "--resume")
        #expect(again.status == 65)
        #expect(again.errors.contains("submitted 2 events"))
        #expect(again.errors.contains("3 were stored before"))
        let elsewhere = try await submit(lines[0], "--topic", "metrics.load")
        #expect(elsewhere.status == 65)
        #expect(elsewhere.errors.contains("It takes: orders"))
        let misnamed = try await Running(
            "martletctl", "submit", "--to", endpoint, "--producer", "a b"
        ).ended()
        #expect(misnamed.status == 64)
        publisher.terminate()
        #expect(try await publisher.ended().status == 0)
        let events = try ControlTests.run("journal", "export", folder.path)
        #expect(events.lines.count == 5)
        for number in 1...5 {
            #expect(events.lines.count { $0.contains("\"number\": \(number)}") } == 1)
            #expect(events.lines.count { $0.contains("\"id\":\"\(number)\"") } == 1)
        }
        let producers = try ControlTests.run("journal", "producers", folder.path)
        #expect(producers.output.hasPrefix("import  next 6  "))
    }

    @Test func whoIsThereAndWhatFlows() async throws {
        let endpoint = Self.endpoint()
        let publisher = try Running(
            "martlet-publisher", "--listen", endpoint, "--topic", "orders.placed", "--name", "shop",
            "--wait-for", "1")
        try publisher.write(#"{"id": 1}"# + "\n" + #"{"id": 2}"# + "\n")
        let top = try Running(
            "martletctl", "top", "orders.>", "-p", endpoint, "-n", "2", "--json")
        let rows = try await top.ended()
        #expect(rows.lines.last?.contains(#""node":"shop","stream":"orders""#) == true)
        #expect(rows.lines.last?.contains(#""events":2"#) == true)
        let nodes = try await Running("martletctl", "nodes", "-p", endpoint).ended()
        #expect(nodes.status == 0)
        #expect(nodes.output.contains("shop  \(endpoint)  connected"))
        #expect(nodes.output.contains("orders: 2 events in 1 lanes, 2 kept"))
        publisher.terminate()
        #expect(try await publisher.ended().status == 0)
        let gone = try Running("martletctl", "nodes", "-p", endpoint, "--timeout", "1")
        let none = try await gone.ended()
        #expect(none.status == 1)
        #expect(none.output.contains("no answer"))
    }

    @Test(arguments: [
        (["--generate", "order"], "There is no generator `order`. Did you mean `orders`?"),
        (["--rate", "5"], "`--rate` goes with `--generate`."),
        (["--follow"], "`--follow` goes with `--file`."),
        (["--file", "x", "--pull", "tcp://*:1"], "`--file` and `--pull` are two sources."),
        (["--stream", "orders:ring=3"], "The ring of the stream `orders` has 1 MiB or more"),
        (["--stream", "orders:rings=3"], "`rings=3` is no setting of a stream."),
        (["--listen", "nowhere"], "--listen: "),
    ])
    func whatCannotBeIsRefused(arguments: [String], words: String) throws {
        let program = ControlTests.program.deletingLastPathComponent()
            .appendingPathComponent("martlet-publisher")
        let process = Process()
        let errors = Pipe()
        process.executableURL = program
        process.arguments = arguments
        process.standardError = errors
        try process.run()
        let text = String(
            decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 64)
        #expect(text.contains(words), "\(text)")
    }
}
