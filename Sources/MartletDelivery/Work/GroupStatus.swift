/// How a group stands at the node that publishes.
package struct GroupStatus: Sendable {
    /// A worker.
    package struct Member: Sendable {
        package let instance: Instance
        package let name: String
        /// It gets nothing more.
        package let isDrained: Bool
        package let session: UInt64?
        package let window: WorkWindow
        /// Events that it has.
        package let outCount: Int
        /// Keyed lanes that are its own, by stream.
        package let lanes: [Channel]
    }

    /// A channel.
    package struct Lane: Sendable {
        package let channel: Channel
        package let ledger: StoredLedger
        /// The next event to come.
        package let end: UInt64
        /// Events that are not settled.
        package let lag: UInt64
        package let outCount: Int
        /// Events that wait for their next attempt.
        package let delayedCount: Int
        /// Keys that an event holds up.
        package let blockedKeyCount: Int
        /// When the first event that is not settled was published, if it is here.
        package let oldest: Timestamp?
    }

    package let definition: GroupDefinition
    package let members: [Member]
    package let lanes: [Lane]
    /// Most of what is tried fails, so that little is.
    package let isBroken: Bool
}

extension Dispatcher {
    /// Who has each lane of a group, among the workers that are there, and how many these are: what
    /// the status says too, for those who look often.
    package func owners(ofGroup name: String) -> (lanes: [Channel: NodeID], workerCount: Int) {
        guard let group = groups.first(where: { $0.definition.name == name }) else {
            return ([:], 0)
        }
        let present = group.members.filter { $0.session != nil }
        let nodes = Dictionary(
            present.map { ($0.number, $0.instance.node) }, uniquingKeysWith: { $1 })
        var lanes: [Channel: NodeID] = [:]
        for lane in group.lanes {
            if let owner = lane.owner, let node = nodes[owner] { lanes[lane.channel] = node }
        }
        return (lanes, present.count)
    }
}

extension GroupDispatcher {
    var status: GroupStatus {
        let owned = Dictionary(grouping: lanes, by: \.owner)
        return GroupStatus(
            definition: definition,
            members: members.map { member in
                GroupStatus.Member(
                    instance: member.instance, name: member.label, isDrained: member.isDrained,
                    session: member.session, window: member.window,
                    outCount: member.out.events,
                    lanes: owned[member.number]?.map(\.channel) ?? [])
            },
            lanes: lanes.map { lane in
                GroupStatus.Lane(
                    channel: lane.channel, ledger: lane.ledger.snapshot(), end: lane.end,
                    lag: lane.lag, outCount: lane.outCount, delayedCount: lane.delayed.count,
                    blockedKeyCount: lane.keys?.blockedCount ?? 0, oldest: lane.oldest)
            }, isBroken: breaker.isOpen)
    }
}
