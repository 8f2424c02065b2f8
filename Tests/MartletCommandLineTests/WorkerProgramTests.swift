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

    private func lines(_ files: [String]) -> [String] {
        files.flatMap { file in
            let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
            return text.split(separator: "\n").map(String.init)
        }
    }

    private func wait(for count: Int, in files: [String]) async throws {
        let deadline = ContinuousClock.now + .seconds(120)
        while lines(files).count < count {
            try #require(ContinuousClock.now < deadline, "\(lines(files).count) of \(count) lines")
            try await Task.sleep(for: .milliseconds(20))
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
            let files = ["one", "two", "all"].map { "\(folder)/\($0)" }
            let workers = try zip(["shared", "shared", "other"], files).map { group, file in
                try Running(
                    "martlet-worker", "-p", endpoint, "-g", group, "-t", "jobs.>", "--append",
                    file)
            }
            try await wait(for: 200, in: Array(files[..<2]))
            try await wait(for: 200, in: [files[2]])
            for worker in workers {
                worker.terminate()
                let outcome = try await worker.ended()
                #expect(outcome.status == 0)
                #expect(outcome.errors.contains(" handled, 0 attempts failed"))
            }
            try publisher.closeInput()
            #expect(try await publisher.ended().status == 0)
            #expect(Set(lines(Array(files[..<2]))).count == 200)
            #expect(Set(lines([files[2]])).count == 200)
        }
    }

    /// 0 acknowledges, 75 asks again, another status sets aside.
    @Test func aCommandSaysWhatBecomesOfItsEvent() async throws {
        try await withFolder { folder in
            let endpoint = ProgramTests.endpoint()
            let publisher = try Running(
                "martlet-publisher", "--listen", endpoint, "--topic", "jobs.new")
            let letters = try Running(
                "martletctl", "tail", "martlet.deadletters", "-p", endpoint, "-n", "1", "--json")
            let command = """
                read -r event; echo "$MARTLET_ATTEMPT $MARTLET_TOPIC $event" >> \(folder)/seen
                case "$event" in *again*) test "$MARTLET_ATTEMPT" = 2 || exit 75;;
                *wrong*) exit 3;; esac
                """
            let worker = try Running(
                "martlet-worker", "-p", endpoint, "-g", "g", "-t", "jobs.>", "--exec", command,
                "--back-off", "50", "-w", "2")
            try publisher.write("{\"is\":\"good\"}\n{\"is\":\"again\"}\n{\"is\":\"wrong\"}\n")
            try await wait(for: 4, in: ["\(folder)/seen"])
            let letter = try await letters.ended()
            #expect(letter.output.contains("\"deadreason\":\"rejected\""))
            #expect(letter.output.contains("ended with status 3"))
            worker.terminate()
            let outcome = try await worker.ended()
            #expect(outcome.errors.contains("2 handled, 1 attempts failed, 1 set aside"))
            let seen = lines(["\(folder)/seen"])
            #expect(seen.count { $0.contains("again") } == 2)
            #expect(seen.contains { $0.hasPrefix("2 jobs.new") && $0.contains("again") })
            try publisher.closeInput()
            _ = try await publisher.ended()
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
