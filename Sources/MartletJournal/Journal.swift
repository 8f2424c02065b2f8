public import MartletCore
import Synchronization

/// The durable record of a node: a log of segments in a folder.
///
/// What is committed together is written as one piece behind what is there, and synchronized. Where
/// it lies is in memory for the newest segment, and in the file of every other.
public final class Journal: Storage {
    /// How a journal is kept.
    public struct Configuration: Sendable {
        /// A segment that has reached this size is complete. Room is given back by whole segments.
        public var segmentBytes = Limits.segmentBytes

        /// The usual one.
        public init() {}
    }

    let disk: any Disk
    let configuration: Configuration
    private let lock: JournalLock?
    let makeSalt: @Sendable () -> UInt64
    /// Held while the journal is changed, also while the disk works: there is one writer.
    let writing = Lock(())
    /// Held for a look or a note, never while the disk works.
    let state: Lock<JournalState>

    /// What was noticed when the journal was opened, or looked at again.
    public var findings: [StorageFinding] { state.withLock { $0.findings } }

    /// Opens the journal in a folder, or begins one there.
    ///
    /// It throws `wrongState` while another process has it, and if the folder is a copy; `failed`
    /// if the newest segment is damaged at its beginning.
    public convenience init(
        at folder: String, _ configuration: Configuration = Configuration()
    ) throws(MartletError) {
        let disk = try FolderDisk(folder)
        let lock = try JournalLock(folder)
        try self.init(on: disk, configuration, lock: lock)
    }

    /// Opens the journal in a folder, which must be there.
    package convenience init(existingAt folder: String) throws(MartletError) {
        let disk = try FolderDisk(existing: folder)
        guard try disk.files().contains(where: { SegmentHead.number(of: $0) != nil }) else {
            throw MartletError(
                .wrongState, "There is no journal in \(folder). Name the folder of a node's.")
        }
        let lock = try JournalLock(folder)
        try self.init(on: disk, lock: lock)
    }

    /// Makes a folder that was copied, or restored from a backup, the original. The one that it is
    /// a copy of must never be used again.
    public static func adopt(_ folder: String) throws(MartletError) {
        try JournalLock(folder, adopting: true).release()
    }

    package init(
        on disk: any Disk, _ configuration: Configuration = Configuration(),
        lock: JournalLock? = nil, node: NodeID = .random(),
        salt: @escaping @Sendable () -> UInt64 = { .random(in: 0 ... .max) }
    ) throws(MartletError) {
        self.disk = disk
        self.configuration = configuration
        self.lock = lock
        makeSalt = salt
        var recovery = JournalRecovery(disk)
        state = Lock(try recovery.run(newNode: node))
        if state.withLock({ $0.active == nil }) { try begin() }
    }

    // MARK: What is kept

    /// Whose events are kept.
    public var node: NodeID { state.withLock { $0.node } }

    /// The last epoch that was raised.
    public var epoch: Epoch? { state.withLock { $0.epoch } }

    /// The streams, and their partitions.
    public var partitions: [StreamName: Int] { state.withLock { $0.partitions } }

    /// The channels that are kept.
    public var channels: [StoredChannel] { state.withLock { $0.channels } }

    /// The named positions.
    public var cursors: [String: [Position]] { state.withLock { $0.cursors } }

    /// Who submits events.
    public var producers: [String: StoredProducer] { state.withLock { $0.producers } }

    /// Groups of workers.
    public var groups: [String: StoredGroup] { state.withLock { $0.groups } }

    /// What they have done with the events of channels.
    public var ledgers: [LedgerName: StoredLedger] { state.withLock { $0.ledgers } }

    /// How many bytes are kept.
    public var byteCount: UInt64 {
        state.withLock { $0.segments.reduce(0) { $0 + UInt64($1.byteCount) } }
    }

    /// Does something with the state, unless the journal is closed.
    func withState<Result: Sendable>(
        _ body: (inout JournalState) throws(MartletError) -> Result
    ) throws(MartletError) -> Result {
        try state.withLock { (state) throws(MartletError) in
            guard !state.isClosed else {
                throw MartletError(.closed, "The journal is closed. Open it again.")
            }
            return try body(&state)
        }
    }

