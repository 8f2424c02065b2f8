import Foundation
import Martlet
import MartletCommandLine
import Synchronization

/// A state that is made of events, whose process is killed again and again, like the node that it
/// reads from: each event counts once.
struct StateKills {
    private let stage: ChaosStage
    private let folder: URL
    private let endpoint: String
    private var node: ChaosStage.Actor
    private var tally: ChaosStage.Actor
    private let producer: ChaosStage.Actor

    init() throws {
        stage = try ChaosStage()
        folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("martlet-states-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        endpoint = "ipc://\(folder.path)/service"
        let receipts = folder.appendingPathComponent("receipts").path
        guard FileManager.default.createFile(atPath: receipts, contents: nil) else {
            throw ChaosFailure("no file can be made in \(folder.path)")
        }
        node = try stage.keeper(at: endpoint, in: folder.appendingPathComponent("journal").path)
        producer = try stage.producer("events", of: endpoint, receipts: receipts)
        tally = try stage.tally(of: endpoint, in: folder.appendingPathComponent("tally").path)
    }

    private var journal: String { folder.appendingPathComponent("journal").path }
    private var database: String { folder.appendingPathComponent("tally").path }

    mutating func run(_ kills: Int, _ random: inout SplitMix64) throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        for _ in 1...kills {
            let before = written
            try stage.wait("something in the state", within: .seconds(20)) { written != before }
            stage.pause(.milliseconds(Int64(random.below(120))))
            if random.below(4) == 0 {
                node.stop()
                node = try stage.keeper(at: endpoint, in: journal)
            } else {
                tally.stop()
                tally = try stage.tally(of: endpoint, in: database)
            }
        }
        producer.stop()
        tally.stop()
        node.stop()
        try check()
    }

    /// When the state was written last, and how much.
    private var written: [Date] {
        ["", "-wal", "-journal"].compactMap { suffix in
            let values = try? FileManager.default.attributesOfItem(atPath: database + suffix)
            return values?[.modificationDate] as? Date
        }
    }

    /// It goes on to the end of the journal, and then has each event of it once.
    private func check() throws {
        let (folder, database, endpoint) = (journal, database, endpoint)
        let result = Mutex<(events: Int64, counted: Int64)>((0, 0))
        _ = try Service.run {
            let events = try await withJournal(at: folder) { journal in
                journal.channels.reduce(0) { $0 + Int64($1.next - $1.first) }
            }
            let counted = try await withNode(
                named: "keep", listening: Endpoint(endpoint), journal: folder
            ) { _ in
                try await StateRole.counted(of: events, from: Endpoint(endpoint), in: database)
            }
            result.withLock { $0 = (events, counted) }
            return .success
        }
        let (events, counted) = result.withLock { $0 }
        guard events > 0, events == counted else {
            throw ChaosFailure("\(events) events are stored, and \(counted) were counted")
        }
        Output.standard.line("    \(events) events, each counted once")
    }
}

/// A process that counts events in a database.
enum StateRole {
    /// The state has come as far as it was to come.
    private struct Complete: Error { let counted: Int64 }

    static let command = Command(
        "tally", "counts what is stored, in a database",
        operands: .init("ENDPOINT FILE", 2...2, "Where the node is, and the database.")
    ) { (arguments) throws(CommandFailure) in
        let texts = arguments.operands
        return try Service.run {
            _ = try await counted(of: .max, from: Endpoint(texts[0]), in: texts[1])
            return .success
        }
    }

    /// Goes on until it has so many different events, and says how often it has counted any.
    static func counted(
        of events: Int64, from endpoint: Endpoint, in file: String
    ) async throws -> Int64 {
        do {
            try await withNode(named: "tally", peers: [endpoint]) { node in
                try await node.keepState(
                    of: SubmittedChaosEvent.self, in: file, named: "tally",
                    preparing: { transaction in
                        try transaction.execute(
                            "CREATE TABLE IF NOT EXISTS tally (event TEXT PRIMARY KEY, times INT)")
                        // Everything may be there already.
                        try end(at: events, in: transaction)
                    }
                ) { event, _, transaction in
                    try transaction.execute(
                        """
                        INSERT INTO tally VALUES (?, 1)
                        ON CONFLICT DO UPDATE SET times = times + 1
                        """, event.text)
                    if events < .max { try end(at: events, in: transaction) }
                }
            }
        } catch let complete as Complete { return complete.counted }
        return 0
    }

    /// Throws `Complete` once there are so many different events.
    private static func end(at events: Int64, in transaction: StateTransaction) throws {
        // Rows are never removed: the last one's number is how many there are.
        let last = try transaction.query("SELECT max(rowid) FROM tally")
        guard case .integer(let count)? = last.first?.first, count >= events else { return }
        let sum = try transaction.query("SELECT sum(times) FROM tally")
        guard case .integer(let times)? = sum.first?.first else { return }
        throw Complete(counted: times)
    }
}
