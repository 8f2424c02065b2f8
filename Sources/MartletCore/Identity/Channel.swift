/// One lane of a stream of one node: a sequence of events that are numbered 1, 2, 3 and so on,
/// without holes.
public struct Channel: Sendable, Hashable {
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

extension Channel: Codable {
    private enum CodingKeys: String, CodingKey { case node, stream, lane }

    /// Reads a channel, whose lane must be one that there may be.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let lane = try container.decode(Int.self, forKey: .lane)
        guard (0...Limits.partitionsMax).contains(lane) else {
            throw DecodingError.dataCorruptedError(
                forKey: .lane, in: container, debugDescription: "There is no lane \(lane).")
        }
        self.init(
            node: try container.decode(NodeID.self, forKey: .node),
            stream: try container.decode(StreamName.self, forKey: .stream), lane: lane)
    }

    /// Writes its parts.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(node, forKey: .node)
        try container.encode(stream, forKey: .stream)
        try container.encode(lane, forKey: .lane)
    }
}
