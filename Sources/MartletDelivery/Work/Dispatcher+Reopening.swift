/// A key of a channel.
package struct HeldKey: Hashable, Sendable {
    package let channel: Channel
    let key: UInt64

    /// A key of this text.
    package init(_ key: String, of channel: Channel) {
        self.channel = channel
        self.key = KeyHash.of(key)
    }

    /// The key of an event; nil if it has none.
    package init?(of event: RecordedEvent) {
        guard let key = KeyHash.of(event) else { return nil }
        channel = event.frame.channel
        self.key = key
    }
}

/// Events that groups have set aside, and that are to be tried again.
///
/// Where everything of a key is set aside, it goes on in two steps: first nothing more of it is set
/// aside, but waits; then, when all that was is known, that is tried again, in its order.
extension Dispatcher {
    /// Nothing more of these keys is set aside by a group, as far as they are parked. Returns those
    /// that are.
    package mutating func hold(_ keys: [HeldKey], of group: String) -> Set<HeldKey> {
        guard let place = places[group] else { return [] }
        var held: Set<HeldKey> = []
        for key in keys {
            guard !held.contains(key),
                let lane = groups[place].lane(key.channel.place),
                groups[place].lanes[lane].channel == key.channel,
                groups[place].lanes[lane].hold(key.key)
            else { continue }
            held.insert(key)
        }
        return held
    }

    /// Keys go on, or do not, and what has come since is set aside after all.
    package mutating func release(
        _ keys: Set<HeldKey>, of group: String, goingOn: Bool, at now: MonotonicTime
    ) {
        guard let place = places[group] else { return }
        change(place) { group in
            for key in keys {
                guard let lane = group.lane(key.channel.place) else { continue }
                group.lanes[lane].release(key.key, goingOn: goingOn)
            }
            group.pump(at: now)
        }
    }

    /// Events of one channel that a group has set aside are tried again: all of them or, if it
    /// returns false, none. Then some are not known to be settled, or too many are tried again
    /// already.
    package mutating func reopen(
        _ events: [RecordedEvent], of group: String, at now: MonotonicTime
    ) -> Bool {
        guard let place = places[group], let first = events.first,
            let lane = groups[place].lane(first.frame.channel.place),
            groups[place].mayReopen(events, in: lane)
        else { return false }
        change(place) { group in
            group.lanes[lane].reopen(events)
            group.pump(at: now)
        }
        return true
    }

    // MARK: After a restart

    /// Events that were reopened before a restart, and are needed again.
    package var awaited: [LedgerName: SequenceSet] {
        var awaited: [LedgerName: SequenceSet] = [:]
        for group in groups {
            for lane in group.lanes where !lane.awaited.isEmpty {
                awaited[LedgerName(group.definition.name, lane.channel)] = lane.awaited
            }
        }
        return awaited
    }

    /// They are here, as far as there are any: the others are lost.
    package mutating func restore(
        _ events: [RecordedEvent], of name: LedgerName, at now: MonotonicTime
    ) {
        guard let place = places[name.group] else { return }
        change(place) { group in
            guard let lane = group.lane(name.channel.place) else { return }
            group.lanes[lane].restore(events.filter { $0.frame.channel == name.channel })
            group.lanes[lane].loseAwaited()
            group.pump(at: now)
        }
    }
}

extension GroupDispatcher {
    /// Whether they are events of the lane that are settled, and there is room in its ledger.
    fileprivate func mayReopen(_ events: [RecordedEvent], in lane: Int) -> Bool {
        let known = lanes[lane]
        let open = known.ledger.reopened.count
        // A key whose events are tried again together may have more of them.
        let max = open == 0 ? Limits.reopenedKeyMax : Limits.reopenedMax
        let byteCount = events.reduce(known.heldBytes) { $0 + $1.recordByteCount }
        guard open + UInt64(events.count) <= UInt64(max),
            open == 0 || byteCount <= Limits.workLaneBytesMax
        else { return false }
        return events.allSatisfy { event in
            // Streams in memory begin anew with each start.
            known.channel == event.frame.channel
                && (known.isDurable || event.frame.header.epoch == instance.epoch)
                && event.sequence < known.end && known.ledger.isSettled(event.sequence)
        }
    }
}
