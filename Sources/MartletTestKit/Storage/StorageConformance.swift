public import MartletCore
import MartletEvents

/// The promises of `Storage`, to be tried on any.
///
/// ```swift
/// try StorageConformance { try Journal(at: freshFolder()) } reopen: { journal in
///     try journal.close()
///     return try Journal(at: sameFolder())
/// }.check()
/// ```
public struct StorageConformance {
    /// A promise that was broken.
    public struct Violation: Error, CustomStringConvertible {
        /// Which, and how.
        public let description: String
    }

    private let make: () throws -> any Storage
    private let reopen: ((any Storage) throws -> any Storage)?

    /// The promises for storages that are made like this.
    ///
    /// - Parameters:
    ///   - make: an empty one.
    ///   - reopen: the same again, after it was closed; nil for one that forgets.
    public init(
        _ make: @escaping () throws -> any Storage,
        reopen: ((any Storage) throws -> any Storage)?
    ) {
        self.make = make
        self.reopen = reopen
    }

    /// Tries every promise, and throws the first `Violation`.
    public func check() throws {
        try empty(make())
        try frames(make())
        try budgets(make())
        try order(make())
        try epochs(make())
        try cursors(make())
        try producers(make())
        try work(make())
        try times(make())
        try firsts(make())
        try sizes(make())
        try closing(make())
        if let reopen { try memory(make(), reopen) }
    }

    static let epoch = Epoch(start: 1, random: 7)

    func hold(_ condition: Bool, _ text: @autoclosure () -> String) throws {
        if !condition { throw Violation(description: text()) }
    }

    func channel(_ storage: any Storage, lane: Int = 1) -> Channel {
        Channel(node: storage.node, stream: "orders", lane: lane)
    }

    /// An epoch and a stream, without which there are no frames.
    func begin(_ storage: any Storage) throws {
        var changes = StorageChanges()
        changes.epoch = StorageConformance.epoch
        changes.streams = ["orders": 16]
        try storage.commit(changes)
    }

    func store(_ frames: [StoredFrame], in storage: any Storage) throws {
        var changes = StorageChanges()
        changes.frames = frames
        try storage.commit(changes)
    }

    // MARK: Promises

    private func empty(_ storage: any Storage) throws {
        try hold(storage.epoch == nil, "an empty storage has an epoch")
        try hold(storage.channels.isEmpty, "an empty storage has channels")
        try hold(storage.cursors.isEmpty, "an empty storage has cursors")
        let nothing = try storage.read(channel(storage), from: 1, byteCountMax: 1_000)
        try hold(nothing.frames.isEmpty, "an empty storage has frames")
        try hold(
            try storage.sequence(at: .earliest, of: channel(storage)) == 1,
            "an empty channel goes on with something else than its first event")
    }

    private func frames(_ storage: any Storage) throws {
        try begin(storage)
        try hold(storage.epoch == StorageConformance.epoch, "the epoch is another")
        try hold(storage.partitions == ["orders": 16], "the partitions are others")
        var series = (1...3).map {
            FrameSeries(channel(storage, lane: $0), StorageConformance.epoch)
        }
        var stored: [StoredFrame] = []
        for round in 1...20 {
            let some = try series.indices.map { try series[$0].frame(round % 4 + 1) }
            try store(some, in: storage)
            stored += some
        }
        for lane in 1...3 {
            let channel = channel(storage, lane: lane)
            let own = stored.filter { $0.channel == channel }
            for (place, frame) in own.enumerated() {
                for sequence in [frame.sequences.lowerBound, frame.sequences.upperBound - 1] {
                    let read = try storage.read(channel, from: sequence, byteCountMax: .max)
                    try hold(
                        read.frames.map(\.bytes) == own[place...].map(\.bytes)
                            && read.damaged == nil,
                        "event \(sequence) of lane \(lane) is not read as it was stored")
                    try hold(
                        read.frames.map(\.sequences) == own[place...].map(\.sequences),
                        "the numbers of lane \(lane) are others")
                }
            }
            let known = storage.channels.first { $0.channel == channel }
            try hold(
                known?.first == 1 && known?.next == series[lane - 1].next,
                "lane \(lane) ends elsewhere")
            let behind = try storage.read(
                channel, from: series[lane - 1].next, byteCountMax: .max)
            try hold(behind.frames.isEmpty, "there is something behind the last event")
        }
    }

