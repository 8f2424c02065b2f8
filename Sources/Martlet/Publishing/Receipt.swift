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

    /// What is certain.
    public let level: Level
    /// The number of the event in its channel.
    public let sequence: UInt64
    @usableFromInline let buffer: StreamBuffer
    @usableFromInline let lane: Int
    /// In which epoch it was stored; nil before.
    @usableFromInline var storedEpoch: Epoch?
    @usableFromInline var ended: Outcome?

    // Inlined, so that a receipt that nobody looks at is never made.
    @inlinable
    init(_ level: Level, _ event: AppendedEvent, in buffer: StreamBuffer) {
        self.level = level
        sequence = event.sequence
        lane = event.lane
        self.buffer = buffer
        storedEpoch = nil
        ended = nil
    }

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
        guard level == .stored, storedEpoch == nil else { return self }
        let receipts = try buffer.requireReceipts()
        var receipt = Receipt(.stored, AppendedEvent(sequence: sequence, lane: lane), in: buffer)
        receipt.storedEpoch = try await receipts.wait(
            for: AppendedEvent(sequence: sequence, lane: lane),
            until: NodeClock.now + buffer.timeout)
        return receipt
    }

    /// What the group has made of an event that was published until it was handled.
    public var outcome: Outcome? { ended }

    /// Where the event stands. That of a durable event is certain once it is stored: should the
    /// disk fail before, it may be numbered in a later epoch.
    public var position: Position {
        Position(
            channel: Channel(
                node: buffer.instance.node, stream: buffer.definition.name, lane: lane),
            epoch: storedEpoch ?? buffer.instance.epoch, sequence: sequence)
    }
}

extension Receipt: CustomStringConvertible {
    /// The level and the position.
    public var description: String {
        outcome.map { "\($0) \(position)" } ?? "\(level) \(position)"
    }
}
