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
        /// Their publisher has been silent for so long that nobody waits for them any more. Where
        /// `last` is nil, it is not known that there are any; if the publisher comes back, they
        /// come after all.
        case unreachable
        /// They are damaged in the publisher's journal.
        case corrupt
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

extension Gap {
    /// Both as one, if the other begins where this one ends and is for the same reason.
    package func joined(with other: Gap) -> Gap? {
        guard channel == other.channel, epoch == other.epoch, reason == other.reason,
            let last, last &+ 1 == other.first
        else { return nil }
        return Gap(
            channel: channel, epoch: epoch, first: first, last: other.last, reason: reason)
    }
}

extension Gap: CustomStringConvertible {
    /// A sentence: what is lost, where, and why.
    public var description: String {
        let events =
            switch last {
            case first?: "event \(first)"
            case let last?: "events \(first) to \(last)"
            case nil: "what followed event \(first - 1)"
            }
        return "lost in \(channel.stream) lane \(channel.lane) of \(channel.node): \(events), "
            + reason.text
    }
}

extension Gap.Reason {
    fileprivate var text: String {
        switch self {
        case .expired: "no longer kept by the publisher"
        case .instanceGone: "gone with the publisher"
        case .dropped: "dropped here, since this reader is slow"
        case .unreachable: "since the publisher cannot be reached"
        case .corrupt: "damaged in the publisher's journal"
        }
    }
}
