internal import MartletDelivery
internal import MartletJournal

/// A publisher of a simulated world whose events groups of workers share: in memory, or with a
/// journal that may fail.
struct WorkNode {
    private let flaw: Flaw?
    let id: NodeID
    var machine: FanoutPublisher
    var dispatcher: Dispatcher
    private(set) var journal: SimulatedJournal?
    private var epoch: Epoch
    private var nexts: [Int: UInt64] = [:]
    /// Raised with each start: what is under way to the one before never arrives.
    private(set) var life = 0
    /// Sealed frames that are not stored yet.
    private var unstored: [SealedFrame] = []
    /// What groups have set aside.
    private(set) var letters = WorkLetters()

    static let partitions = 4

    init(
        isDurable: Bool, _ flaw: Flaw?, _ generator: inout SimulationGenerator,
        at now: MonotonicTime
    ) {
        self.flaw = flaw
        id = NodeID(high: generator.next(), low: generator.next())
        if isDurable { journal = SimulatedJournal(id, flaw, &generator) }
        epoch = journal?.epoch ?? Epoch(start: 1, random: 7)
        let instance = Instance(node: id, epoch: epoch)
        machine = FanoutPublisher(
            instance, named: "node", dataEndpoint: "sim://data", firstSession: generator.next())
        dispatcher = Dispatcher(instance, seed: generator.next(), at: now)
        begin(&generator, at: now)
    }

    private mutating func begin(_ generator: inout SimulationGenerator, at now: MonotonicTime) {
        let instance = Instance(node: id, epoch: epoch)
        machine = FanoutPublisher(
            instance, named: "node", dataEndpoint: "sim://data", firstSession: generator.next())
        machine.add(FanoutWorld.stream, stored: journal?.channels)
        var ledgers = journal?.storage.ledgers ?? [:]
        if flaw == .leasesUnclaimedEarly {
            for name in ledgers.keys {
                let next = ledgers[name]?.next ?? 1
                ledgers[name]?.leasedThrough = next
            }
        }
        if flaw == .leasesFromLeasedThrough {
            for (name, ledger) in ledgers {
                ledgers[name]?.next = max(ledger.next, ledger.leasedThrough)
                ledgers[name]?.settled = SequenceSet()
            }
        }
        if flaw == .parksInMemory { for name in ledgers.keys { ledgers[name]?.parkedKeys = [] } }
        if flaw == .reopensInMemory {
            for name in ledgers.keys { ledgers[name]?.reopened = SequenceSet() }
        }
        if flaw == .attemptsInMemory {
            for name in ledgers.keys { ledgers[name]?.failing = [] }
        }
        dispatcher = Dispatcher(
            instance, isStored: journal != nil, groups: journal?.storage.groups ?? [:],
            ledgers: ledgers, seed: generator.next(), at: now)
        dispatcher.add(
            FanoutWorld.stream, partitions: WorkNode.partitions, isDurable: journal != nil,
            ringBytes: 1_048_576, in: machine, at: now)
    }

    // MARK: Events

    /// Appends events of one lane, as a frame.
    mutating func publish(
        _ events: [WorkedEvent], watchedBy groups: [String], at now: UInt64
    ) -> [WorkedEvent] {
        let key = events[0].key
        let lane =
            key.map { (try? Partitioning(WorkNode.partitions))?.lane(ofKey: $0) ?? 0 } ?? 0
        let first = nexts[lane] ?? 1
        let channel = Channel(node: id, stream: FanoutWorld.stream, lane: lane)
        var builder = FrameBuilder(
            channel: channel, epoch: epoch, nextSequence: first, isDurable: journal != nil)
        let time = Timestamp(microseconds: Int64(now)) ?? .earliest
        var placed: [WorkedEvent] = []
        do throws(MartletError) {
            let kind = try EventDefinition(topic: "sim.events", contentType: .text)
            for event in events {
                let sequence = try builder.append(
                    event.payload, with: TextCodec(), of: kind, at: time, key: event.key)
                placed.append(event.placed(lane: lane, sequence: sequence ?? 0))
            }
        } catch { preconditionFailure("such events are allowed") }
        let sequences = first..<first + UInt64(events.count)
        nexts[lane] = sequences.upperBound
        let frame = SealedFrame(
            lane: lane, sequences: sequences, latest: time, bytes: builder.seal())
        // Some of them are watched, for all groups.
        for event in placed where event.isWatched {
            for group in groups {
                _ = dispatcher.watch(
                    WatchedEvent(group: group, channel: channel, sequence: event.sequence))
            }
        }
        let clock = MonotonicTime(microseconds: now)
        if journal == nil { seal(frame, at: clock) } else { unstored.append(frame) }
        return placed
    }

