/// The lanes of a stream, from 0 here, in the order in which a member wants them.
struct LaneRanking: Sendable {
    private let lanes: [UInt16]
    private let scores: [UInt64]

    init(of member: [UInt8], _ stream: [UInt8], _ partitions: Int) {
        let ranked = (0..<partitions).map { (lane: Int) -> (lane: Int, score: UInt64) in
            let text = stream + [0x1F] + Array(String(lane + 1).utf8) + [0x1F] + member
            return (lane: lane, score: Hash.xxh3(text.span))
        }.sorted { $0.score == $1.score ? $0.lane < $1.lane : $0.score > $1.score }
        lanes = ranked.map { UInt16($0.lane) }
        scores = ranked.map(\.score)
    }

    /// The lane that it asks for in a round, and how much it wants it.
    subscript(round: Int) -> (lane: Int, score: UInt64) { (Int(lanes[round]), scores[round]) }
}

/// What the present members of a stream want, for one who assigns its lanes again and again.
package struct LaneRankings: Sendable {
    private var rankings: [[UInt8]: LaneRanking] = [:]

    /// Nothing yet.
    package init() {}

    /// Those of these members, in their order. Others are forgotten.
    mutating func all(
        of members: [[UInt8]], _ stream: [UInt8], _ partitions: Int
    ) -> [LaneRanking] {
        let known = rankings
        rankings = [:]
        return members.map { member in
            let ranking = known[member] ?? LaneRanking(of: member, stream, partitions)
            rankings[member] = ranking
            return ranking
        }
    }
}
