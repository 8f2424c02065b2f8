/// Events that a reader will never see, named exactly where that is possible.
public struct Gap: Sendable, Hashable {
    /// Why they are lost.
    public enum Reason: String, Sendable, Hashable {
        /// They were no longer kept when they were asked for.
        case expired
        /// The instance that published them has gone, and what it held with it.
        case instanceGone
        /// The consumer was slower than what came, and chose to do without them.
        case dropped
        /// Their publisher has been silent for so long that nobody waits for them any more.
        case unreachable
    }

    /// The channel.
    public let channel: Channel
    /// The epoch in which they were numbered.
    public let epoch: Epoch
    /// The number of the first.
    public let first: UInt64
    /// The number of the last; nil where nobody knows how many followed.
    public let last: UInt64?
    /// Why they are lost.
    public let reason: Reason

    package init(
        channel: Channel, epoch: Epoch, first: UInt64, last: UInt64?, reason: Reason
    ) {
        self.channel = channel
        self.epoch = epoch
        self.first = first
        self.last = last
        self.reason = reason
    }
}
