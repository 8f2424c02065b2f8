import Foundation
import MartletCommandLine

/// Something that goes wrong, and what must hold all the same.
enum Scenario: String, CaseIterable {
    case restart, stop, network, crowd
    case kills, producers, states, groups
    case hosts

    var summary: String {
        switch self {
        case .restart: "the publisher is killed and started again, four times, with five readers"
        case .stop: "a reader is stopped for 30 s at 20,000 events a second, and outruns the ring"
        case .network: "a reader is cut off, hears nothing, and loses 5 % of its packets"
        case .kills: "a publisher with a journal is killed again and again, --kills times"
        case .producers:
            "producers and their node are killed, or stand still and are replaced, --kills times"
        case .states: "a state of events is killed again and again, --kills times"
        case .groups:
            "workers of a group and their node are killed, stopped or replaced, --kills times"
        case .crowd: "a hundred readers at 1,000 events a second"
        case .hosts: "the programs on five hosts, to which everything happens, for --minutes"
        }
    }

    /// Why it cannot be run here; nil if it can.
    var obstacle: String? {
        self == .network || self == .hosts ? ChaosNetwork.obstacle : nil
    }

    /// Those that are run where none is named.
    static let usual = allCases.filter { $0 != .hosts }

    func run(_ random: inout SplitMix64, kills: Int, minutes: Int) throws {
        switch self {
        case .restart: try Scenario.restart(&random)
        case .stop: try Scenario.stop(&random)
        case .network: try Scenario.network(&random)
        case .crowd: try Scenario.crowd()
        case .kills:
            var journal = try JournalKills()
            try journal.run(kills, &random)
        case .producers:
            var producers = try ProducerKills()
            try producers.run(kills, &random)
        case .states:
            var states = try StateKills()
            try states.run(kills, &random)
        case .groups:
            var work = try WorkKills()
            try work.run(kills, &random)
        case .hosts:
            var hosts = try HostsRun(seed: UInt64(random.below(1 << 30)))
            try hosts.run(minutes)
        }
    }

    private static func endpoint() -> String {
        "ipc://\(FileManager.default.temporaryDirectory.path)/martlet-chaos-\(UUID().uuidString)"
    }

    private static func restart(_ random: inout SplitMix64) throws {
        let stage = try ChaosStage()
        let endpoint = endpoint()
        var publisher = try stage.publisher(at: endpoint, perSecond: 5_000, ringMiB: 16)
        let readers = try stage.subscribers("readers", count: 5, of: endpoint)
        try stage.waitForStart(readers)
        for _ in 1...4 {
            stage.pause(.milliseconds(Int64(random.below(2_000))))
            publisher.stop()
            stage.pause(.milliseconds(Int64(random.below(4_000))))
            publisher = try stage.publisher(at: endpoint, perSecond: 5_000, ringMiB: 16)
            try stage.waitForLagToEnd(readers)
        }
        stage.say(readers)
        try stage.check(readers)
        for audit in readers.audits where audit.gaps["instanceGone", default: 0] < 4 {
            throw ChaosFailure("an end of a publisher was not reported")
        }
    }

    private static func stop(_ random: inout SplitMix64) throws {
        let stage = try ChaosStage()
        let endpoint = "tcp://127.0.0.1:\(20_000 + random.below(20_000))"
        let publisher = try stage.publisher(at: endpoint, perSecond: 20_000, ringMiB: 16)
        let stopped = try stage.subscribers("stopped", of: endpoint)
        let others = try stage.subscribers("others", count: 2, of: endpoint)
        try stage.waitForStart(stopped)
        try stage.waitForStart(others)
        stopped.signal(SIGSTOP)
        stage.pause(.seconds(30))
        try stage.waitForLagToEnd(others, within: .seconds(2))
        stopped.signal(SIGCONT)
        try stage.waitForLagToEnd(stopped)
        stage.say(stopped)
        stage.say(others)
        try stage.check(stopped)
        try stage.check(others)
        guard let audit = stopped.audits.first, audit.gaps["expired", default: 0] > 0,
            audit.lost > 0
        else { throw ChaosFailure("what had left the ring was not reported") }
        guard others.audits.allSatisfy({ $0.gaps.isEmpty }) else {
            throw ChaosFailure("others lost events too")
        }
        guard publisher.residentKiB < (16 + 64) << 10 else {
            throw ChaosFailure("the publisher has \(publisher.residentKiB >> 10) MiB of memory")
        }
    }

    private static func network(_ random: inout SplitMix64) throws {
        let network = try ChaosNetwork(hosts: 3)
        let stage = try ChaosStage()
        let endpoint = "tcp://\(network.address(1)):5550"
        _ = try stage.publisher(
            at: endpoint, perSecond: 5_000, ringMiB: 64, in: network.space(1))
        let cut = try stage.subscribers("cut", of: endpoint, in: network.space(2))
        let other = try stage.subscribers("other", of: endpoint, in: network.space(3))
        try stage.waitForStart(cut)
        try stage.waitForStart(other)
        for oneWay in [false, true, false] {
            try network.cut(2, oneWay: oneWay)
            stage.pause(.milliseconds(Int64(1_000 + random.below(14_000))))
            try stage.waitForLagToEnd(other, within: .seconds(2))
            try network.heal(2)
            try stage.waitForLagToEnd(cut)
        }
        try network.lose(5, 2)
        stage.pause(.seconds(10))
        try network.heal(2)
        try stage.waitForLagToEnd(cut)
        stage.say(cut)
        stage.say(other)
        try stage.check(cut)
        try stage.check(other)
        guard (cut.audits + other.audits).allSatisfy({ $0.lost == 0 }) else {
            throw ChaosFailure("events were lost that the ring had")
        }
    }

    private static func crowd() throws {
        let stage = try ChaosStage()
        let endpoint = endpoint()
        let publisher = try stage.publisher(at: endpoint, perSecond: 1_000, ringMiB: 16)
        let readers = try (1...10).map {
            try stage.subscribers("readers \($0)", count: 10, of: endpoint)
        }
        for actor in readers { try stage.waitForStart(actor) }
        stage.pause(.seconds(10))
        for actor in readers { try stage.waitForLagToEnd(actor) }
        for actor in readers {
            stage.say(actor)
            try stage.check(actor, residentMiBMax: 512)
            guard actor.audits.allSatisfy({ $0.lost == 0 }) else {
                throw ChaosFailure("\(actor.name) lost events that the ring had")
            }
        }
        guard publisher.residentKiB < (16 + 128) << 10 else {
            throw ChaosFailure("the publisher has \(publisher.residentKiB >> 10) MiB of memory")
        }
    }
}

/// Draws that a seed repeats.
struct SplitMix64 {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func below(_ limit: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)) % UInt64(limit))
    }
}
