/// What changes when members come and go: which lanes move, from whom to whom.
public struct AssignmentPlan: Sendable, Hashable {
    /// A lane that changes hands.
    public struct Move: Sendable, Hashable {
        /// The lane.
        public let lane: Int
        /// Who served it; nil if nobody did.
        public let from: String?
        /// Who will serve it; nil if nobody will.
        public let to: String?
    }

    /// How things stand.
    public let before: Assignment
    /// How things will stand.
    public let after: Assignment
    /// The lanes that move, in order.
    public let moves: [Move]

    /// The way from one assignment of a stream to another. It throws `invalidArgument` if they are
    /// of different streams or numbers of partitions.
    public init(from before: Assignment, to after: Assignment) throws(MartletError) {
        guard before.stream == after.stream, before.partitions == after.partitions else {
            throw MartletError(
                .invalidArgument,
                "A plan is about one stream with one number of partitions. Make both assignments "
                    + "of the same.")
        }
        self.before = before
        self.after = after
        moves = (1...before.partitions).compactMap { lane in
            let (from, to) = (before.member(for: lane), after.member(for: lane))
            return from == to ? nil : Move(lane: lane, from: from, to: to)
        }
    }
}

extension AssignmentPlan: CustomStringConvertible {
    /// A line for every pair of members between which lanes move, and the sum.
    public var description: String {
        guard !moves.isEmpty else { return "nothing moves" }
        var pairs: [(from: String, to: String, lanes: [Int])] = []
        for move in moves {
            let (from, to) = (move.from ?? "nobody", move.to ?? "nobody")
            if let place = pairs.firstIndex(where: { $0.from == from && $0.to == to }) {
                pairs[place].lanes.append(move.lane)
            } else {
                pairs.append((from, to, [move.lane]))
            }
        }
        let lines = pairs.map { pair in
            "\(pair.from) -> \(pair.to): "
                + (pair.lanes.count == 1 ? "lane " : "lanes ")
                + pair.lanes.map(String.init).joined(separator: " ")
        }
        return (lines + ["\(moves.count) of \(before.partitions) lanes move"]).joined(
            separator: "\n")
    }
}