    private func budgets(_ storage: any Storage) throws {
        try begin(storage)
        var series = FrameSeries(channel(storage), StorageConformance.epoch)
        let stored = try (0..<10).map { _ in try series.frame(1) }
        try store(stored, in: storage)
        let size = stored[0].bytes.count
        for budget in [0, 1, size, 2 * size, 5 * size + 1] {
            let read = try storage.read(channel(storage), from: 2, byteCountMax: budget)
            try hold(
                read.frames.count == max(1, budget / size),
                "\(read.frames.count) frames of \(size) bytes were read for \(budget)")
        }
    }

    private func order(_ storage: any Storage) throws {
        try begin(storage)
        var series = FrameSeries(channel(storage), StorageConformance.epoch)
        let (first, second) = (try series.frame(2), try series.frame(2))
        try store([first], in: storage)
        for wrong in [[first], [second, second]] {
            do { try store(wrong, in: storage) } catch { continue }
            throw Violation(description: "a frame that does not follow was stored")
        }
        try hold(
            storage.channels.map(\.next) == [3], "a commit that was refused left something")
        try store([second], in: storage)
        let read = try storage.read(channel(storage), from: 1, byteCountMax: .max)
        try hold(read.frames.map(\.bytes) == [first.bytes, second.bytes], "the frames are others")
    }

    private func epochs(_ storage: any Storage) throws {
        try begin(storage)
        var series = FrameSeries(channel(storage), StorageConformance.epoch)
        try store([try series.frame(5)], in: storage)
        var changes = StorageChanges()
        changes.epoch = Epoch(start: 2, random: 1)
        series.epoch = Epoch(start: 2, random: 1)
        changes.frames = [try series.frame(3)]
        try storage.commit(changes)
        let stored = storage.channels.first
        try hold(
            stored?.epochs == [
                .init(StorageConformance.epoch, first: 1),
                .init(Epoch(start: 2, random: 1), first: 6),
            ], "the table of epochs is \(stored?.epochs ?? [])")
        try hold(
            stored?.reaches(5, in: StorageConformance.epoch) == true
                && stored?.reaches(6, in: StorageConformance.epoch) == false
                && stored?.reaches(8, in: Epoch(start: 2, random: 1)) == true
                && stored?.reaches(9, in: Epoch(start: 2, random: 1)) == false,
            "an epoch ends elsewhere")
        let frames = try storage.read(channel(storage), from: 1, byteCountMax: .max).frames
        try hold(
            frames.map(\.epoch) == [StorageConformance.epoch, Epoch(start: 2, random: 1)],
            "frames are of other epochs")
    }

    private func cursors(_ storage: any Storage) throws {
        let position = Position(
            channel: channel(storage), epoch: StorageConformance.epoch, sequence: 5)
        var changes = StorageChanges()
        changes.cursors = ["ledger": [position], "other": [position]]
        var calls = 0
        try storage.commit(changes) { calls += storage.cursors.isEmpty ? 1 : 10 }
        try hold(calls == 1, "what is to be done meanwhile is not done once, before the commit")
        let later = Position(
            channel: channel(storage), epoch: StorageConformance.epoch, sequence: 9)
        changes.cursors = ["ledger": [later], "other": []]
        try storage.commit(changes)
        try hold(storage.cursors == ["ledger": [later]], "the cursors are \(storage.cursors)")
        changes.cursors = [String(repeating: "x", count: 1_000): [position]]
        do { try storage.commit(changes) } catch { return }
        throw Violation(description: "a cursor has a name without end")
    }

