import Foundation
import Testing

/// The worker as users of it see it.
@Suite(.timeLimit(.minutes(5)), .serialized) struct WorkerProgramTests {
    typealias Running = ProgramTests.Running

    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = NSTemporaryDirectory() + "martlet-workers-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }

    /// A file in which the test hears of each line when it is written.
    private final class Lines {
        let path: String
        private let handle: FileHandle
        private let pieces: AsyncStream<Data>
        private(set) var all: [String] = []
        private var rest = Data()

        init(_ path: String) throws {
            self.path = path
            try #require(mkfifo(path, 0o600) == 0)
            // Open at both ends, so that nobody waits for the other.
            let descriptor = open(path, O_RDWR | O_CLOEXEC)
            try #require(descriptor >= 0)
            let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
            let (pieces, more) = AsyncStream.makeStream(of: Data.self)
            handle.readabilityHandler = { more.yield($0.availableData) }
            (self.handle, self.pieces) = (handle, pieces)
        }

        deinit { handle.readabilityHandler = nil }

        /// Waits until there are so many lines. The test's time limit cancels the wait.
        func wait(for count: Int) async throws {
            var pieces = pieces.makeAsyncIterator()
            while all.count < count {
                guard let piece = await pieces.next() else { break }
                rest += piece
                while let end = rest.firstIndex(of: 0x0A) {
                    all.append(String(decoding: rest[..<end], as: UTF8.self))
                    rest = Data(rest[(end + 1)...])
                }
            }
            try Task.checkCancellation()
        }
    }

    /// Two workers of a group have each event once between them, and another group has all again.
    @Test func workersShareEventsAndGroupsDoNot() async throws {
        try await withFolder { folder in
            let endpoint = ProgramTests.endpoint()
            let publisher = try Running(
                "martlet-publisher", "--listen", endpoint, "--topic", "jobs.new", "--key",
                "data.key")
            try publisher.write(
                (0..<200).map { "{\"n\":\($0),\"key\":\"k\($0 % 9)\"}\n" }.joined())
            let (shared, other) = (try Lines(folder + "/shared"), try Lines(folder + "/other"))
            let workers = try [("shared", shared), ("shared", shared), ("other", other)].map {
                try Running(
                    "martlet-worker", "-p", endpoint, "-g", $0, "-t", "jobs.>", "--append",
                    $1.path)
            }
            try await shared.wait(for: 200)
            try await other.wait(for: 200)
            for worker in workers {
                worker.terminate()
                let outcome = try await worker.ended()
                #expect(outcome.status == 0)
                #expect(outcome.errors.contains(" handled, 0 attempts failed"))
            }
            try publisher.closeInput()
            #expect(try await publisher.ended().status == 0)
            #expect(Set(shared.all).count == 200)
            #expect(Set(other.all).count == 200)
        }
    }

    /// A publisher of lines, and a file in which workers write.
    private func withPublisher(
        _ body: (_ endpoint: String, Running, Lines) async throws -> Void
    ) async throws {
        try await withFolder { folder in
            let endpoint = ProgramTests.endpoint()
            let publisher = try Running(
                "martlet-publisher", "--listen", endpoint, "--topic", "jobs.new")
            try await body(endpoint, publisher, try Lines(folder + "/seen"))
            try publisher.closeInput()
            _ = try await publisher.ended()
        }
    }

    /// 0 acknowledges, 75 asks again, another status sets aside.
    @Test func aCommandSaysWhatBecomesOfItsEvent() async throws {
        try await withPublisher { endpoint, publisher, lines in
            let letters = try Running(
                "martletctl", "tail", "martlet.deadletters", "-p", endpoint, "-n", "1", "--json",
                "--from", "beginning")
            let command = """
                read -r event; echo "$MARTLET_ATTEMPT $MARTLET_TOPIC $event" >> \(lines.path)
                case "$event" in *again*) test "$MARTLET_ATTEMPT" = 2 || exit 75;;
                *wrong*) exit 3;; esac
                """
            let worker = try Running(
                "martlet-worker", "-p", endpoint, "-g", "g", "-t", "jobs.>", "--exec", command,
                "--back-off", "50", "-w", "2")
            try publisher.write("{\"is\":\"good\"}\n{\"is\":\"again\"}\n{\"is\":\"wrong\"}\n")
            try await lines.wait(for: 4)
            let letter = try await letters.ended()
            #expect(letter.output.contains("\"deadreason\":\"rejected\""))
            #expect(letter.output.contains("ended with status 3"))
            worker.terminate()
            let outcome = try await worker.ended()
            #expect(outcome.errors.contains("2 handled, 1 attempts failed, 1 set aside"))
            let seen = lines.all
            #expect(seen.count { $0.contains("again") } == 2)
            #expect(seen.contains { $0.hasPrefix("2 jobs.new") && $0.contains("again") })
        }
    }

    /// A command that runs on gets lines, and answers each.
    @Test func aCommandMayRunOn() async throws {
        try await withPublisher { endpoint, publisher, lines in
            let letters = try Running(
                "martletctl", "tail", "martlet.deadletters", "-p", endpoint, "-n", "1", "--json",
                "--from", "beginning")
            let command = """
                while read -r line; do echo "$$ $line" >> \(lines.path); case "$line" in
                *bad*) echo reject it is bad;; *'"attempt":1,'*again*) echo retry not yet;;
                *) echo ack;; esac; done
                """
            let worker = try Running(
                "martlet-worker", "-p", endpoint, "-g", "g", "-t", "jobs.>", "--exec", command,
                "--persistent", "--back-off", "50", "-w", "1")
            try publisher.write("{\"is\":\"good\"}\n{\"is\":\"again\"}\n{\"is\":\"bad\"}\n")
            try await lines.wait(for: 4)
            #expect(try await letters.ended().output.contains("it is bad"))
            worker.terminate()
            let outcome = try await worker.ended()
            #expect(outcome.errors.contains("2 handled, 1 attempts failed, 1 set aside"))
            // One command for all of them.
            #expect(Set(lines.all.map { $0.prefix { $0 != " " } }).count == 1)
        }
    }

    /// Groups and dead letters are looked at, and tried again, from the shell.
    @Test func whatWasGivenUpIsLookedAtAndTriedAgain() async throws {
        try await withFolder { folder in
            let endpoint = ProgramTests.endpoint()
            let publisher = try Running(
                "martlet-publisher", "--listen", endpoint, "--topic", "jobs.new", "--journal",
                folder + "/journal", "--durable", "jobs")
            let letters = try Running(
                "martletctl", "tail", "martlet.deadletters", "-p", endpoint, "-n", "3",
                "--from", "beginning", "--json")
            // It fails for as long as the file is not there.
            let mended = folder + "/mended"
            let lines = try Lines(folder + "/seen")
            let worker = try Running(
                "martlet-worker", "-p", endpoint, "-g", "g", "-t", "jobs.>", "--name", "worker-1",
                "--exec", "test -e \(mended) || exit 3; cat > \(lines.path)")
            try publisher.write("{\"is\":1}\n{\"is\":2}\n{\"is\":3}\n")
            _ = try await letters.ended()
            func control(_ words: String...) throws -> ControlTests.Outcome {
                try ControlTests.run(words + ["--node", endpoint])
            }
            #expect(try control("deadletters", "list").lines.count == 4)
            let shown = try control("deadletters", "show", "2")
            #expect(shown.output.contains("rejected") && shown.output.contains("specversion"))
            #expect(try control("groups").output.contains("g "))
            #expect(try control("groups", "g", "--json").output.contains("\"worker-1\""))
            let ill = try control("doctor")
            #expect(ill.status == 1 && ill.output.contains("dead letters: 3 are open"))
            #expect(try control("deadletters", "retry").status == 64)
            #expect(try control("deadletters", "retry", "--all", "--dry-run").lines.count == 4)
            try "".write(toFile: mended, atomically: true, encoding: .utf8)
            #expect(try control("deadletters", "retry", "1", "2").status == 0)
            try await lines.wait(for: 2)
            let edited = try ControlTests.run(
                "deadletters", "edit", "3", "--node", endpoint, input: "{\"is\":4}")
            #expect(edited.status == 0)
            try await lines.wait(for: 3)
            #expect(lines.all.last?.contains("\"is\":4") == true)
            #expect(try control("deadletters", "list").status == 1)
            #expect(try control("groups", "remove", "g").errors.contains("has workers"))
            worker.terminate()
            _ = try await worker.ended()
            #expect(try control("groups", "remove", "g").status == 0)
            #expect(try control("groups").status == 1)
            #expect(try !control("doctor").output.contains("dead letters"))
            try publisher.closeInput()
            _ = try await publisher.ended()
            #expect(try control("groups", "--timeout", "1").status == 69)
        }
    }

    @Test(arguments: [
        (["-t", "a.>"], "--group"), (["-g", "g"], "--topic"),
        (["-g", "g", "-t", "a.>"], "--exec COMMAND"),
        (["-g", "g", "-t", "a.>", "--count", "--print"], "one thing"),
        (["-g", "g", "-t", "a.>", "--count", "--fail-rate", "2"], "0 to 1"),
        (["-g", "g", "-t", "a.>", "--count", "--from", "there"], "first or now"),
    ])
    func whatCannotBeIsRefused(arguments: [String], words: String) async throws {
        let outcome = try await Running("martlet-worker", arguments).ended()
        #expect(outcome.status == 64)
        #expect(outcome.errors.contains(words))
    }
}
