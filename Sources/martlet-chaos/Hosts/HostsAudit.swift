import Foundation
import Martlet
import MartletCommandLine
import Synchronization

/// Looks at what is left of a run: journals, receipts, what handlers have written down, and what a
/// reader has read.
struct HostsAudit {
    private let folder: URL

    init(_ folder: URL) { self.folder = folder }

    static let command = Command(
        "audit", "looks at what a run of the scenario hosts has left",
        details: [
            "The folder has `disk1/journal` and `disk2/journal`, or copies of them as `journal1` "
                + "and `journal2`, `receipts.producer-1` and `receipts.producer-2`, what each "
                + "worker has handled as `handled.GROUP-NAME`, and `read.ndjson`.",
            "Exit status: 0 if every promise was kept, 1 if one was broken.",
        ],
        operands: .init("DIR", 1...1, "The folder.")
    ) { (arguments) throws(CommandFailure) in
        do { try HostsAudit(URL(fileURLWithPath: arguments.operands[0])).check() } catch {
            if let failure = error as? CommandFailure { throw failure }
            throw CommandFailure(.incomplete, (error as? ChaosFailure)?.text ?? "\(error)")
        }
        return .success
    }

    /// What is in the journals.
    private struct Stored: Sendable {
        /// By what they are known by.
        var events: [String: SubmittedChaosEvent] = [:]
        var positions: [String: SubmittedChaosEvent] = [:]
        /// By positions without their epochs, as ledgers know them.
        var places: [String: String] = [:]
        /// By lane, in their order.
        var lanes: [String: [String]] = [:]
        /// Which were set aside, for each group.
        var dead: [String: Set<String>] = [:]
    }

    func check() throws {
        let stored = try read()
        try checkSubmissions(stored)
        try checkReceipts(stored)
        var lines = 0
        for group in HostsCast.groups { lines += try check(group, stored) }
        try checkReader(stored)
        Output.standard.line(
            "    \(stored.events.count) events stored, "
                + "\(lines) times handled by \(HostsCast.groups.count) groups, "
                + "\(stored.dead.values.reduce(0) { $0 + $1.count }) set aside, all read")
    }

    private func read() throws -> Stored {
        let found = Mutex(Stored())
        for host in 1...2 {
            let places = ["disk\(host)/journal", "journal\(host)"].map {
                folder.appendingPathComponent($0).path
            }
            let journal =
                places.first { FileManager.default.fileExists(atPath: $0) } ?? places[0]
            _ = try Service.run {
                try await withJournal(at: journal) { journal in
                    if let finding = journal.findings.first(where: \.isLoss) {
                        throw CommandFailure(.incomplete, "a journal has lost: \(finding.text)")
                    }
                    for try await event in journal.events() { try HostsAudit.add(event, to: found) }
                }
                return .success
            }
        }
        return found.withLock { $0 }
    }

    private static func add(_ event: RecordedEvent, to found: borrowing Mutex<Stored>) throws {
        if event.topic == DeadLetter.topic {
            let letter = try DeadLetter(event)
            let place = "\(letter.channel)/\(letter.sequence)"
            let isNew = found.withLock { stored in
                stored.dead[letter.group, default: []].insert(place).inserted
            }
            guard isNew else {
                throw CommandFailure(.incomplete, "\(place) was set aside twice")
            }
            return
        }
        guard event.topic == SubmittedChaosEvent.topic else { return }
        let content = try JSONCodec().decode(SubmittedChaosEvent.self, from: event.payload)
        let (id, channel) = (content.identity, event.position.channel)
        let isNew = found.withLock { stored in
            stored.positions["\(event.position)"] = content
            stored.places["\(channel)/\(event.sequence)"] = id
            stored.lanes["\(channel)", default: []].append(id)
            return stored.events.updateValue(content, forKey: id) == nil
        }
        guard isNew else { throw CommandFailure(.incomplete, "\(id) is stored twice") }
    }