    private mutating func seal(_ frame: SealedFrame, at now: MonotonicTime) {
        machine.seal(frame, of: 0, at: now)
        dispatcher.sealed(frame, of: FanoutWorld.stream, in: machine, at: now)
    }

    /// The number of events of a lane that are published or on their way.
    func end(of lane: Int) -> UInt64 { nexts[lane] ?? 1 }

    // MARK: The journal

    var isDoubtful: Bool { journal?.isDoubtful ?? false }

    mutating func commit(_ generator: inout SimulationGenerator, at now: MonotonicTime) {
        guard journal != nil else { return }
        let random = UInt32(truncatingIfNeeded: generator.next())
        if !isDoubtful {
            for frame in unstored { journal?.add(frame) }
            unstored = []
            letters.beginStoring()
            let changes = dispatcher.takeChanges()
            journal?.add(groups: changes.groups, ledgers: changes.ledgers)
            if flaw == .settlesBeforeCommit { dispatcher.committed(at: now) }
        }
        for stored in journal?.commit(random) ?? [] {
            machine.raise(stored.epoch)
            for entry in stored.entries { seal(entry.frame, at: now) }
        }
        if !isDoubtful {
            letters.stored()
            dispatcher.committed(at: now)
        }
    }

    // MARK: Letters

    /// A group has given an event up.
    mutating func note(_ letter: DeadEvent) { letters.add(letter, isDurable: journal != nil) }

    /// Nothing more of a key is set aside: what is there must be stored before it goes on.
    mutating func hold(_ letter: DeadEvent) -> Set<HeldKey> {
        dispatcher.hold([HeldKey(of: letter.event)].compactMap(\.self), of: letter.group)
    }

    /// What a group has set aside of these keys, or this one event, is tried again. Returns those
    /// that are.
    mutating func reopen(
        _ letter: DeadEvent, _ held: Set<HeldKey>, at now: MonotonicTime
    ) -> [DeadEvent] {
        let chosen = letters.open(like: letter, held)
        if flaw == .releasesEarly {
            dispatcher.release(held, of: letter.group, goingOn: true, at: now)
        }
        let isTaken = dispatcher.reopen(chosen.map(\.event), of: letter.group, at: now)
        let taken = isTaken ? chosen : []
        for letter in taken {
            let lane = letter.event.frame.channel.lane
            letters.close(
                letter, isDurable: journal != nil,
                count: ledger(letter.group, lane)?.tally.reopened ?? 0)
        }
        dispatcher.release(held, of: letter.group, goingOn: isTaken, at: now)
        return taken
    }

    /// What was reopened before a restart comes from the letters.
    mutating func restore(at now: MonotonicTime) {
        for (name, sequences) in dispatcher.awaited {
            let events = letters.latest(of: name, sequences)
            dispatcher.restore(events, of: name, at: now)
        }
    }

    /// What a group asks for.
    func answer(_ read: WorkRead) -> (StoredAnswer, first: UInt64) {
        let stored = journal?.channels.first { $0.channel == read.channel }
        let events = try? journal?.storage.read(read.channel, from: read.from, byteCountMax: 1_000)
        return (events.map { .events($0) } ?? .failed, stored?.first ?? 1)
    }

    mutating func die(_ generator: inout SimulationGenerator) { journal?.die(&generator) }

    func failDisk(after count: Int?) { journal?.failDisk(after: count) }

    mutating func restart(
        _ generator: inout SimulationGenerator, at now: MonotonicTime
    ) throws(Violation) {
        life += 1
        unstored = []
        try journal?.restart(UInt32(truncatingIfNeeded: generator.next()))
        epoch = journal?.epoch ?? epoch
        nexts = [:]
        for stored in journal?.channels ?? [] { nexts[stored.channel.lane] = stored.next }
        letters.restart(storedLedgers)
        begin(&generator, at: now)
    }

    /// The ledgers that are on disk.
    var storedLedgers: [LedgerName: StoredLedger] { journal?.storage.ledgers ?? [:] }

    /// The ledger of a group for a lane, as the dispatcher has it.
    func ledger(_ group: String, _ lane: Int) -> StoredLedger? {
        dispatcher.status.first { $0.definition.name == group }?.lanes
            .first { $0.channel.lane == lane }?.ledger
    }
}

/// An event that groups work on.
struct WorkedEvent: Hashable {
    let number: Int
    let key: String?
    /// Whether it kills the process that handles it.
    let isPoison: Bool
    /// Whether it fails whenever it is tried.
    let isBad: Bool
    var lane = 0
    var sequence: UInt64 = 0

    var payload: String { "\(number)" }

    /// Whether whoever published it wants to know what becomes of it.
    var isWatched: Bool { number.isMultiple(of: 3) }

    func placed(lane: Int, sequence: UInt64) -> WorkedEvent {
        var placed = self
        (placed.lane, placed.sequence) = (lane, sequence)
        return placed
    }
}
