/// Workers that come, and the groups that they mean.
extension Dispatcher {
    mutating func join(
        _ worker: Instance, named name: String, session: UInt64, _ join: WorkJoin,
        _ publisher: FanoutPublisher, at now: MonotonicTime
    ) {
        let place: Int
        do throws(JoinRefusal) { place = try self.place(for: join, publisher, at: now) } catch {
            let joined = WorkJoined(
                group: join.group, round: join.round, refusal: error.reason, text: error.text)
            effects.append(.say(.joined(session: session, joined)))
            return
        }
        if working[session]?.contains(place) != true { working[session, default: []].append(place) }
        change(place) { $0.join(worker, named: name, session: session, join, at: now) }
    }

    private struct JoinRefusal: Error {
        let reason: WorkJoined.Refusal
        let text: String
    }

    /// The group that a worker means, which begins with it if nobody has heard of it.
    private mutating func place(
        for join: WorkJoin, _ publisher: FanoutPublisher, at now: MonotonicTime
    ) throws(JoinRefusal) -> Int {
        guard let definition = GroupDefinition(encoded: join.definition),
            definition.name == join.group
        else { throw JoinRefusal(reason: .definition, text: "Its definition cannot be read.") }
        guard join.window.events == 0 || join.window.bytes >= Limits.eventBytesMax else {
            throw JoinRefusal(
                reason: .definition, text: "The largest event does not fit into its window.")
        }
        if let place = places[join.group] {
            try redefine(place, definition, join.definition)
            groups[place].hasBegun = true
            for stream in streams.indices { attach(place, to: stream, publisher, at: now) }
            return place
        }
        guard groups.count(where: { !$0.isRemoved }) < Limits.groupsMax else {
            throw JoinRefusal(
                reason: .full, text: "A node knows \(Limits.groupsMax) groups at most.")
        }
        guard found.groups[join.group] == nil else {
            throw JoinRefusal(reason: .definition, text: "The stored definition is unreadable.")
        }
        let group = GroupDispatcher(
            definition, join.definition, at: instance, seed: random.next(), fences: fences)
        let place = groups.firstIndex { $0.isRemoved } ?? groups.count
        if place == groups.count { groups.append(group) } else { groups[place] = group }
        groups[place].hasBegun = true
        places[join.group] = place
        for stream in streams.indices { attach(place, to: stream, publisher, at: now) }
        if isStored { note(place, before: nil) }
        return place
    }

    private mutating func redefine(
        _ place: Int, _ definition: GroupDefinition, _ encoded: Bytes
    ) throws(JoinRefusal) {
        let known = (groups[place].definition, groups[place].encoded)
        let newer = try Dispatcher.newer(known, (definition, encoded))
        guard newer.1 != known.1 else { return }
        groups[place].redefine(definition, encoded)
        if isStored { note(place, before: known.1) }
    }

    /// The definition that holds if a worker comes with another one.
    private static func newer(
        _ known: (GroupDefinition, Bytes), _ other: (GroupDefinition, Bytes)
    ) throws(JoinRefusal) -> (GroupDefinition, Bytes) {
        guard known.1 != other.1 else { return known }
        guard other.0.version != known.0.version else {
            throw JoinRefusal(
                reason: .definition,
                text: "Others have defined version \(known.0.version) of it otherwise. Give this "
                    + "definition version \(known.0.version + 1).")
        }
        guard other.0.version > known.0.version else {
            throw JoinRefusal(
                reason: .definition,
                text: "Version \(known.0.version) of it is in force, and this worker has "
                    + "\(other.0.version). Bring it up to date.")
        }
        guard other.0.isKeyed == known.0.isKeyed else {
            throw JoinRefusal(
                reason: .definition,
                text: "Whether a group keeps keys in order stays what it was. Begin another group.")
        }
        return other
    }

    /// A definition is to be stored, with where it begins to hold.
    private mutating func note(_ place: Int, before: Bytes?) {
        var starts: [Channel: UInt64] = [:]
        for lane in groups[place].lanes where lane.isDurable { starts[lane.channel] = lane.loaded }
        newGroups[groups[place].definition.name] = StoredGroup(
            definition: groups[place].encoded, starts: starts, before: before)
    }
}
