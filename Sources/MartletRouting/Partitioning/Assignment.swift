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
        owners = Assignment.owners(Array(stream.text.utf8), partitions, names)
    }

    private static func owners(
        _ stream: [UInt8], _ partitions: Int, _ members: [[UInt8]]
    ) -> [Int] {
        let capacity = Assignment.capacity(partitions: partitions, members: members.count)
        let rankings = members.map { ranking(of: $0, stream, partitions) }
        var owners = [Int](repeating: -1, count: partitions)
        var loads = [Int](repeating: 0, count: members.count)
        for round in 0..<partitions {
            // The askers of each lane, and the best of them so far.
            var best: [Int: (member: Int, score: UInt64)] = [:]
            for (member, ranking) in rankings.enumerated() where loads[member] < capacity {
                let (lane, score) = ranking[round]
                guard owners[lane] < 0, best[lane].map({ $0.score < score }) ?? true else {
                    continue
                }
                best[lane] = (member, score)
            }
            for (lane, asker) in best {
                owners[lane] = asker.member
                loads[asker.member] += 1
            }
        }
        // Whoever still has room has asked for every lane: none is left.
        return members.isEmpty ? [] : owners
    }

    /// The lanes, from 0 here, in the order in which a member wants them.
    private static func ranking(
        of member: [UInt8], _ stream: [UInt8], _ partitions: Int
    ) -> [(lane: Int, score: UInt64)] {
        (0..<partitions).map { lane in
            let text = stream + [0x1F] + Array(String(lane + 1).utf8) + [0x1F] + member
            return (lane, Hash.xxh3(text.span))
        }.sorted { $0.score == $1.score ? $0.lane < $1.lane : $0.score > $1.score }
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
