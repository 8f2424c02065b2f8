/// One lane of a stream of one node: a sequence of events that are numbered 1, 2, 3 and so on,
/// without holes.
public struct Channel: Sendable, Hashable, Codable {
    /// Whose it is.
    public let node: NodeID
    /// The stream.
    public let stream: StreamName
    /// 0 for events without a key, 1 and more for those with one.
    public let lane: Int

    /// A channel; the lane must lie within the limits.
    public init(node: NodeID, stream: StreamName, lane: Int) {
        precondition((0...Limits.partitionsMax).contains(lane), "there is no lane \(lane)")
        self.node = node
        self.stream = stream
        self.lane = lane
    }
}

extension Channel: CustomStringConvertible {
    /// As in `0123456789abcdef0123456789abcdef/orders/3`.
    public var description: String { "\(node)/\(stream)/\(lane)" }
}
