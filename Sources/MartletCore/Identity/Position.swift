/// Where an event stands: its channel, the epoch in which it was numbered, and its number.
///
/// A position belongs to one event for ever, and its text is the event's id where it has no other.
public struct Position: Sendable, Hashable {
    /// The channel.
    public let channel: Channel
    /// The epoch in which the event got its number.
    public let epoch: Epoch
    /// The number, from 1.
    public let sequence: UInt64

    /// A position.
    public init(channel: Channel, epoch: Epoch, sequence: UInt64) {
        self.channel = channel
        self.epoch = epoch
        self.sequence = sequence
    }

    /// The position with this text, which must be as `description` has it; nil if it is not.
    public init?(_ text: String) {
        // A stream's name may hold slashes: what lies between the node and the last three numbers.
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count >= 5, let node = NodeID(String(parts[0])),
            let stream = try? StreamName(
                parts[1..<(parts.count - 3)].joined(separator: "/")),
            let lane = Int(parts[parts.count - 3]), (0...Limits.partitionsMax).contains(lane),
            let epoch = UInt64(parts[parts.count - 2]),
            let sequence = UInt64(parts[parts.count - 1]), sequence <= Limits.sequenceMax
        else { return nil }
        let channel = Channel(node: node, stream: stream, lane: lane)
        self.init(channel: channel, epoch: Epoch(rawValue: epoch), sequence: sequence)
        // One position has one text: no plus signs, no leading zeros.
        guard description == text else { return nil }
    }
}

extension Position: CustomStringConvertible {
    /// As in `0123456789abcdef0123456789abcdef/orders/3/4295098368/17`.
    public var description: String { "\(channel)/\(epoch)/\(sequence)" }
}
