/// What became of an event that was submitted.
public struct SubmissionReceipt: Sendable {
    /// What is certain.
    public let level: Receipt.Level
    /// The producer's number of the event: 1 for the first that it has ever submitted.
    public let number: UInt64
    /// Where the event stands. It is not known while it is not stored, and may not be of one that
    /// was stored long before a connection broke.
    public let position: Position?
    /// What the group has made of an event that was submitted until it was handled.
    public var outcome: Outcome?
}
