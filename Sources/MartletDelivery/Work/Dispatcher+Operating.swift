/// What an operator wants of groups.
extension Dispatcher {
    /// A keyed lane that would move if a worker left.
    package struct Move: Sendable, Hashable {
        package let channel: Channel
        package let from: NodeID?
        package let to: NodeID?
    }

    /// Why something cannot be done.
    package enum Obstacle: Error, Sendable {
        case unknownGroup
        case unknownWorker
        case severalWorkers
        case hasWorkers
    }

    /// The node of a worker that goes by this name or number.
    package func worker(_ text: String, of group: String) throws(Obstacle) -> NodeID {
        guard let place = places[group] else { throw .unknownGroup }
        let members = groups[place].members
        if let known = members.first(where: { $0.instance.node.description == text }) {
            return known.instance.node
        }
        let known = members.filter { $0.label == text }
        guard let first = known.first else { throw .unknownWorker }
        guard known.count == 1 else { throw .severalWorkers }
        return first.instance.node
    }

    /// Which lanes would move if a worker left.
    package func plan(without node: NodeID, of group: String) -> [Move] {
        guard let place = places[group] else { return [] }
        return groups[place].plan(without: node)
    }

    /// A worker gets nothing more, or is as before.
    package mutating func drain(
        _ node: NodeID, of group: String, _ isDrained: Bool, at now: MonotonicTime
    ) throws(Obstacle) {
        guard let place = places[group] else { throw .unknownGroup }
        var isKnown = false
        change(place) { isKnown = $0.drain(node, isDrained, at: now) }
        guard isKnown else { throw .unknownWorker }
    }

    /// Forgets a group that has no workers, and its ledgers. Who comes later begins it anew.
    package mutating func remove(_ group: String) throws(Obstacle) {
        guard let place = places[group] else { throw .unknownGroup }
        guard groups[place].members.isEmpty else { throw .hasWorkers }
        places[group] = nil
        change(place) { $0.endWatches() }
        // Its place stays empty: questions to the storage may be under way for it.
        groups[place] = GroupDispatcher(
            groups[place].definition, groups[place].encoded, at: instance, seed: random.next(),
            fences: fences)
        groups[place].isRemoved = true
        if isStored { newGroups.updateValue(nil, forKey: group) }
        found.groups[group] = nil
        found.ledgers = found.ledgers.filter { $0.key.group != group }
        unfinished = unfinished.filter { $0.key.group != group }
    }
}