    /// Each number of each producer is there once, without holes.
    private func checkSubmissions(_ stored: Stored) throws {
        var numbers: [String: [UInt64]] = [:]
        for event in stored.events.values { numbers[event.name, default: []].append(event.number) }
        guard numbers.count == 2 else { throw ChaosFailure("a producer has stored nothing") }
        for (name, all) in numbers {
            guard all.sorted() == Array(1...UInt64(all.count)) else {
                throw ChaosFailure("what \(name) has submitted is not stored once each")
            }
        }
    }

    /// What was confirmed is there, where it was said to be.
    private func checkReceipts(_ stored: Stored) throws {
        for host in 1...2 {
            for words in try lines("receipts.producer-\(host)") where words.count == 5 {
                guard let event = SubmittedChaosEvent(words[2...].joined(separator: " ")) else {
                    continue
                }
                guard words[0] == "-" || stored.positions[String(words[0])] == event else {
                    throw ChaosFailure("the receipt for \(words[0]) is lost, or another's")
                }
            }
        }
    }

    /// Each event was handled or set aside, what came again said so, and each key kept its order.
    private func check(_ group: String, _ stored: Stored) throws -> Int {
        var all: [(time: UInt64, words: [Substring])] = []
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path)
        where name.hasPrefix("handled.\(group)-") {
            for words in try lines(name) where words.count == 5 {
                if let time = UInt64(words[0]) { all.append((time, words)) }
            }
        }
        all.sort { $0.time < $1.time }
        var (begun, plain, handled): (Set<String>, Set<String>, Set<String>) = ([], [], [])
        var last: [String: UInt64] = [:]
        for (_, words) in all {
            let id = String(words[1])
            guard let event = stored.events[id] else {
                throw ChaosFailure("\(group) was given \(id), which is not stored")
            }
            if words[3] == "plain", !plain.insert(id).inserted {
                throw ChaosFailure(
                    "\(id) came twice to \(group), and neither said that it may be a repeat")
            }
            if words[4] == "ack" { handled.insert(id) }
            guard begun.insert(id).inserted else { continue }
            let key = "\(event.name) \(words[2])"
            guard event.number > last[key] ?? 0 else {
                throw ChaosFailure("\(id) of key \(key) came to \(group) behind a later one")
            }
            last[key] = event.number
        }
        let dead = Set((stored.dead[group] ?? []).compactMap { stored.places[$0] })
        let missing = Set(stored.events.keys).subtracting(handled).subtracting(dead)
        guard missing.isEmpty else {
            throw ChaosFailure(
                "\(missing.count) events were neither handled nor set aside by \(group), as "
                    + (missing.first ?? ""))
        }
        return all.count
    }

    /// The reader has all of them, once and in the order of their lanes.
    private func checkReader(_ stored: Stored) throws {
        struct Line: Decodable { let data: SubmittedChaosEvent }
        var homes: [String: String] = [:]
        for (lane, ids) in stored.lanes { for id in ids { homes[id] = lane } }
        let file = folder.appendingPathComponent("read.ndjson")
        var lanes: [String: [String]] = [:]
        for text in try Data(contentsOf: file).split(separator: UInt8(ascii: "\n")) {
            let id = try JSONDecoder().decode(Line.self, from: Data(text)).data.identity
            lanes[homes[id] ?? "-", default: []].append(id)
        }
        for (lane, wanted) in stored.lanes where lanes[lane] != wanted {
            let read = lanes[lane] ?? []
            let place = zip(read, wanted).prefix { $0 == $1 }.count
            throw ChaosFailure(
                "the reader has \(read.count) of \(wanted.count) events of \(lane), and another "
                    + "than it should behind the first \(place)")
        }
    }

    private func lines(_ name: String) throws -> [[Substring]] {
        let text = try String(
            contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
        return text.split(separator: "\n").map { $0.split(separator: " ") }
    }
}
