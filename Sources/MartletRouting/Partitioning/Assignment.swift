/// Which member serves which lane of a stream.
///
/// Every member ranks all lanes by their scores, XXH3-64 of `stream 0x1F lane 0x1F member`, the
/// highest first. Then they go down their rankings in rounds: in each, every member that has room
/// asks for its next lane, and a lane that is free goes to the highest score among those that ask
/// for it. Nobody gets more than a quarter above the mean, ⌈1.25 · P / n⌉.
///
/// So the assignment is the same wherever it is made of the same members, and when one comes or
/// goes, few lanes move beside its own (decision 0008).
public struct Assignment: Sendable, Hashable {
    /// The stream.
    public let stream: StreamName
    /// How many lanes there are to serve, beside lane 0.
    public let partitions: Int
    /// The members, in the order of their bytes.
    public let members: [String]
    /// Of lane 1 and up, the place of the member among the members.
    private let owners: [Int]

    /// Assigns the lanes 1 to `partitions`. A member that occurs twice counts once; without members
    /// nobody serves anything.
    public init(
        of stream: StreamName, partitions: Int, to members: some Sequence<String>
    ) throws(MartletError) {
        var rankings = LaneRankings()
        try self.init(of: stream, partitions: partitions, to: members, remembering: &rankings)
    }

    /// The same for one who assigns again and again as members come and go: what each of them
    /// wants is remembered.
    package init(
        of stream: StreamName, partitions: Int, to members: some Sequence<String>,
        remembering rankings: inout LaneRankings
    ) throws(MartletError) {
        guard (1...Limits.partitionsMax).contains(partitions) else {
            throw MartletError(
                .invalidArgument,
                "A stream has 1 to \(Limits.partitionsMax) partitions, not \(partitions).")
        }
        let names = Set(members.map { Array($0.utf8) })
            .sorted { $0.lexicographicallyPrecedes($1) }
        guard !names.contains([]) else {
            throw MartletError(.invalidArgument, "A member has an empty name. Give it one.")
        }
        guard names.count <= Limits.membersMax else {
            throw MartletError(
                .invalidArgument,
                "Lanes are assigned among at most \(Limits.membersMax) members, not "
                    + "\(names.count). Give them to fewer; the others wait.")
        }
        self.stream = stream
        self.partitions = partitions
        self.members = names.map { String(decoding: $0, as: UTF8.self) }
        owners = Assignment.owners(
            partitions, rankings.all(of: names, Array(stream.text.utf8), partitions))
    }

    private static func owners(_ partitions: Int, _ rankings: [LaneRanking]) -> [Int] {
        guard !rankings.isEmpty else { return [] }
        let capacity = Assignment.capacity(partitions: partitions, members: rankings.count)
        var owners = [Int](repeating: -1, count: partitions)
        var loads = [Int](repeating: 0, count: rankings.count)
        // The best of those that ask for a lane in this round; -1 where nobody does.
        var best = owners
        var scores = [UInt64](repeating: 0, count: partitions)
        var left = partitions
        for round in 0..<partitions where left > 0 {
            for member in rankings.indices where loads[member] < capacity {
                let (lane, score) = rankings[member][round]
                guard owners[lane] < 0, best[lane] < 0 || scores[lane] < score else { continue }
                (best[lane], scores[lane]) = (member, score)
            }
            for lane in best.indices where best[lane] >= 0 {
                owners[lane] = best[lane]
                loads[best[lane]] += 1
                best[lane] = -1
                left -= 1
            }
        }
        // Whoever still has room has asked for every lane: none is left.
        return owners
    }

    /// The most lanes that a member gets: ⌈1.25 · P / n⌉; 0 without members.
    public var capacity: Int {
        Assignment.capacity(partitions: partitions, members: members.count)
    }

    private static func capacity(partitions: Int, members: Int) -> Int {
        members > 0 ? (5 * partitions + 4 * members - 1) / (4 * members) : 0
    }

    /// Who serves a lane; nil for lane 0, which is shared among all, and without members.
    public func member(for lane: Int) -> String? {
        (1...partitions).contains(lane) && !owners.isEmpty ? members[owners[lane - 1]] : nil
    }

    /// All members with the lanes that they serve.
    public var lanesByMember: [(member: String, lanes: [Int])] {
        var lanes = [[Int]](repeating: [], count: members.count)
        for (place, owner) in owners.enumerated() { lanes[owner].append(place + 1) }
        return zip(members, lanes).map { (member: $0, lanes: $1) }
    }

    /// The lanes that a member serves, in order.
    public func lanes(of member: String) -> [Int] {
        guard let place = members.firstIndex(where: { $0.utf8.elementsEqual(member.utf8) }) else {
            return []
        }
        return owners.indices.filter { owners[$0] == place }.map { $0 + 1 }
    }
}