    private func producers(_ storage: any Storage) throws {
        try begin(storage)
        var series = FrameSeries(channel(storage), StorageConformance.epoch)
        var changes = StorageChanges()
        changes.frames = [try series.frame(3)]
        let run = StoredProducer.Run(first: 1, channel: channel(storage), sequences: 1..<4)
        let web = StoredProducer(
            epoch: Epoch(start: 1, random: 9), next: 4, usedAt: StorageConformance.time(1),
            runs: [run])
        changes.producers = ["web": web, "other": web]
        try storage.commit(changes)
        try hold(
            storage.producers == ["web": web, "other": web],
            "the producers are \(storage.producers)")
        var later = web
        (later.next, later.usedAt) = (9, StorageConformance.time(2))
        changes = StorageChanges()
        changes.producers = ["web": later, "other": nil]
        try storage.commit(changes)
        try hold(storage.producers == ["web": later], "the producers are \(storage.producers)")
    }

    private func work(_ storage: any Storage) throws {
        try begin(storage)
        var series = FrameSeries(channel(storage), StorageConformance.epoch)
        var changes = StorageChanges()
        changes.frames = [try series.frame(9)]
        let group = StoredGroup(
            definition: Bytes([1, 2]), starts: [channel(storage): 4], before: Bytes([3]))
        let name = LedgerName("mailer", channel(storage))
        changes.groups = ["mailer": group, "other": group]
        changes.ledgers = [name: StorageConformance.ledger]
        changes.ledgers[LedgerName("other", channel(storage))] = StoredLedger(from: 2)
        try storage.commit(changes)
        try hold(
            storage.groups == ["mailer": group, "other": group],
            "the groups are \(storage.groups)")
        changes = StorageChanges()
        changes.groups = ["other": nil]
        try storage.commit(changes)
        try hold(storage.groups == ["mailer": group], "the groups are \(storage.groups)")
        // With a group go its ledgers.
        try hold(
            storage.ledgers == [name: StorageConformance.ledger],
            "the ledgers are \(storage.ledgers)")
    }

    /// A ledger with something of everything.
    package static var ledger: StoredLedger {
        var ledger = StoredLedger(from: 3)
        ledger.settled = SequenceSet(5..<8)
        ledger.settled.insert(9..<10)
        ledger.reopened = SequenceSet(1..<2)
        ledger.parkedKeys = [7, 0xFEDC_BA98_7654_3210]
        ledger.tally.reopened = 5
        ledger.leasedThrough = 4_099
        ledger.failing = [.init(4, attempts: 2), .init(8, attempts: 1)]
        ledger.losses = [.init(1..<3, .expired)]
        ledger.tally.handled = 300
        ledger.tally.dead = 1
        ledger.tally.repeated = 2
        ledger.tally.lost = 2
        return ledger
    }

    private func times(_ storage: any Storage) throws {
        try begin(storage)
        var series = FrameSeries(channel(storage), StorageConformance.epoch)
        // Clocks go back: what comes after 50 counts as 50.
        let seconds: [Int64] = [10, 50, 20, 60]
        let frames = try seconds.map {
            try series.frame(2, at: StorageConformance.time($0))
        }
        try store(frames, in: storage)
        for (time, sequence) in [(0, 1), (10, 1), (11, 3), (50, 3), (51, 7), (60, 7), (61, 9)] {
            let found = try storage.sequence(
                at: StorageConformance.time(Int64(time)), of: channel(storage))
            try hold(found == UInt64(sequence), "time \(time) begins with event \(found)")
        }
    }

    private static func time(_ seconds: Int64) -> Timestamp {
        Timestamp(microseconds: seconds * 1_000_000) ?? .earliest
    }