    // MARK: Committing

    /// Keeps all of it, or throws.
    public func commit(
        _ changes: StorageChanges, meanwhile: () -> Void
    ) throws(MartletError) {
        guard !changes.isEmpty else { return }
        try writing.withLock { (_) throws(MartletError) in
            try rollIfDue()
            let (prepared, segment) = try withState { (state) throws(MartletError) in
                guard let active = state.active else { throw Journal.doubtful }
                return (try PreparedGroup(changes, state, in: active), active)
            }
            let byteCount = try doubting { () throws(MartletError) in
                try write(prepared, to: segment, meanwhile)
            }
            state.withLock { state in
                segment.byteCount = byteCount
                state.apply(prepared, in: segment)
            }
        }
    }

    /// What throws leaves the journal doubtful: nobody knows what is on the disk.
    private func doubting<Result>(
        _ body: () throws(MartletError) -> Result
    ) throws(MartletError) -> Result {
        do throws(MartletError) { return try body() } catch {
            state.withLock { $0.isDoubtful = true }
            throw error
        }
    }

    private static let doubtful = MartletError(
        .failed,
        "A commit has failed, and nobody knows what of it is on the disk. Call `recover`.",
        isRetriable: true)

    /// Zeros are written ahead of small groups: a file whose length does not change is synchronized
    /// in two thirds of the time.
    private static let zerosAhead = 1_048_576
    private static let smallBytes = 65_536

    /// How long the file is then.
    private func write(
        _ group: PreparedGroup, to segment: Segment, _ meanwhile: () -> Void
    ) throws(MartletError) -> Int {
        let end = group.offset + group.byteCount
        var byteCount = segment.byteCount
        if group.byteCount <= Journal.smallBytes, end > byteCount {
            let count = max(group.byteCount, min(Journal.zerosAhead, configuration.segmentBytes))
            let zeros = Bytes([UInt8](repeating: 0, count: count))
            try segment.file.write([zeros], at: group.offset)
            try segment.file.synchronize()
            byteCount = group.offset + count
        }
        try segment.file.write(group.pieces, at: group.offset)
        segment.file.beginSynchronizing(at: group.offset, count: group.byteCount)
        meanwhile()
        try segment.file.synchronize()
        return max(byteCount, end)
    }

    private func rollIfDue() throws(MartletError) {
        let active = try withState { (state) throws(MartletError) -> Segment? in
            guard !state.isDoubtful else { throw Journal.doubtful }
            return state.active
        }
        guard let active, active.end >= configuration.segmentBytes else { return }
        try doubting { () throws(MartletError) in
            try finish(active)
            try begin()
        }
    }

    // MARK: The end

    /// Looks what is there, after a failure.
    public func recover() throws(MartletError) {
        try writing.withLock { (_) throws(MartletError) in
            let (node, segments) = try withState { (state) throws(MartletError) in
                (state.node, state.segments)
            }
            for segment in segments { segment.file.forgetCached() }
            var recovery = JournalRecovery(disk)
            let found = try recovery.run(newNode: node)
            state.withLock { $0 = found }
            if found.active == nil {
                try doubting { () throws(MartletError) in try begin() }
            }
        }
    }

    /// Ends its use.
    public func close() throws(MartletError) {
        try writing.withLock { (_) throws(MartletError) in
            defer { lock?.release() }
            let (active, nextGroup) = try withState { (state) throws(MartletError) in
                state.isClosed = true
                return (state.isDoubtful ? nil : state.active, state.nextGroup)
            }
            guard let active else { return }
            try active.file.resize(to: active.end)
            try active.file.synchronize()
            try noteEnd(nextGroup)
        }
    }

    /// Says where the log ends, so that a loss of its end is noticed.
    private func noteEnd(_ nextGroup: UInt64) throws(MartletError) {
        var writer = FieldWriter()
        writer.number(nextGroup)
        writer.number(~nextGroup)
        let file = try disk.open(Journal.closedFileName)
        try file.write([Bytes(writer.bytes)], at: 0)
        try file.synchronize()
        try disk.synchronize()
    }

    static let closedFileName = "closed"
}
