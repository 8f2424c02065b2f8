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
            return AssignmentPlan.isSame(from, to) ? nil : Move(lane: lane, from: from, to: to)
        }
    }
}

extension AssignmentPlan {
    /// Members are their bytes: names that only look the same are different ones.
    private static func isSame(_ left: String?, _ right: String?) -> Bool {
        guard let left, let right else { return left == nil && right == nil }
        return left.utf8.elementsEqual(right.utf8)
    }
}

extension AssignmentPlan: CustomStringConvertible {
    /// A line for every pair of members between which lanes move, and the sum.
    public var description: String {
        guard !moves.isEmpty else { return "nothing moves" }
        var pairs: [(from: String?, to: String?, lanes: [Int])] = []
        for move in moves {
            let place = pairs.firstIndex { pair in
                AssignmentPlan.isSame(pair.from, move.from)
                    && AssignmentPlan.isSame(pair.to, move.to)
            }
            if let place {
                pairs[place].lanes.append(move.lane)
            } else {
                pairs.append((move.from, move.to, [move.lane]))
            }
        }
        let lines = pairs.map { pair in
            "\(pair.from ?? "(nobody)") -> \(pair.to ?? "(nobody)"): "
                + (pair.lanes.count == 1 ? "lane " : "lanes ")
                + pair.lanes.map(String.init).joined(separator: " ")
        }
        return (lines + ["\(moves.count) of \(before.partitions) lanes move"]).joined(
            separator: "\n")
    }
}
