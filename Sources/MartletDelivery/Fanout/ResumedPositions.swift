/// How far a subscription had got with nodes that went out of sight, so that nothing comes twice if
/// they come back.
package struct ResumedPositions: Sendable {
    /// Oldest first.
    private var positions: [Position] = []

    /// None.
    package init() {}

    /// Where it had got to in a channel.
    subscript(channel: Channel) -> Position? { positions.first { $0.channel == channel } }

    /// Whether it had got anywhere with a node.
    func knows(_ node: NodeID) -> Bool { positions.contains { $0.channel.node == node } }

    /// Takes note of a node's positions in the place of those before. The oldest are forgotten:
    /// nodes without a memory come under new names for ever.
    package mutating func add(_ delivered: [Position]) {
        let channels = Set(delivered.map(\.channel))
        positions.removeAll { channels.contains($0.channel) }
        positions += delivered
        positions.removeFirst(max(0, positions.count - Limits.resumedPositionsMax))
    }
}
