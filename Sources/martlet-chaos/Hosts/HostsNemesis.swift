import Foundation
import MartletCommandLine

/// What goes wrong on five hosts, drawn from a seed.
struct HostsNemesis {
    private enum Fault: CaseIterable {
        case halves, isolated, oneWay, loss
        case slow, silent, cuts, damage, cut
        case kill, freeze, leave, publisherKill
        case fullDisk, slowDisk, clock
        case outage, churn
    }

    private var random: SplitMix64
    private let history: FileHandle
    private let began = ContinuousClock.now
    /// Those that did not end when they were told to.
    private(set) var stubborn: [String] = []
    /// How often each has happened.
    private(set) var counts: [String: Int] = [:]

    init(seed: UInt64, history: URL) throws {
        random = SplitMix64(seed: seed)
        try Data().write(to: history)
        self.history = try FileHandle(forWritingTo: history)
    }

    var count: Int { counts.values.reduce(0, +) }

    /// One to four things go wrong, one after the other.
    mutating func strike(_ cast: HostsCast) throws {
        for _ in 0...random.below(4) {
            let fault = Fault.allCases[random.below(Fault.allCases.count)]
            counts["\(fault)", default: 0] += 1
            try strike(fault, cast)
            cast.pause(.milliseconds(Int64(200 + random.below(2_500))))
        }
        cast.pause(.milliseconds(Int64(random.below(3_000))))
    }

    private mutating func strike(_ fault: Fault, _ cast: HostsCast) throws {
        let network = cast.network
        let host = 1 + random.below(network.hosts)
        let publisher = 1 + random.below(2)
        switch fault {
        case .halves:
            let side = Set((1...network.hosts).filter { _ in random.below(2) == 0 })
            note("\(side.sorted()) apart from the others")
            for (source, target) in pairs(network)
            where side.contains(source) != side.contains(target) {
                try network.block(from: source, to: target)
            }
        case .isolated:
            note("host \(host) alone")
            try network.cut(host)
        case .oneWay:
            let other = 1 + (host + random.below(network.hosts - 1)) % network.hosts
            note("nothing from host \(host) to \(other)")
            try network.block(from: host, to: other)
        case .loss:
            let percent = 5 + random.below(30)
            note("host \(host) loses \(percent) %")
            try network.lose(percent, host)
        case .slow, .silent, .cuts, .damage, .cut:
            let faults = line(fault)
            note("connections to host \(publisher): \(faults)")
            cast.tell(publisher, faults)
        case .kill, .freeze, .leave: try strike(fault, someone(in: cast), cast)
        case .publisherKill: try strike(.kill, "publisher-\(publisher)", cast)
        case .fullDisk:
            note("the disk of host \(publisher) is full")
            cast.disks[publisher - 1].fill()
        case .slowDisk:
            note("the disk of host \(publisher) takes 500 ms")
            try cast.paces[publisher - 1].set(.milliseconds(500))
        case .outage: try takeAway(HostsCast.groups[random.below(2)], cast)
        case .churn: try churn(cast)
        case .clock:
            let name = someone(in: cast)
            let seconds = [1, 90, 3_600, 2_592_000][random.below(4)]
            let ahead = random.below(2) == 0 ? seconds : -seconds
            note("the clock of \(name) is set by \(ahead) s")
            try cast.set(clockOf: name, ahead: .seconds(ahead))
        }
    }

    private mutating func strike(_ fault: Fault, _ name: String, _ cast: HostsCast) throws {
        guard let actor = cast.actors[name], actor.isRunning else { return }
        switch fault {
        case .kill:
            note("\(name) is killed")
            actor.stop()
        case .freeze:
            note("\(name) stands still")
            actor.signal(SIGSTOP)
            cast.stopped.insert(name)
        default:
            guard !cast.stopped.contains(name) else { return }
            note("\(name) is told to end")
            if !cast.end(name) { stubborn.append(name) }
        }
        // Half of those that are gone come back at once, the others when all is well again.
        if random.below(2) == 0 { try cast.revive() }
    }

    /// All workers of a group are gone until all is well again.
    private func takeAway(_ group: String, _ cast: HostsCast) throws {
        note("nobody is left of group \(group)")
        for part in cast.parts where part.name.hasPrefix("\(group)-") {
            cast.away.insert(part.name)
            cast.actors[part.name]?.stop()
        }
    }

    /// Workers go and come every half second.
    private mutating func churn(_ cast: HostsCast) throws {
        let names = cast.parts.map(\.name).filter { name in
            HostsCast.groups.contains { name.hasPrefix("\($0)-") }
        }
        for _ in 0..<6 {
            let name = names[random.below(names.count)]
            try strike(random.below(2) == 0 ? .kill : .leave, name, cast)
            cast.pause(.milliseconds(500))
            try cast.revive()
        }
    }

    private mutating func someone(in cast: HostsCast) -> String {
        let names = cast.parts.filter { !$0.isProxy }.map(\.name)
        return names[random.below(names.count)]
    }

    private mutating func line(_ fault: Fault) -> String {
        switch fault {
        case .slow: "delay=\(10 + random.below(200)) jitter=\(random.below(100))"
        case .silent: "silent=1"
        case .cuts: "cuts=0.0\(1 + random.below(9))"
        case .damage: "flips=0.\(1 + random.below(3)) swaps=0.0\(1 + random.below(9))"
        default: "cut"
        }
    }

    private func pairs(_ network: ChaosNetwork) -> [(Int, Int)] {
        (1...network.hosts).flatMap { source in
            (1...network.hosts).filter { $0 != source }.map { (source, $0) }
        }
    }

    /// Everything is as it should be again, but for clocks: half of them stay set.
    mutating func heal(_ cast: HostsCast) throws {
        note("heal")
        try cast.network.healAll()
        for host in 1...2 { cast.tell(host, "none") }
        for disk in cast.disks { disk.empty() }
        for pace in cast.paces { try pace.set(.zero) }
        for part in cast.parts where random.below(2) == 0 {
            try cast.set(clockOf: part.name, ahead: .zero)
        }
        for name in cast.stopped { cast.actors[name]?.signal(SIGCONT) }
        cast.stopped = []
        cast.away = []
        try cast.revive()
    }

    func note(_ text: String) {
        let seconds = (ContinuousClock.now - began) / .seconds(1)
        let tenths = Int(seconds * 10)
        try? history.write(contentsOf: Data("\(tenths / 10).\(tenths % 10) \(text)\n".utf8))
    }
}
