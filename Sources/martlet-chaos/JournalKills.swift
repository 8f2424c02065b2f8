import Foundation
import MartletCommandLine

/// A publisher that stores events is killed again and again: whatever it had a receipt for is in
/// its journal, at its position, as it was.
struct JournalKills {
    private let stage: ChaosStage
    private let folder: URL
    private var receipts = Receipts()
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
            let fresh = try receipts.read(receiptFile, from: &offset)
            try fresh.check(journal)
            guard kill.isMultiple(of: 100) || kill == kills else { continue }
            try receipts.check(journal)
            Output.standard.line(
                "    \(kill) kills, \(receipts.texts.count) receipts, all of them kept")
            Output.standard.flush()
        }
    }

    private func size(of file: URL) -> Int {
        let values = try? FileManager.default.attributesOfItem(atPath: file.path)
        return (values?[.size] as? Int) ?? 0
    }
}
