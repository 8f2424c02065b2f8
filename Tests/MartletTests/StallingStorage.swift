import Dispatch
import MartletSockets
import MartletTestKit
import Synchronization

@testable import Martlet

/// A storage in memory, whose medium stalls when it is told to.
final class StallingStorage: Storage {
    private let storage = MemoryStorage()
    private let loop: SocketLoop
    private let stallsLoop = Atomic<Bool>(false)
    private let mayGoOn = DispatchSemaphore(value: 0)
    /// The loop's thread is held up.
    let stalled = Seen<Void>()
    private let counts = Mutex((byLoop: 0, byWriter: 0))

    /// How often each thread has committed something.
    var commits: (byLoop: Int, byWriter: Int) { counts.withLock { $0 } }

    init(for loop: SocketLoop) { self.loop = loop }

    /// The next commit of the loop's thread takes until `goOn`.
    func stallLoop() { stallsLoop.store(true, ordering: .sequentiallyConsistent) }

    func goOn() { mayGoOn.signal() }

    func commit(_ changes: StorageChanges, meanwhile: () -> Void) throws(MartletError) {
        let isErrand = loop.errand != nil
        counts.withLock { counts in
            if isErrand { counts.byLoop += 1 } else { counts.byWriter += 1 }
        }
        if isErrand, stallsLoop.exchange(false, ordering: .sequentiallyConsistent) {
            stalled.add(())
            mayGoOn.wait()
        }
        try storage.commit(changes, meanwhile: meanwhile)
    }

    var node: NodeID { storage.node }
    var epoch: Epoch? { storage.epoch }
    var partitions: [StreamName: Int] { storage.partitions }
    var channels: [StoredChannel] { storage.channels }
    var cursors: [String: [Position]] { storage.cursors }
    var producers: [String: StoredProducer] { storage.producers }
    var groups: [String: StoredGroup] { storage.groups }
    var ledgers: [LedgerName: StoredLedger] { storage.ledgers }
    var byteCount: UInt64 { storage.byteCount }

    func read(
        _ channel: Channel, from sequence: UInt64, byteCountMax: Int
    ) throws(MartletError) -> StoredEvents {
        try storage.read(channel, from: sequence, byteCountMax: byteCountMax)
    }

    func sequence(at time: Timestamp, of channel: Channel) throws(MartletError) -> UInt64 {
        try storage.sequence(at: time, of: channel)
    }

    func firsts(
        of stream: StreamName, keeping byteCount: UInt64
    ) throws(MartletError) -> [Channel: UInt64] {
        try storage.firsts(of: stream, keeping: byteCount)
    }

    func shrink() throws(MartletError) { try storage.shrink() }

    func recover() throws(MartletError) { try storage.recover() }

    func check(_ progress: (UInt64) -> Void) throws(MartletError) -> [StorageDamage] {
        try storage.check(progress)
    }

    func close() throws(MartletError) { try storage.close() }
}
