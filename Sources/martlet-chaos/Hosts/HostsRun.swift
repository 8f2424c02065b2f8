import Foundation
import Martlet
import MartletCommandLine

/// A cluster of real programs on five hosts, to which everything happens that can: after each heal
/// all lanes are served within ten seconds, and in the end each event is in its journal, handled or
/// set aside by each group, and read, once and in its order.
struct HostsRun {
    private let folder: URL
    private let cast: HostsCast
    private var nemesis: HostsNemesis
    /// The largest each program was, in the first third of the run and later.
    private var early: [String: Int] = [:]
    private var late: [String: Int] = [:]
    private var slowest = Duration.zero

    private static let servedWithin = Duration.seconds(10)

    init(seed: UInt64) throws {
        folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("martlet-hosts-\(UUID().uuidString)")
        cast = try HostsCast(folder)
        nemesis = try HostsNemesis(
            seed: seed, history: folder.appendingPathComponent("history"))
    }

    mutating func run(_ minutes: Int) throws {
        do {
            try harm(minutes)
            try end()
            try HostsAudit(folder).check()
        } catch {
            // What it takes to see why stays.
            nemesis.note("BROKEN: \((error as? ChaosFailure)?.text ?? "\(error)")")
            Output.standard.line("    see \(folder.path)")
            Output.standard.flush()
            try? keepJournals()
            throw error
        }
        say()
        for disk in cast.disks { disk.unmount() }
        try? FileManager.default.removeItem(at: folder)
    }

    private mutating func harm(_ minutes: Int) throws {
        let began = ContinuousClock.now
        let end = began + .seconds(60 * minutes)
        try waitUntilServed(within: .seconds(30))
        while ContinuousClock.now < end {
            try nemesis.strike(cast)
            try nemesis.heal(cast)
            let healed = ContinuousClock.now
            try waitUntilServed(within: HostsRun.servedWithin)
            slowest = max(slowest, ContinuousClock.now - healed)
            guard cast.crashes.isEmpty else {
                throw ChaosFailure("\(cast.crashes[0]) has crashed; see its log")
            }
            guard nemesis.stubborn.isEmpty else {
                throw ChaosFailure("\(nemesis.stubborn[0]) does not end when it is told to")
            }
            measure(isEarly: ContinuousClock.now < began + .seconds(20 * minutes))
        }
    }

    // MARK: Served

    /// What is to move on: each lane of each group that lags, the producers and the reader.
    private func waitUntilServed(within limit: Duration) throws {
        let deadline = ContinuousClock.now + limit
        var waiting: [String: UInt64]?
        while true {
            var (marks, lags): ([String: UInt64], Set<String>) = ([:], [])
            try look(&marks, &lags)
            let before = waiting ?? marks
            // What was not there yet at the first look has moved when it comes.
            waiting = marks.merging(before) { $1 }
            let late = (waiting ?? [:]).keys.filter { key in
                guard let mark = marks[key] else { return true }
                return mark <= waiting?[key] ?? 0 && lags.contains(key)
            }
            let isWhole = marks.keys.filter { $0.hasPrefix("publisher") }.count >= 2
            if late.isEmpty, isWhole, !marks.isEmpty { return }
            guard ContinuousClock.now < deadline else {
                let missing = isWhole ? "" : " (a publisher does not answer)"
                throw ChaosFailure(
                    "not served within \(limit) of a heal: \(late.sorted().prefix(4))\(missing)")
            }
            cast.pause(.milliseconds(300))
        }
    }

