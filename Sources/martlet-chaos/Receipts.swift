import Foundation
import Martlet
import MartletCommandLine
import Synchronization

/// What a process that stores events has said that it stored, by position.
struct Receipts {
    private(set) var texts: [Position: String] = [:]

    /// Adds those in a file from an offset on, and returns them. The last line may be cut short.
    mutating func read(_ name: URL, from offset: inout Int) throws -> Receipts {
        let file = try FileHandle(forReadingFrom: name)
        try file.seek(toOffset: UInt64(offset))
        let data = try file.readToEnd() ?? Data()
        let whole = data.lastIndex(of: UInt8(ascii: "\n")).map { data[...$0] } ?? Data()
        offset += data.count
        var fresh = Receipts()
        for line in String(decoding: whole, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, let position = Position(String(parts[0])) else { continue }
            guard texts.updateValue(String(parts[1]), forKey: position) == nil else {
                throw ChaosFailure("two receipts have the position \(position)")
            }
            fresh.texts[position] = String(parts[1])
        }
        return fresh
    }

    /// All of them are in the journal, and nothing is damaged.
    func check(_ folder: String) throws {
        let wanted = texts
        let failure = Mutex<String?>(nil)
        let status = try Service.run {
            try await withJournal(at: folder) { journal in
                let text = try await Receipts.failure(wanted, in: journal)
                failure.withLock { $0 = text }
                return .success
            }
        }
        if let text = failure.withLock({ $0 }) { throw ChaosFailure(text) }
        guard status == .success else { throw ChaosFailure("\(folder) could not be read") }
    }

    private static func failure(
        _ wanted: [Position: String], in journal: StoredJournal
    ) async throws -> String? {
        let damaged = Mutex<String?>(nil)
        var missing = wanted
        let history = journal.events(
            on: ["chaos.>"], from: start(wanted, in: journal),
            onGap: { gap in damaged.withLock { $0 = "\(gap)" } })
        for try await event in history {
            guard let text = missing.removeValue(forKey: event.position) else { continue }
            let payload = String(decoding: event.payload.array(), as: UTF8.self)
            guard payload.prefix(while: { $0 != "." }) == text else {
                return "\(event.position) is not what it was"
            }
        }
        if let position = missing.keys.first { return "the receipt for \(position) is lost" }
        return damaged.withLock { $0 }
            ?? journal.findings.first(where: \.isLoss)?.text
    }

    /// Behind the first that is asked for, in every lane.
    private static func start(
        _ wanted: [Position: String], in journal: StoredJournal
    ) -> Start {
        var firsts: [Channel: Position] = [:]
        for position in wanted.keys
        where position.sequence < firsts[position.channel]?.sequence ?? .max {
            firsts[position.channel] = position
        }
        return .after(
            journal.channels.compactMap { stored in
                firsts[stored.channel].map {
                    Position(
                        channel: $0.channel, epoch: $0.epoch, sequence: $0.sequence - 1)
                }
            })
    }
}

/// Looks whether what was stored is in a copy of a journal.
enum CheckRole {
    static let command = Command(
        "check", "looks whether all receipts are in a journal",
        operands: .init("DIR", 1...1, "The folder of the journal."),
        options: [.value("receipts", "FILE", nil, isRequired: true, "What was stored.")]
    ) { (arguments) throws(CommandFailure) in
        do {
            var receipts = Receipts()
            var offset = 0
            _ = try receipts.read(
                URL(fileURLWithPath: try arguments.required("receipts")), from: &offset)
            try receipts.check(arguments.operands[0])
            Output.standard.line("\(receipts.texts.count) receipts, all of them kept")
            return .success
        } catch let failure as ChaosFailure {
            throw CommandFailure(.incomplete, failure.text)
        } catch let failure as CommandFailure {
            throw failure
        } catch { throw CommandFailure(.noInput, "\(error)") }
    }
}
