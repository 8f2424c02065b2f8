internal import MartletJournal

/// A journal that is read without a node: no node must use it meanwhile.
///
/// `withJournal` gives you one.
public final class StoredJournal: Sendable {
    let storage: any Storage
    /// What was noticed when it was opened: what was lost, or made anew.
    public let findings: [StorageFinding]

    init(_ journal: Journal) {
        storage = journal
        findings = journal.findings
    }

    /// The node whose journal it is.
    public var node: NodeID { storage.node }
    /// The epoch of the node's last start; nil if there was none.
    public var epoch: Epoch? { storage.epoch }
    /// The streams, and into how many partitions each is divided.
    public var partitions: [StreamName: Int] { storage.partitions }
    /// The channels, in the order of their coming.
    public var channels: [StoredChannel] { storage.channels }
    /// Named positions.
    public var cursors: [String: [Position]] { storage.cursors }
    /// Who has submitted events, by their names.
    public var producers: [String: StoredProducer] { storage.producers }
    /// How many bytes it has on disk.
    public var byteCount: UInt64 { storage.byteCount }

    /// The events on some topics, from a start up to an end: those of a lane in their order, those
    /// of different lanes in the order of their times, as far as each lane has them.
    ///
    /// - Parameters:
    ///   - patterns: which topics.
    ///   - start: where to begin. A cursor is one of this journal. From now on there is nothing.
    ///   - end: where to end; without it, at what is there.
    ///   - onGap: told of events that are damaged, in their place.
    public func events(
        on patterns: [TopicPattern] = [">"], from start: Start = .beginning,
        upTo end: HistoryEnd? = nil, where filter: Filter? = nil,
        onGap: (@Sendable (Gap) -> Void)? = nil
    ) -> StoredHistory {
        StoredHistory(
            storage, patterns, from: start, upTo: end, where: filter, onGap: onGap)
    }

    /// Reads everything, and names what is damaged. `progress` is told the bytes that were read.
    public func check(
        _ progress: @escaping @Sendable (UInt64) -> Void = { _ in }
    ) async throws(MartletError) -> [StorageDamage] {
        let storage = storage
        return try await BlockingCall.run { () throws(MartletError) in
            try storage.check(progress)
        }
    }

    /// Forgets a cursor.
    public func forget(cursor name: String) async throws(MartletError) {
        let storage = storage
        try await BlockingCall.run { () throws(MartletError) in
            var changes = StorageChanges()
            changes.cursors = [name: []]
            try storage.commit(changes)
        }
    }
}

/// Where a history ends.
public enum HistoryEnd: Sendable, Hashable {
    /// Before the first event of this time or later, by a running maximum.
    case time(Timestamp)
    /// With these events, one for each channel; channels that none of them is of are left out.
    case positions([Position])
}

/// Runs `body` with the journal in a folder, and closes it after.
///
/// It throws `wrongState` while a node uses the journal, and if there is none.
public func withJournal<Result>(
    at folder: String, _ body: (StoredJournal) async throws -> Result
) async throws -> Result {
    let journal = try await BlockingCall.run { () throws(MartletError) in
        try Journal(existingAt: folder)
    }
    let outcome: Swift.Result<Result, any Error>
    do { outcome = .success(try await body(StoredJournal(journal))) } catch {
        outcome = .failure(error)
    }
    let closing: Swift.Result<Void, any Error>
    do {
        try await BlockingCall.run { () throws(MartletError) in try journal.close() }
        closing = .success(())
    } catch { closing = .failure(error) }
    let result = try outcome.get()
    try closing.get()
    return result
}

/// Makes a folder that was copied, or restored from a backup, the journal of the node that it
/// names. The one that it is a copy of must never be used again.
public func adoptJournal(at folder: String) throws(MartletError) { try Journal.adopt(folder) }
