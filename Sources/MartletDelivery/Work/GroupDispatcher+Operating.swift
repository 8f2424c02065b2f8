/// What an operator wants of a group.
extension GroupDispatcher {
    /// Which lanes would move if a worker left.
    func plan(without node: NodeID) -> [Dispatcher.Move] {
        let rest = members.filter { $0.takesLanes && $0.instance.node != node }
        var moves: [Dispatcher.Move] = []
        for (stream, count) in partitions.sorted(by: { $0.key.precedes($1.key) }) {
            let assignment = try? Assignment(
                of: stream, partitions: count,
                to: rest.map(\.name).prefix(Limits.membersMax))
            let own = lanes.filter { $0.channel.stream == stream && !$0.isShared }
            for lane in own.sorted(by: { $0.channel.lane < $1.channel.lane }) {
                let heir = assignment?.member(for: lane.channel.lane)
                let next = heir.flatMap { name in rest.first { $0.name == name } }
                let owner = members.first { $0.number == lane.owner }
                guard next?.number != owner?.number else { continue }
                moves.append(
                    Dispatcher.Move(
                        channel: lane.channel, from: owner?.instance.node,
                        to: next?.instance.node))
            }
        }
        return moves
    }

    /// A worker gets nothing more, and gives back what it has not begun; or it is as before. False
    /// if there is none of this node.
    mutating func drain(_ node: NodeID, _ isDrained: Bool, at now: MonotonicTime) -> Bool {
        guard let place = members.firstIndex(where: { $0.instance.node == node }) else {
            return false
        }
        guard members[place].isDrained != isDrained else { return true }
        members[place].isDrained = isDrained
        reassign(at: now)
        if isDrained {
            for lane in lanes.indices where lanes[lane].isShared && lanes[lane].outCount > 0 {
                recall(lane, from: place)
            }
        }
        pump(at: now)
        return true
    }
}
