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
    private let makeSalt: @Sendable () -> UInt64
    let state: Lock<JournalState>

    /// What was found when the journal was opened, or looked at again.
    public var findings: [String] { state.withLock { $0.findings } }

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
        try withState { (journal, state) throws(MartletError) in
            if state.active == nil { try journal.begin(&state) }
        }
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

    /// How many bytes are kept.
    public var byteCount: UInt64 {
        state.withLock { $0.segments.reduce(0) { $0 + UInt64($1.byteCount) } }
    }

    /// Does something with the state, unless the journal is closed.
    func withState<Result: Sendable>(
        _ body: (Journal, inout JournalState) throws(MartletError) -> Result
    ) throws(MartletError) -> Result {
        try state.withLock { (state) throws(MartletError) in
            guard !state.isClosed else {
                throw MartletError(.closed, "The journal is closed. Open it again.")
            }
            return try body(self, &state)
        }
    }

    // MARK: Committing

    /// Keeps all of it, or throws.
    public func commit(_ changes: StorageChanges) throws(MartletError) {
        guard !changes.isEmpty else { return }
        do throws(MartletError) {
            try commitWhole(changes)
        } catch {
            if error.code != .invalidArgument { state.withLock { $0.isDoubtful = true } }
            throw error
        }
    }

    private func commitWhole(_ changes: StorageChanges) throws(MartletError) {
        // The lock is not held while the disk writes: reading goes on meanwhile, and there is one
        // writer, which nobody else's commits can cross.
        let (prepared, segment) = try withState { (journal, state) throws(MartletError) in
            try journal.prepare(changes, &state)
        }
        let byteCount = try write(prepared, to: segment)
        try withState { (_, state) throws(MartletError) in
            segment.byteCount = byteCount
            state.apply(prepared, in: segment)
        }
    }

    private func prepare(
        _ changes: StorageChanges, _ state: inout JournalState
    ) throws(MartletError) -> (PreparedGroup, Segment) {
        guard !state.isDoubtful else { throw Journal.doubtful }
        if let active = state.active, active.end >= configuration.segmentBytes {
            try roll(&state)
        }
        guard let active = state.active else { throw Journal.doubtful }
        let prepared = try PreparedGroup(changes, state, salt: active.head.salt, at: active.end)
        return (prepared, active)
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
        _ group: PreparedGroup, to segment: Segment
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
        try segment.file.synchronize()
        return max(byteCount, end)
    }

    // MARK: Segments

    /// Completes the newest segment, and begins another.
    private func roll(_ state: inout JournalState) throws(MartletError) {
        try finish(&state)
        try begin(&state)
    }

    private func finish(_ state: inout JournalState) throws(MartletError) {
        guard let active = state.active else { return }
        let footer = active.footer(lastGroup: state.nextGroup - 1)
        try active.file.write([footer], at: active.end)
        try active.file.resize(to: active.end + footer.count)
        try active.file.synchronize()
        active.complete(byteCount: active.end + footer.count)
    }

    /// A segment gets its name when its head and its first group are on the disk: one that cannot
    /// be read has been damaged.
    private func begin(_ state: inout JournalState) throws(MartletError) {
        let number = (state.segments.last?.head.number ?? 0) + 1
        let head = SegmentHead(
            node: state.node, number: number, salt: makeSalt(), firstGroup: state.nextGroup)
        let first = LogGroup.head(
            state.snapshot, number: state.nextGroup, frameBytes: 0, salt: head.salt)
        let padding = LogGroup.aligned(first.count) - first.count
        let file = try disk.open(Journal.newFileName)
        try file.resize(to: 0)
        try file.write(
            [head.bytes, Bytes(first + [UInt8](repeating: 0, count: padding))], at: 0)
        try file.synchronize()
        try disk.rename(Journal.newFileName, to: SegmentHead.fileName(number))
        try disk.synchronize()
        let segment = Segment(head, file)
        segment.end = SegmentHead.byteCount + first.count + padding
        segment.byteCount = segment.end
        state.nextGroup += 1
        state.segments.append(segment)
    }

    static let newFileName = "new.segment.part"

    /// From which events on channels of a stream would be kept in so many bytes.
    public func firsts(
        of stream: StreamName, keeping byteCount: UInt64
    ) throws(MartletError) -> [Channel: UInt64] {
        try withState { (_, state) throws(MartletError) in
            state.firsts(of: stream, keeping: byteCount)
        }
    }

    /// Gives back the room of what is kept no more.
    public func shrink() throws(MartletError) {
        let gone = try withState { (_, state) throws(MartletError) in state.takeUnneeded() }
        for segment in gone { try disk.remove(SegmentHead.fileName(segment.head.number)) }
        if !gone.isEmpty { try disk.synchronize() }
    }

    // MARK: The end

    /// Looks what is there, after a failure.
    public func recover() throws(MartletError) {
        try withState { (journal, state) throws(MartletError) in
            for segment in state.segments { segment.file.forgetCached() }
            var recovery = JournalRecovery(journal.disk)
            state = try recovery.run(newNode: state.node)
            if state.active == nil { try journal.begin(&state) }
        }
    }

    /// Ends its use.
    public func close() throws(MartletError) {
        try withState { (journal, state) throws(MartletError) in
            defer { state.isClosed = true }
            guard !state.isDoubtful, let active = state.active else { return }
            try active.file.resize(to: active.end)
            try active.file.synchronize()
            try journal.noteEnd(state.nextGroup)
        }
        lock?.release()
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
