import Foundation
import Martlet
import MartletCommandLine
import Synchronization

/// Producers and the node that stores their events are killed again and again, or stand still while
/// another one goes by their name: each event is stored once, and what was confirmed is there.
struct ProducerKills {
    private static let names = ["billing", "import", "web"]

    private let stage: ChaosStage
    private let folder: URL
    private let endpoint: String
    private var node: ChaosStage.Actor
    private var producers: [String: ChaosStage.Actor] = [:]
    /// Those that stand still.
    private var stopped: [ChaosStage.Actor] = []

    init() throws {
        stage = try ChaosStage()
        folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("martlet-producers-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        endpoint = "ipc://\(folder.path)/service"
        let receipts = folder.appendingPathComponent("receipts").path
        guard FileManager.default.createFile(atPath: receipts, contents: nil) else {
            throw ChaosFailure("no file can be made in \(folder.path)")
        }
        node = try stage.keeper(at: endpoint, in: folder.appendingPathComponent("journal").path)
        for name in ProducerKills.names { try start(name) }
    }

    private var receiptFile: URL { folder.appendingPathComponent("receipts") }
    private var journal: String { folder.appendingPathComponent("journal").path }

    private mutating func start(_ name: String) throws {
        producers[name] = try stage.producer(name, of: endpoint, receipts: receiptFile.path)
    }

    mutating func run(_ kills: Int, _ random: inout SplitMix64) throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        for _ in 1...kills {
            try waitForReceipts()
            stage.pause(.milliseconds(Int64(random.below(120))))
            let name = ProducerKills.names[random.below(ProducerKills.names.count)]
            switch random.below(4) {
            case 0, 1:
                node.stop()
                node = try stage.keeper(at: endpoint, in: journal)
            case 2:
                producers[name]?.stop()
                try start(name)
            default:
                // It comes back when another one has taken its place.
                if let actor = producers[name] {
                    actor.signal(SIGSTOP)
                    stopped.append(actor)
                }
                try start(name)
                if stopped.count > 2 { stopped.removeFirst().signal(SIGCONT) }
            }
        }
        for actor in stopped { actor.signal(SIGCONT) }
        try waitForReceipts()
        for actor in producers.values.sorted(by: { $0.name < $1.name }) { actor.stop() }
        node.stop()
        try check()
    }

    /// Something is confirmed that was not when this was called.
    private func waitForReceipts() throws {
        let before = size
        try stage.wait("a receipt", within: .seconds(20)) { size > before }
    }

    private var size: Int {
        let values = try? FileManager.default.attributesOfItem(atPath: receiptFile.path)
        return (values?[.size] as? Int) ?? 0
    }

    // MARK: Checking

    private func check() throws {
        let confirmed = try confirmations()
        let found = Mutex<StoredSubmissions?>(nil)
        let folder = journal
        _ = try Service.run {
            do {
                try await withJournal(at: folder) { journal in
                    let stored = try await StoredSubmissions(journal)
                    found.withLock { $0 = stored }
                }
            } catch let failure as ChaosFailure {
                throw CommandFailure(.incomplete, failure.text)
            }
            return .success
        }
        guard let stored = found.withLock({ $0 }) else {
            throw ChaosFailure("the journal cannot be read")
        }
        try stored.check()
        for confirmation in confirmed { try stored.check(confirmation) }
        let count = stored.owners.values.reduce(0) { $0 + $1.count }
        Output.standard.line(
            "    \(count) events, each stored once; \(confirmed.count) receipts, all of them kept")
    }

    private func confirmations() throws -> [Confirmation] {
        let text = try String(contentsOf: receiptFile, encoding: .utf8)
        // The last line may be cut short.
        return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            .compactMap(Confirmation.init)
    }
}

/// A process was told that its events up to this one are stored.
private struct Confirmation {
    let position: Position?
    let first: UInt64
    let event: SubmittedChaosEvent

    init?(_ line: Substring) {
        let parts = line.split(separator: " ", maxSplits: 2)
        guard parts.count == 3, let first = UInt64(parts[1]),
            let event = SubmittedChaosEvent(parts[2])
        else { return nil }
        position = Position(String(parts[0]))
        self.first = first
        self.event = event
    }
}

/// What is in the journal.
private struct StoredSubmissions {
    /// Of each name, which process each number is of.
    private(set) var owners: [String: [UInt64: UInt64]] = [:]
    private var positions: [Position: SubmittedChaosEvent] = [:]

    init(_ journal: StoredJournal) async throws {
        if let loss = journal.findings.first(where: \.isLoss) { throw ChaosFailure(loss.text) }
        for try await stored in journal.events() {
            let event = try stored.decode(as: SubmittedChaosEvent.self)
            positions[stored.position] = event
            let before = owners[event.name, default: [:]].updateValue(
                event.process, forKey: event.number)
            guard before == nil else {
                throw ChaosFailure("event \(event.number) of \(event.name) is stored twice")
            }
        }
    }

    /// None of the numbers is missing.
    func check() throws(ChaosFailure) {
        for (name, numbers) in owners {
            guard let last = numbers.keys.max(), last == UInt64(numbers.count) else {
                throw ChaosFailure("events of \(name) are missing between others")
            }
        }
    }

    func check(_ confirmation: Confirmation) throws(ChaosFailure) {
        let event = confirmation.event
        for number in confirmation.first...event.number
        where owners[event.name]?[number] != event.process {
            throw ChaosFailure(
                "event \(number) of \(event.name) was confirmed, and is another process's")
        }
        guard let position = confirmation.position, positions[position] != event else { return }
        throw ChaosFailure("\(event.text) is not at \(position)")
    }
}
