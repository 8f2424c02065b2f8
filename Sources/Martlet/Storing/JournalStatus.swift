/// How a node's journal stands at a moment.
public struct JournalStatus: Sendable {
    /// What was noticed when it was opened: what was lost, or made anew.
    public let findings: [StorageFinding]
    /// Why nothing can be stored at present; nil while all is well.
    public let failure: MartletError?
    /// How many bytes it has on disk.
    public let byteCount: UInt64
    /// The clock was set by more than a minute, so that nothing expires by its age.
    public let isExpiryPaused: Bool
    /// Events that had to go although a cursor or a group that they were kept for was not past
    /// them. Empty while all is well: look at the reader, or give the stream more room.
    public let overruns: [RetentionOverrun]
}

/// Events that went before a cursor or a group was past them.
public struct RetentionOverrun: Sendable, Hashable {
    /// The name of the cursor or the group.
    public let cursor: String
    /// The channel.
    public let channel: Channel
    /// The numbers of the events.
    public let sequences: Range<UInt64>
}

extension Node {
    /// How the node's journal stands. Throws `wrongState` on a node without one.
    public func journalStatus() throws(MartletError) -> JournalStatus {
        let journal = try requireJournal()
        return JournalStatus(
            findings: journal.findings, failure: journal.writer.failure,
            byteCount: journal.storage.byteCount,
            isExpiryPaused: journal.writer.isExpiryPaused, overruns: journal.writer.overruns)
    }
}