    private func firsts(_ storage: any Storage) throws {
        try begin(storage)
        var series = FrameSeries(channel(storage), StorageConformance.epoch)
        try store(try (0..<10).map { _ in try series.frame(2) }, in: storage)
        for (first, kept) in [(UInt64(6), UInt64(6)), (3, 6), (100, 21)] {
            var changes = StorageChanges()
            changes.firsts = [channel(storage): first]
            try storage.commit(changes)
            try storage.shrink()
            try hold(
                storage.channels.map(\.first) == [kept], "the first event kept is another")
            let read = try storage.read(channel(storage), from: 1, byteCountMax: 1)
            try hold(
                read.frames.first.map { $0.sequences.contains(kept) } ?? (kept == 21),
                "what is kept no more is read")
        }
        try store([try series.frame(1)], in: storage)
        try hold(storage.channels.map(\.next) == [22], "the numbers begin anew")
    }

    private func sizes(_ storage: any Storage) throws {
        try begin(storage)
        var series = FrameSeries(channel(storage), StorageConformance.epoch)
        for _ in 0..<50 { try store([try series.frame(1)], in: storage) }
        try hold(
            try storage.firsts(of: "orders", keeping: 1_000_000).isEmpty,
            "what fits would not be kept")
        try hold(
            try storage.firsts(of: "others", keeping: 0).isEmpty, "another stream would lose events"
        )
        let firsts = try storage.firsts(of: "orders", keeping: 600)
        // Storages give room back in pieces of their own.
        guard let first = firsts[channel(storage)] else { return }
        let kept = try storage.read(channel(storage), from: first, byteCountMax: .max).frames
        let next = try storage.read(channel(storage), from: first - 1, byteCountMax: 1).frames
        try hold(
            kept.reduce(0) { $0 + $1.bytes.count } <= 600 || first <= 51 && !next.isEmpty,
            "more would be kept than was asked for")
    }

    private func closing(_ storage: any Storage) throws {
        try begin(storage)
        try storage.close()
        do { try begin(storage) } catch {
            try hold((error as? MartletError)?.code == .closed, "closing leads to \(error)")
            return
        }
        throw Violation(description: "a closed storage keeps on")
    }

    private func memory(
        _ storage: any Storage, _ reopen: (any Storage) throws -> any Storage
    ) throws {
        try begin(storage)
        var series = FrameSeries(channel(storage), StorageConformance.epoch)
        var frames: [StoredFrame] = []
        var storage = storage
        for round in 1...5 {
            var changes = StorageChanges()
            changes.frames = [try series.frame(round), try series.frame(1)]
            changes.cursors = [
                "ledger": [
                    Position(
                        channel: channel(storage), epoch: series.epoch, sequence: UInt64(round))
                ]
            ]
            frames += changes.frames
            changes.producers = [
                "web": StoredProducer(
                    epoch: series.epoch, next: UInt64(round), usedAt: .earliest,
                    runs: [.init(first: 1, channel: channel(storage), sequences: 1..<2)])
            ]
            changes.groups = [
                "mailer": StoredGroup(
                    definition: Bytes([UInt8(round)]), starts: [channel(storage): UInt64(round)])
            ]
            changes.ledgers = [
                LedgerName("mailer", channel(storage)): StorageConformance.ledger
            ]
            try storage.commit(changes)
            let before = (
                storage.channels, storage.cursors, storage.partitions, storage.epoch,
                storage.producers
            )
            let work = (storage.groups, storage.ledgers)
            storage = try reopen(storage)
            try hold(
                before == (
                    storage.channels, storage.cursors, storage.partitions, storage.epoch,
                    storage.producers
                ) && work == (storage.groups, storage.ledgers),
                "it is another after it was closed and opened")
            let read = try storage.read(channel(storage), from: 1, byteCountMax: .max)
            try hold(read.frames == frames, "the frames are others after it was opened again")
        }
    }
}
