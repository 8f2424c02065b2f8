import Foundation
import Martlet
import MartletCommandLine
import Synchronization

/// A publisher that stores events is killed again and again: whatever it had a receipt for is in
/// its journal, at its position, as it was.
struct JournalKills {
    private let stage: ChaosStage
    private let folder: URL
    /// What the receipts said, by position.
    private var receipts: [Position: String] = [:]
    /// How much of the file of receipts has been read.
    private var offset = 0

    init() throws {
        stage = try ChaosStage()
        folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("martlet-kills-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        guard FileManager.default.createFile(atPath: receiptFile.path, contents: nil) else {
            throw ChaosFailure("no file can be made in \(folder.path)")
        }
    }

    private var receiptFile: URL { folder.appendingPathComponent("receipts") }
    private var journal: String { folder.appendingPathComponent("journal").path }

    mutating func run(_ kills: Int, _ random: inout SplitMix64) throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        for kill in 1...kills {
            let actor = try stage.store(in: journal, receipts: receiptFile.path)
            let before = offset
            try stage.wait("a receipt", within: .seconds(20)) {
                size(of: receiptFile) > before
            }
            stage.pause(.milliseconds(Int64(random.below(150))))
            actor.stop()
            let fresh = try readReceipts()
            try check(fresh)
            guard kill.isMultiple(of: 100) || kill == kills else { continue }
            try check(receipts)
            Output.standard.line(
                "    \(kill) kills, \(receipts.count) receipts, all of them kept")
            Output.standard.flush()
        }
    }

    private func size(of file: URL) -> Int {
        let values = try? FileManager.default.attributesOfItem(atPath: file.path)
        return (values?[.size] as? Int) ?? 0
    }

    /// The receipts since the last time. The last line may be cut short.
    private mutating func readReceipts() throws -> [Position: String] {
        let file = try FileHandle(forReadingFrom: receiptFile)
        try file.seek(toOffset: UInt64(offset))
        let data = try file.readToEnd() ?? Data()
        let whole = data.lastIndex(of: UInt8(ascii: "\n")).map { data[...$0] } ?? Data()
        offset += data.count
        var fresh: [Position: String] = [:]
        for line in String(decoding: whole, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, let position = Position(String(parts[0])) else { continue }
            guard receipts.updateValue(String(parts[1]), forKey: position) == nil else {
                throw ChaosFailure("two receipts have the position \(position)")
            }
            fresh[position] = String(parts[1])
        }
        return fresh
    }

    /// All of these are in the journal, and nothing is damaged.
    private func check(_ wanted: [Position: String]) throws {
        let first = wanted.keys.map(\.sequence).min() ?? 1
        let failure = Mutex<String?>(nil)
        let journal = journal
        _ = try Service.run {
            try await withJournal(at: journal) { journal in
                let damaged = Mutex<String?>(nil)
                // From the first that is asked for on, in every lane.
                let start = journal.channels.compactMap { stored in
                    wanted.keys.filter { $0.channel == stored.channel }.min {
                        $0.sequence < $1.sequence
                    }
                }.map {
                    Position(channel: $0.channel, epoch: $0.epoch, sequence: $0.sequence - 1)
                }
                var missing = wanted
                let history = journal.events(
                    on: ["chaos.>"], from: first == 1 ? .beginning : .after(start),
                    onGap: { gap in damaged.withLock { $0 = "\(gap)" } })
                for try await event in history {
                    guard let text = missing.removeValue(forKey: event.position) else { continue }
                    let payload = String(decoding: event.payload.array(), as: UTF8.self)
                    guard payload.prefix(while: { $0 != "." }) == text else {
                        failure.withLock { $0 = "\(event.position) is not what it was" }
                        return .success
                    }
                }
                let damage = damaged.withLock { $0 } ?? journal.findings.first
                if let position = missing.keys.first {
                    failure.withLock { $0 = "the receipt for \(position) is lost" }
                } else if let damage, !damage.contains("never confirmed") {
                    failure.withLock { $0 = damage }
                }
                return .success
            }
        }
        if let text = failure.withLock({ $0 }) { throw ChaosFailure(text) }
    }
}