    /// How far everything is, and what is behind.
    private func look(_ marks: inout [String: UInt64], _ lags: inout Set<String>) throws {
        for host in 1...2 {
            let data = try cast.output(
                of: "martletctl",
                ["groups", "--json", "--node=tcp://127.0.0.1:5550", "--timeout=2"], on: host)
            for line in data.split(separator: UInt8(ascii: "\n")) {
                let group = try JSONDecoder().decode(GroupReport.self, from: Data(line))
                marks["publisher \(host)"] = 0
                for lane in group.lanes where lane.channel.stream.text == "chaos" {
                    let key = "\(group.name) lane \(lane.channel.lane) of publisher \(host)"
                    marks[key] = lane.ledger.next
                    if lane.lag > 0 { lags.insert(key) }
                }
            }
            let receipts = "receipts.producer-\(host)"
            marks[receipts] = size(of: receipts)
            lags.insert(receipts)
        }
        marks["read.ndjson"] = size(of: "read.ndjson")
        lags.insert("read.ndjson")
    }

    private func size(of name: String) -> UInt64 {
        let path = folder.appendingPathComponent(name).path
        let values = try? FileManager.default.attributesOfItem(atPath: path)
        return UInt64((values?[.size] as? Int) ?? 0)
    }

    // MARK: Memory

    private mutating func measure(isEarly: Bool) {
        for (name, actor) in cast.actors {
            let resident = actor.residentKiB
            if isEarly {
                early[name] = max(early[name] ?? 0, resident)
            } else {
                late[name] = max(late[name] ?? 0, resident)
            }
        }
    }

    private func checkMemory() throws {
        for (name, resident) in late {
            guard resident < 256 << 10, resident < (early[name] ?? 0) + 48 << 10 else {
                throw ChaosFailure(
                    "\(name) has grown from \((early[name] ?? 0) >> 10) to \(resident >> 10) MiB")
            }
        }
    }

    // MARK: The end

    /// Nothing more is submitted, and everything is handled and read.
    private mutating func end() throws {
        try checkMemory()
        try nemesis.heal(cast)
        for part in cast.parts where !part.isProxy {
            try cast.set(clockOf: part.name, ahead: .zero)
        }
        for host in 1...2 { cast.actors["producer-\(host)"]?.stop() }
        try waitUntilDone()
        for part in cast.parts
        where !part.isProxy && !part.name.hasPrefix("producer") && !part.name.hasPrefix("publi") {
            guard cast.end(part.name) else {
                throw ChaosFailure("\(part.name) does not end when it is told to")
            }
        }
        for host in 1...2 {
            guard cast.end("publisher-\(host)") else {
                throw ChaosFailure("publisher-\(host) does not end when it is told to")
            }
        }
    }

    /// No lane lags, and the reader's file grows no more.
    private func waitUntilDone() throws {
        let deadline = ContinuousClock.now + .seconds(90)
        var (before, calm): (UInt64, Int) = (0, 0)
        while calm < 4 {
            var (marks, lags): ([String: UInt64], Set<String>) = ([:], [])
            try look(&marks, &lags)
            let behind = lags.filter { $0.contains("lane") }
            let read = size(of: "read.ndjson")
            let isWhole = marks.keys.filter { $0.hasPrefix("publisher") }.count == 2
            calm = behind.isEmpty && read == before && isWhole ? calm + 1 : 0
            before = read
            guard ContinuousClock.now < deadline else {
                throw ChaosFailure("not handled in 90 s: \(behind.sorted().prefix(4))")
            }
            cast.pause(.milliseconds(500))
        }
    }

    /// The disks go with this process.
    private func keepJournals() throws {
        for host in 1...2 {
            try FileManager.default.copyItem(
                at: folder.appendingPathComponent("disk\(host)/journal"),
                to: folder.appendingPathComponent("journal\(host)"))
        }
    }

    private func say() {
        let faults = nemesis.counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        let largest = late.max { $0.value < $1.value }
        Output.standard.line(
            "    \(nemesis.count) faults: \(faults.joined(separator: ", "));\n"
                + "    all served \(Int(slowest / .milliseconds(1))) ms after a heal at the "
                + "latest; \(largest?.key ?? "-") was the largest, "
                + "\((largest?.value ?? 0) >> 10) MiB")
        Output.standard.flush()
    }
}
