internal import MartletDelivery

/// What became of an event that was published.
public struct Receipt: Sendable {
    /// How far an event has come.
    public enum Level: Sendable, Hashable {
        /// It is numbered and on its way. Nothing is promised beyond this process.
        case queued
        /// It is on the disk of the node that published it, in its journal.
        case stored
        /// A group of workers is done with it: it was handled, set aside, or left out, which the
        /// `outcome` of the receipt says. Without a time of its own it is waited for as long as the
        /// node's `publishTimeout`.
        case handled(by: String, within: Duration? = nil)
    }

    /// How far an event has come that was waited for.
    @usableFromInline
    final class Progress: Sendable {
        let level: Level
        /// In which epoch it was stored; nil if nobody waited for that.
        let storedEpoch: Epoch?
        let outcome: Outcome?

        init(_ level: Level, storedIn epoch: Epoch?, _ outcome: Outcome? = nil) {
            self.level = level
            storedEpoch = epoch
            self.outcome = outcome
        }
    }

    /// The number of the event in its channel.
    public let sequence: UInt64
    @usableFromInline let buffer: StreamBuffer
    @usableFromInline let lane: Int
    /// Nil for one that is queued: most are, and cost nothing.
    @usableFromInline let progress: Progress?

    // Inlined, so that a receipt that nobody looks at is never made.
    @inlinable
    init(_ event: AppendedEvent, in buffer: StreamBuffer, _ progress: Progress? = nil) {
        sequence = event.sequence
        lane = event.lane
        self.buffer = buffer
        self.progress = progress
    }

    /// What is certain.
    public var level: Level { progress?.level ?? .queued }

    /// Waits until the event has come so far, at most for the node's `publishTimeout`.
    ///
    /// With `.stored` it throws if that has not happened, or nobody knows: the event may be stored
    /// all the same, now or later. Cancelling throws `cancelled`; the event stays published.
    ///
    /// What a group makes of an event must be asked for when it is published, with
    /// `publish(_:until: .handled(by:))`: here it throws `wrongState`.
    public func reach(_ level: Level) async throws(MartletError) -> Receipt {
        if case .handled = level {
            throw MartletError(
                .wrongState,
                "What a group makes of an event must be asked for when it is published, with "
                    + "`publish(event, until: .handled(by:))`.")
        }
        guard level == .stored, progress?.storedEpoch == nil else { return self }
        let receipts = try buffer.requireReceipts()
        let event = AppendedEvent(sequence: sequence, lane: lane)
        let epoch = try await receipts.wait(for: event, until: NodeClock.now + buffer.timeout)
        return Receipt(event, in: buffer, Progress(.stored, storedIn: epoch))
    }

    /// What the group has made of an event that was published until it was handled.
    public var outcome: Outcome? { progress?.outcome }

    /// Where the event stands. That of a durable event is certain once it is stored: should the
    /// disk fail before, it may be numbered in a later epoch.
    public var position: Position {
        Position(
            channel: Channel(
                node: buffer.instance.node, stream: buffer.definition.name, lane: lane),
            epoch: progress?.storedEpoch ?? buffer.instance.epoch, sequence: sequence)
    }
}

extension Receipt: CustomStringConvertible {
    /// The level and the position.
    public var description: String {
        outcome.map { "\($0) \(position)" } ?? "\(level) \(position)"
    }
}
