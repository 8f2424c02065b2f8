import Foundation
import Testing

/// Journals as users of the programs see them.
@Suite(.timeLimit(.minutes(5))) struct JournalProgramTests {
    typealias Running = ProgramTests.Running

    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = NSTemporaryDirectory() + "martlet-journals-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }

    /// What was published with nobody there is in the journal, and can be shown, exported and
    /// played again.
    @Test func aJournalIsFilledAndRead() async throws {
        try await withFolder { folder in
            let publisher = try Running(
                "martlet-publisher", "--listen", ProgramTests.endpoint(), "-g", "orders", "-n",
                "500", "--rate", "max", "--journal", folder, "--durable", "orders")
            #expect(try await publisher.ended().status == 0)
            let info = try await Running("martletctl", "journal", "info", folder).ended()
            #expect(info.output.contains("orders: 500 of 500 events kept"))
            let verify = try await Running("martletctl", "journal", "verify", folder).ended()
            #expect(verify.status == 0 && verify.output.contains("500 events"))
            let export = try await Running("martletctl", "journal", "export", folder).ended()
            #expect(export.lines.count == 500)
            let some = try await Running(
                "martletctl", "replay", folder, "orders.shipped", "-n", "3", "--filter",
                "data.region = 'eu'"
            ).ended()
            #expect(some.lines.count == 3)
            #expect(some.lines.allSatisfy { $0.contains("orders.shipped") && $0.contains("eu") })
            // To the end that is named, and from behind it, there is everything once.
            let position = try #require(
                export.lines[249].firstMatch(of: /"id":"([^"]*)"/)?.output.1)
            let before = try await Running(
                "martletctl", "replay", folder, "--to", String(position)
            ).ended()
            #expect(before.lines.last == export.lines[249])
        }
    }

    /// Published again, events keep their ids.
    @Test func aJournalIsPlayedAgain() async throws {
        try await withFolder { folder in
            let publisher = try Running(
                "martlet-publisher", "--listen", ProgramTests.endpoint(), "-g", "orders", "-n",
                "20", "--rate", "max", "--journal", folder, "--durable", "orders")
            #expect(try await publisher.ended().status == 0)
            let endpoint = ProgramTests.endpoint()
            let tail = try Running(
                "martletctl", "tail", "tests.>", "-p", endpoint, "-n", "20", "--json")
            let replay = try await Running(
                "martletctl", "replay", folder, "--publish", "tests.orders", "--listen", endpoint
            ).ended()
            #expect(replay.status == 0 && replay.errors.contains("20 events played"))
            let shown = try await tail.ended()
            let export = try await Running("martletctl", "journal", "export", folder).ended()
            let id = /"id":"([^"]*)"/
            #expect(
                Set(shown.lines.map { $0.firstMatch(of: id)?.output.1 })
                    == Set(export.lines.map { $0.firstMatch(of: id)?.output.1 }))
        }
    }

    /// A reader that remembers goes on where it was, and its cursor can be looked at.
    @Test func aTailGoesOn() async throws {
        try await withFolder { folder in
            let endpoint = ProgramTests.endpoint()
            let publisher = try Running(
                "martlet-publisher", "--listen", endpoint, "-g", "orders", "-n", "10", "--rate",
                "max", "--journal", folder + "/p", "--durable", "orders", "--wait-for", "1")
            let options = [
                "orders.>", "-p", endpoint, "--journal", folder + "/r", "--cursor", "me", "-n",
                "10", "--json",
            ]
            let first = try Running("martletctl", ["tail"] + options)
            #expect(try await first.ended().lines.count == 10)
            #expect(try await publisher.ended().status == 0)
            let cursors = try await Running(
                "martletctl", "journal", "cursors", folder + "/r"
            ).ended()
            #expect(cursors.status == 0 && cursors.lines.allSatisfy { $0.hasPrefix("me  ") })
        }
    }

    @Test func whatIsNoJournalIsRefused() async throws {
        try await withFolder { folder in
            let missing = try await Running("martletctl", "journal", "info", folder).ended()
            #expect(missing.status == 66 && missing.errors.contains("it is not there"))
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true)
            let empty = try await Running("martletctl", "journal", "verify", folder).ended()
            #expect(empty.status == 66 && empty.errors.contains("There is no journal"))
            let alone = try await Running("martlet-publisher", "--durable", "orders").ended()
            #expect(alone.status == 64 && alone.errors.contains("--journal DIR"))
        }
    }

    /// A publisher is killed twenty times; whatever it had a receipt for is there.
    @Test func receiptsOutliveKills() async throws {
        let kills = try await Running(
            "martlet-chaos", "kills", "producers", "states", "--kills", "20"
        ).ended()
        #expect(kills.status == 0, "\(kills.output)")
    }

    /// Workers of a group and their node are harmed; each event is handled or set aside.
    @Test func groupsOutliveTheirWorkers() async throws {
        let chaos = try await Running("martlet-chaos", "groups", "--kills", "4").ended()
        #expect(chaos.status == 0, "\(chaos.output)")
    }
}
