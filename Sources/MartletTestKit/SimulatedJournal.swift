internal import MartletDelivery
internal import MartletJournal
import Synchronization

/// The journal of a simulated publisher: the real one, on a disk that forgets, tears and fails.
struct SimulatedJournal {
    private let disk = SimulatedDisk()
    private let node: NodeID
    private let salts: SaltSource
    private let flaw: Flaw?
    private(set) var storage: Journal
    private var queue: CommitQueue
    private(set) var epoch: Epoch

    /// Small, so that segments are many.
    private static let segmentBytes = 5_000

    init(_ node: NodeID, _ flaw: Flaw?, _ generator: inout SimulationGenerator) {
        self.node = node
        self.flaw = flaw
        salts = SaltSource(generator.next())
        epoch = Epoch(start: 1, random: UInt32(truncatingIfNeeded: generator.next()))
        if flaw == .neverSynchronizes { disk.ignoreSynchronizing() }
        guard let storage = try? SimulatedJournal.open(disk, node, salts) else {
            preconditionFailure("a fresh disk does not fail")
        }
        self.storage = storage
        queue = CommitQueue(node, epoch)
        try? raise(epoch)
    }

    private static func open(
        _ disk: SimulatedDisk, _ node: NodeID, _ salts: SaltSource
    ) throws(MartletError) -> Journal {
        var configuration = Journal.Configuration()
        configuration.segmentBytes = segmentBytes
        return try Journal(on: disk, configuration, node: node, salt: { salts.next() })
    }

    private mutating func raise(_ epoch: Epoch) throws(MartletError) {
        var changes = StorageChanges()
        changes.streams = [FanoutWorld.stream: 16]
        changes.epoch = epoch
        try storage.commit(changes)
    }

    var channels: [StoredChannel] { storage.channels }

    var isDoubtful: Bool { queue.isDoubtful }

    mutating func add(_ frame: SealedFrame) {
        queue.add(.init(place: 0, stream: FanoutWorld.stream, frame: frame))
    }

    mutating func add(producers: [String: StoredProducer?]) { queue.add(producers: producers) }

    mutating func add(groups: [String: StoredGroup?], ledgers: [LedgerName: StoredLedger]) {
        queue.add(groups: groups, ledgers: ledgers)
    }

    /// What is on the disk afterwards, as far as it is known.
    mutating func commit(_ random: UInt32) -> [CommitQueue.Stored] {
        guard !queue.isEmpty else { return [] }
        var stored: [CommitQueue.Stored] = []
        try? queue.commit(to: storage, random: random) { stored.append($0) }
        return stored
    }

    /// The process is killed, or the power goes.
    func die(_ generator: inout SimulationGenerator) {
        guard generator.chance(oneIn: 2) else { return disk.killProcess() }
        var local = generator
        disk.cutPower { local.next() }
        generator = local
    }

    /// The disk fails behind so many operations, or works again.
    func failDisk(after count: Int?) { disk.fail(at: count.map { disk.operations + 1 + $0 }) }

    /// A new process opens the journal, and raises the epoch before it does anything else.
    mutating func restart(_ random: UInt32) throws(Violation) {
        failDisk(after: nil)
        do throws(MartletError) {
            storage = try SimulatedJournal.open(disk, node, salts)
            let next = Epoch(start: (storage.epoch?.start ?? 0) + 1, random: random)
            if flaw != .epochNotStored { try raise(next) }
            epoch = next
        } catch {
            throw Violation(invariant: "I1", description: "the journal cannot be opened: \(error)")
        }
        queue = CommitQueue(node, epoch)
    }
}

/// Salts of segments that follow from a seed.
final class SaltSource: Sendable {
    private let state: Lock<SimulationGenerator>

    init(_ seed: UInt64) { state = Lock(SimulationGenerator(seed: seed)) }

    func next() -> UInt64 { state.withLock { $0.next() } }
}
