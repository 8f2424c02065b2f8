/// What a group has made of an event, for whoever asked to be told.
package enum WorkFate: Sendable, Hashable {
    /// A handler has returned, perhaps with a value.
    case handled(value: Bytes?)
    /// It was set aside.
    case dead(DeadEvent.Reason, text: String)
    /// The group does not want it.
    case skipped
    /// It was lost before it was handled.
    case lost(StoredLedger.Loss.Reason)
}

/// An event of which somebody wants to know what a group makes of it.
package struct WatchedEvent: Sendable, Hashable {
    package let group: String
    package let channel: Channel
    package let sequence: UInt64

    package init(group: String, channel: Channel, sequence: UInt64) {
        self.group = group
        self.channel = channel
        self.sequence = sequence
    }
}

/// An event that is done with, and what has become of it.
struct WorkEnding: Sendable {
    let sequence: UInt64
    let fate: WorkFate
}
