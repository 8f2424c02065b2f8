import MartletCore
import MartletJournal
import MartletTestKit
import Testing

/// What was confirmed is there after whatever happens.
@Suite(.timeLimit(.minutes(5))) struct CrashTests {
    /// Power cuts and kills at random moments of random histories.
    @Test func whatWasConfirmedOutlivesPowerCuts() throws {
        for seed in UInt64(1)...150 {
            var history = try History(seed: seed)
            for _ in 0..<12 {
                history.run(steps: Int(history.random.next() % 30))
                let after = history.disk.operations + 1 + Int(history.random.next() % 12)
                history.disk.fail(at: after)
                history.run(steps: 20)
                if history.random.next() % 2 == 0 { history.cutPower() } else { history.kill() }
                try history.reopen()
            }
        }
    }

    /// Every operation of the disk fails in turn, until a run is clean; the journal looks again,
    /// and goes on.
    @Test func everyOperationMayFail() throws {
        var clean = false
        var operation = 1
        while !clean {
            var history = try History(seed: 5)
            let before = history.disk.operations
            history.disk.fail(at: before + operation)
            history.run(steps: 60)
            clean = history.disk.operations < before + operation
            history.disk.fail(at: nil)
            try history.recover()
            history.run(steps: 30)
            try history.verify()
            history.cutPower()
            try history.reopen()
            operation += 1
        }
        #expect(operation > 100)
    }

    /// Opening fails at every operation in turn, and works when the disk does.
    @Test func openingMayFail() throws {
        var operation = 1
        while true {
            var history = try History(seed: 9)
            history.run(steps: 60)
            history.cutPower()
            let before = history.disk.operations
            history.disk.fail(at: before + operation)
            let isOpened = (try? history.reopen()) != nil
            history.disk.fail(at: nil)
            history.cutPower()
            try history.reopen()
            if isOpened { break }
            operation += 1
        }
        #expect(operation > 5)
    }

    /// A full disk is an error for who commits, and reading goes on; with room, so does writing.
    @Test func aDiskMayBeFull() throws {
        var history = try History(seed: 3)
        history.run(steps: 20)
        let size = history.disk.names.reduce(0) { $0 + history.disk.content(of: $1).count }
        history.disk.limit(to: size + 100)
        #expect(throws: MartletError.self) {
            for _ in 0..<100 { try history.commit() }
        }
        try history.verify()
        history.disk.limit(to: .max)
        try history.recover()
        for _ in 0..<20 { try history.commit() }
        try history.verify()
    }
}

/// Commits to a journal on a simulated disk, and what must be there.
struct History {
    let disk = SimulatedDisk()
    var random: SimulationGenerator
    private(set) var journal: Journal
    private var configuration = Journal.Configuration()
    private var confirmed: [Channel: [StoredFrame]] = [:]
    private var cursors: [String: [Position]] = [:]
    /// What may be there, or not: as a whole.
    private var unconfirmed: [StoredFrame] = []
    private var series: [FrameSeries] = []
    private var epoch = Epoch(start: 1, random: 0)

    init(seed: UInt64) throws {
        random = SimulationGenerator(seed: seed)
        configuration.segmentBytes = 4_000
        journal = try Journal(on: disk, configuration)
        try begin()
    }

    private mutating func begin() throws {
        epoch = Epoch(start: (journal.epoch?.start ?? 0) + 1, random: 0)
        var changes = StorageChanges()
        changes.epoch = epoch
        changes.streams = ["orders": 16]
        try journal.commit(changes)
        series = (1...3).map { lane in
            let channel = Channel(node: journal.node, stream: "orders", lane: lane)
            let next = journal.channels.first { $0.channel == channel }?.next ?? 1
            return FrameSeries(channel, epoch, next: next)
        }
    }

    /// Commits until one fails.
    mutating func run(steps: Int) {
        for _ in 0..<steps {
            do { try commit() } catch { return }
        }
    }

    mutating func commit() throws {
        var changes = StorageChanges()
        for _ in 0...random.next() % 3 {
            let lane = Int(random.next() % 3)
            // Some events have the size of several sectors.
            let padding = random.next() % 8 == 0 ? 2_000 : 0
            changes.frames.append(
                try series[lane].frame(Int(random.next() % 4) + 1, padding: padding))
        }
        unconfirmed = changes.frames
        let cursor = Position(
            channel: changes.frames[0].channel, epoch: epoch,
            sequence: changes.frames[0].sequences.lowerBound)
        changes.cursors = ["ledger": [cursor]]
        try journal.commit(changes)
        unconfirmed = []
        cursors = changes.cursors
        for frame in changes.frames { confirmed[frame.channel, default: []].append(frame) }
    }

    mutating func cutPower() {
        var generator = random
        disk.cutPower { generator.next() }
        random = generator
    }

    func kill() { disk.killProcess() }

    mutating func reopen() throws {
        journal = try Journal(on: disk, configuration)
        try verify()
        try begin()
    }

    mutating func recover() throws {
        try journal.recover()
        try verify()
        try begin()
    }

    /// What was confirmed is there, and perhaps what was under way, in whole or not at all.
    mutating func verify() throws {
        var isExtraThere: Bool?
        for stored in journal.channels {
            var frames: [StoredFrame] = []
            var next: UInt64 = 1
            while next < stored.next {
                let read = try journal.read(stored.channel, from: next, byteCountMax: 3_000)
                try #require(read.damaged == nil && !read.frames.isEmpty)
                frames += read.frames
                next = read.frames.last?.sequences.upperBound ?? next
            }
            let sure = confirmed[stored.channel] ?? []
            let extra = unconfirmed.filter { $0.channel == stored.channel }
            guard frames != sure || extra.isEmpty else {
                try #require(isExtraThere != true)
                isExtraThere = false
                continue
            }
            guard frames != sure else { continue }
            try #require(frames == sure + extra && !extra.isEmpty)
            try #require(isExtraThere != false)
            isExtraThere = true
        }
        for (channel, frames) in confirmed where !frames.isEmpty {
            try #require(journal.channels.contains { $0.channel == channel })
        }
        if isExtraThere == true {
            for frame in unconfirmed { confirmed[frame.channel, default: []].append(frame) }
        } else {
            try #require(journal.cursors == cursors)
        }
        cursors = journal.cursors
        unconfirmed = []
        #expect(try journal.check { _ in }.isEmpty)
    }
}
