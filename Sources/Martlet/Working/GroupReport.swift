internal import MartletDelivery

/// How a group of workers stands at the node that publishes its events.
public struct GroupReport: Sendable, Hashable, Codable {
    /// A worker.
    public struct Member: Sendable, Hashable, Codable {
        /// Its node.
        public let node: NodeID
        /// What that is called.
        public let name: String
        /// Whether it gets nothing more, since somebody wants it so.
        public let isDrained: Bool
        /// Whether it is heard from.
        public let isPresent: Bool
        /// How many events it takes at once; none if it is about to leave.
        public let window: Int
        /// How many it has.
        public let inFlight: Int
        /// The keyed channels that are its own.
        public let channels: [Channel]
    }

    /// A channel.
    public struct Lane: Sendable, Hashable, Codable {
        /// The channel.
        public let channel: Channel
        /// What has become of its events.
        public internal(set) var ledger: StoredLedger
        /// How many events are not settled.
        public let lag: UInt64
        /// How many of these workers have.
        public let inFlight: Int
        /// How many wait for their next attempt.
        public let retrying: Int
        /// How many keys wait for an event that has failed.
        public let blockedKeys: Int
        /// When the first of its events that is not settled was published, if that is known.
        public internal(set) var oldest: Timestamp?
    }

    /// Its name.
    public let name: String
    /// The version of its definition.
    public let version: Int
    /// Its workers, in the order in which they came.
    public internal(set) var members: [Member]
    /// The channels, in the order in which they came.
    public internal(set) var lanes: [Lane]
    /// Most of what it tries fails, so that it tries little.
    public let isFailing: Bool

    /// How many events are not settled.
    public var lag: UInt64 { lanes.reduce(0) { $0 &+ $1.lag } }

    /// When the first of its events that is not settled was published, if that is known.
    public var oldest: Timestamp? { lanes.compactMap(\.oldest).min() }

    /// How many of its events workers have.
    public var inFlight: Int { lanes.reduce(0) { $0 &+ $1.inFlight } }

    /// How many wait for their next attempt.
    public var retrying: Int { lanes.reduce(0) { $0 &+ $1.retrying } }

    /// How many keys are parked: everything of them is set aside.
    public var parkedKeys: Int { lanes.reduce(0) { $0 + $1.ledger.parkedKeys.count } }

    /// What has become of its events, all in all.
    public var tally: StoredLedger.Tally {
        lanes.reduce(into: StoredLedger.Tally()) { tally, lane in
            tally.handled &+= lane.ledger.tally.handled
            tally.dead &+= lane.ledger.tally.dead
            tally.repeated &+= lane.ledger.tally.repeated
            tally.lost &+= lane.ledger.tally.lost
            tally.reopened &+= lane.ledger.tally.reopened
        }
    }

    init(_ status: GroupStatus) {
        name = status.definition.name
        version = status.definition.version
        members = status.members.map { member in
            Member(
                node: member.instance.node, name: member.name, isDrained: member.isDrained,
                isPresent: member.session != nil,
                window: member.window.events, inFlight: member.outCount, channels: member.lanes)
        }
        lanes = status.lanes.map { lane in
            Lane(
                channel: lane.channel, ledger: lane.ledger, lag: lane.lag, inFlight: lane.outCount,
                retrying: lane.delayedCount, blockedKeys: lane.blockedKeyCount,
                oldest: lane.oldest)
        }
        isFailing = status.isBroken
    }
}

extension GroupReport {
    /// The report in pieces that are small enough to be sent: the group, and each of its lanes.
    var pieces: [GroupReport] {
        var group = self
        group.lanes = []
        return [group]
            + lanes.map { lane in
                var piece = group
                var lane = lane
                lane.ledger.trim(to: Limits.reportedRangesMax)
                piece.members = []
                piece.lanes = [lane]
                return piece
            }
    }

    /// Puts pieces together.
    static func whole(_ pieces: [GroupReport]) -> [GroupReport] {
        var groups: [GroupReport] = []
        for piece in pieces {
            if groups.last?.name == piece.name {
                groups[groups.count - 1].lanes += piece.lanes
            } else {
                groups.append(piece)
            }
        }
        return groups
    }
}

extension StoredLedger {
    /// Names no more than so many ranges and events of each kind.
    fileprivate mutating func trim(to count: Int) {
        settled = SequenceSet(ranges: Array(settled.ranges.prefix(count))) ?? settled
        reopened = SequenceSet(ranges: Array(reopened.ranges.prefix(count))) ?? reopened
        failing = Array(failing.prefix(count))
    }
}

extension Node {
    /// How the groups stand that work for the streams of this node, since workers of theirs have
    /// come.
    public var groups: [GroupReport] { core?.groups.map { GroupReport($0) } ?? [] }

    /// Waits until so many nodes work for a group. Cancelling throws `cancelled`.
    public func waitForWorkers(
        of group: String, atLeast count: Int = 1
    ) async throws(MartletError) {
        guard let core else { throw mute }
        try await core.waitForWorkers(of: group, atLeast: count)
    }
}
