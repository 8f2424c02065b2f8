/// What a node hears of those who work for its streams.
package enum WorkerNews: Sendable {
    /// A worker says something.
    case said(session: UInt64, Instance, named: String, SessionMessage)
    /// It is alive.
    case beat(session: UInt64)
    /// Its session is over; with a goodbye, it has nothing any more.
    case closed(session: UInt64, isGoodbye: Bool)
}

/// A node as the dispatcher of its streams: the groups that work for them.
///
/// It decides and does nothing.
package struct Dispatcher: Sendable {
    /// What is to be done.
    package enum Effect: Sendable {
        /// Say something to the peer of its session.
        case say(SessionMessage)
        /// Read events of a channel for a group, from this one on.
        case read(WorkRead)
        /// A group has given an event up.
        case dead(DeadEvent)
        /// An event that was watched has ended.
        case ended(WatchedEvent, WorkFate)
    }

    struct Stream: Sendable {
        let name: StreamName
        let partitions: Int
        let isDurable: Bool
        /// Bytes that may be held for workers before publishers wait.
        let heldBytesMax: Int
    }

    let instance: Instance
    /// Whether there is a journal, in which groups and ledgers of durable streams are kept.
    let isStored: Bool
    var random: SplitMix
    var streams: [Stream] = []
    var groups: [GroupDispatcher] = []
    var places: [String: Int] = [:]
    var fences: FenceCounter
    /// Which groups each session works for.
    var working: [UInt64: [Int]] = [:]
    /// Groups and ledgers as the journal has them, of which no worker has been seen yet.
    var found: (groups: [String: StoredGroup], ledgers: [LedgerName: StoredLedger])
    /// When a lease ends that was given before this start.
    private let leasesEnd: MonotonicTime
    /// Definitions that are to be stored.
    var newGroups: [String: StoredGroup?] = [:]
    var unfinished: [LedgerName: StoredLedger] = [:]
    var effects: [Effect] = []

    /// The dispatcher of a node that has just started.
    package init(
        _ instance: Instance, isStored: Bool = false, groups: [String: StoredGroup] = [:],
        ledgers: [LedgerName: StoredLedger] = [:], seed: UInt64, at now: MonotonicTime
    ) {
        self.instance = instance
        self.isStored = isStored
        random = SplitMix(seed)
        fences = FenceCounter(instance.epoch)
        found = (groups, ledgers)
        leasesEnd = now + Limits.lease
        for (name, stored) in groups.sorted(by: { $0.key < $1.key }) {
            // One that cannot be read is said to be so to its workers.
            guard let definition = GroupDefinition(encoded: stored.definition) else { continue }
            places[name] = self.groups.count
            self.groups.append(
                GroupDispatcher(
                    definition, stored.definition, at: instance, seed: random.next(),
                    fences: fences))
        }
    }

    /// Whether nobody works here.
    package var isIdle: Bool { groups.isEmpty }

    /// Whether something is to be stored.
    package var isDirty: Bool {
        !newGroups.isEmpty
            || groups.contains { group in
                !group.unconfirmed.isEmpty || group.lanes.contains { $0.needsStoring }
            }
    }

    /// Whether something is to be done.
    package var hasEffects: Bool { !effects.isEmpty }

    package mutating func takeEffects() -> [Effect] {
        for place in groups.indices where groups[place].hasGrants {
            change(place) { $0.sayGrants() }
        }
        defer { effects = [] }
        return effects
    }

    // MARK: Streams

    /// A stream of the node, whose channels are those of the publisher.
    package mutating func add(
        _ stream: StreamName, partitions: Int, isDurable: Bool, ringBytes: Int,
        in publisher: FanoutPublisher, at now: MonotonicTime
    ) {
        streams.append(
            Stream(
                name: stream, partitions: partitions, isDurable: isDurable,
                heldBytesMax: ringBytes / 2))
        for place in groups.indices { attach(place, to: streams.count - 1, publisher, at: now) }
    }

    /// Whether so much is held for workers that nothing should be published.
    package func isHeldUp(_ stream: StreamName) -> Bool {
        guard !groups.isEmpty, let known = streams.first(where: { $0.name == stream }),
            !known.isDurable
        else { return false }
        return groups.contains {
            $0.has(stream) && $0.heldBytes(of: stream) >= known.heldBytesMax
        }
    }

    /// A frame follows the last one of its channel, and was published.
    package mutating func sealed(
        _ frame: SealedFrame, of stream: StreamName, in publisher: FanoutPublisher,
        at now: MonotonicTime
    ) {
        let channel = ChannelPlace(stream: stream, lane: frame.lane)
        for place in groups.indices where groups[place].has(stream) {
            if groups[place].lane(channel) == nil {
                guard let known = streams.first(where: { $0.name == stream }) else { continue }
                add(channel, of: known, to: place, publisher, at: now, before: frame)
            }
            guard let lane = groups[place].lane(channel) else { continue }
            borrowFences(place)
            groups[place].sealed(frame, in: lane, at: now)
            collect(place)
        }
    }

    /// Attaches a group to a stream that it works for.
    mutating func attach(
        _ place: Int, to stream: Int, _ publisher: FanoutPublisher, at now: MonotonicTime
    ) {
        let stream = streams[stream]
        guard !groups[place].isRemoved, groups[place].definition.wants(stream.name),
            !groups[place].has(stream.name), stream.isDurable || groups[place].hasBegun
        else { return }
        groups[place].add(stream.name, partitions: stream.partitions)
        for channel in publisher.channels(of: stream.name) {
            add(channel.channel.place, of: stream, to: place, publisher, at: now)
        }
    }

    /// - Parameter before: the frame that has just been published, and comes by itself.
    private mutating func add(
        _ channel: ChannelPlace, of stream: Stream, to place: Int, _ publisher: FanoutPublisher,
        at now: MonotonicTime, before frame: SealedFrame? = nil
    ) {
        let definition = groups[place].definition
        let name = Channel(node: instance.node, stream: channel.stream, lane: channel.lane)
        let known = publisher.channels(of: stream.name).first { $0.channel == name }
        let first = known?.first ?? 1
        let end = frame?.sequences.lowerBound ?? known?.next ?? 1
        var before: (definition: GroupDefinition, until: UInt64)?
        if let old = found.groups[definition.name], let encoded = old.before,
            let until = old.starts[name], let definition = GroupDefinition(encoded: encoded)
        {
            before = (definition, until)
        }
        let stored = stream.isDurable ? found.ledgers[LedgerName(definition.name, name)] : nil
        // A channel that begins behind the group is all the group's.
        let start = definition.start == .now && frame == nil ? end : min(first, end)
        var lane = WorkLane(
            name, stored ?? StoredLedger(from: start), end: end,
            isShared: channel.lane == 0 || !definition.isKeyed, isDurable: stream.isDurable,
            before: before, unclaimedUntil: stored == nil ? nil : leasesEnd)
        if stored == nil { lane.isDirty = stream.isDurable }
        if !stream.isDurable {
            for frame in publisher.ringFrames(of: channel)
            where frame.sequences.upperBound > start && frame.sequences.lowerBound < end {
                lane.sealed(frame)
            }
        }
        groups[place].add(lane)
    }

    // MARK: Workers

    /// A worker says something, or nothing any more.
    package mutating func handle(
        _ news: WorkerNews, in publisher: FanoutPublisher, at now: MonotonicTime
    ) {
        switch news {
        case .said(let session, let worker, let name, .join(_, let join)):
            self.join(worker, named: name, session: session, join, publisher, at: now)
        case .said(let session, _, _, let message):
            hear(message, session: session, at: now)
        case .beat(let session):
            for place in working[session] ?? [] { groups[place].beat(session: session, at: now) }
        case .closed(let session, let isGoodbye):
            for place in working.removeValue(forKey: session) ?? [] {
                change(place) { $0.closed(session: session, isGoodbye: isGoodbye, at: now) }
            }
        }
    }

    private mutating func hear(
        _ message: SessionMessage, session: UInt64, at now: MonotonicTime
    ) {
        switch message {
        case .results(_, let results):
            guard let place = places[results.group] else { return }
            change(place) { $0.results(results, session: session, at: now) }
        case .resize(_, let resize):
            guard let place = places[resize.group] else { return }
            change(place) { $0.resize(resize, session: session, at: now) }
        case .leave(_, let group):
            guard let place = places[group] else { return }
            change(place) { $0.leave(session: session, at: now) }
            working[session]?.removeAll { $0 == place }
        default: break
        }
    }

    /// The storage has answered.
    package mutating func answered(
        _ read: WorkRead, with answer: StoredAnswer, first: UInt64, at now: MonotonicTime
    ) {
        guard let lane = groups[read.group].lane(read.channel.place) else { return }
        change(read.group) { $0.read(answer, of: lane, first: first, at: now) }
    }

    /// Time has passed.
    package mutating func tick(at now: MonotonicTime) {
        for place in groups.indices { change(place) { $0.tick(at: now) } }
    }

    // MARK: Closing

    /// Gives nothing out any more, and asks for what was not begun.
    package mutating func close() {
        for place in groups.indices { change(place) { $0.close() } }
    }

    /// Whether nothing is with any worker that is heard from.
    package var isClear: Bool { groups.allSatisfy(\.isClear) }

    /// Whether groups that have workers are done with all of the streams that live in memory, and
    /// end with the node.
    package var isDrained: Bool {
        groups.allSatisfy { group in
            group.members.isEmpty || group.lanes.allSatisfy { $0.isDurable || $0.lag == 0 }
        }
    }

    // MARK: Storing

    /// What is to be stored now. So many events of each channel are stored in the same commit.
    package mutating func takeChanges() -> (
        groups: [String: StoredGroup?], ledgers: [LedgerName: StoredLedger]
    ) {
        for place in groups.indices {
            let name = groups[place].definition.name
            for lane in groups[place].lanes.indices {
                guard let ledger = groups[place].lanes[lane].takeChange() else { continue }
                unfinished[LedgerName(name, groups[place].lanes[lane].channel)] = ledger
            }
            groups[place].storing += groups[place].unconfirmed
            groups[place].unconfirmed = []
        }
        defer { newGroups = [:] }
        return (newGroups, unfinished)
    }

    /// It is on disk.
    package mutating func committed(at now: MonotonicTime) {
        for (name, ledger) in unfinished {
            guard let place = places[name.group], let lane = groups[place].lane(name.channel.place)
            else { continue }
            groups[place].lanes[lane].stored(ledger)
        }
        unfinished = [:]
        for place in groups.indices {
            change(place) { group in
                group.confirm(group.storing)
                group.storing = []
                group.pump(at: now)
            }
        }
    }

    // MARK: Watching

    /// Whether anybody has worked for a group, now or before.
    package func knows(_ group: String) -> Bool { places[group] != nil }

    /// How many nodes work for a group that are heard from.
    package func workerCount(of group: String) -> Int {
        guard let place = places[group] else { return 0 }
        return groups[place].members.count { $0.session != nil }
    }

    /// Somebody wants to know what becomes of an event that comes next in its channel. False if
    /// the group does not work for its stream.
    package mutating func watch(_ event: WatchedEvent) -> Bool {
        guard let place = places[event.group],
            groups[place].definition.wants(event.channel.stream)
        else { return false }
        groups[place].watch(event.sequence, of: event.channel.place)
        return true
    }

    /// Whether a group is done with an event.
    package func isSettled(_ event: WatchedEvent) -> Bool {
        guard let place = places[event.group],
            let lane = groups[place].lane(event.channel.place)
        else { return false }
        return event.sequence < groups[place].lanes[lane].end
            && groups[place].lanes[lane].ledger.isSettled(event.sequence)
    }

    /// Nobody wants to know it any more.
    package mutating func unwatch(_ event: WatchedEvent) {
        guard let place = places[event.group] else { return }
        groups[place].unwatch(event.sequence, of: event.channel.place)
    }

    // MARK: Looking

    /// The groups, and how they stand.
    package var status: [GroupStatus] { groups.filter { !$0.isRemoved }.map(\.status) }

    // MARK: Groups

    mutating func change(_ place: Int, _ body: (inout GroupDispatcher) -> Void) {
        borrowFences(place)
        body(&groups[place])
        collect(place)
    }

    /// Fences of all groups rise together.
    private mutating func borrowFences(_ place: Int) { groups[place].fences = fences }

    private mutating func collect(_ place: Int) {
        fences = groups[place].fences
        for effect in groups[place].takeEffects() {
            switch effect {
            case .send(_, let message): effects.append(.say(message))
            case .read(let channel, let from):
                effects.append(.read(WorkRead(group: place, channel: channel, from: from)))
            case .dead(let letter): effects.append(.dead(letter))
            case .ended(let channel, let ending):
                let event = WatchedEvent(
                    group: groups[place].definition.name, channel: channel,
                    sequence: ending.sequence)
                effects.append(.ended(event, ending.fate))
            }
        }
    }
}

/// A question to the storage on behalf of a group.
package struct WorkRead: Sendable {
    let group: Int
    /// The channel.
    package let channel: Channel
    /// The first event that is wanted.
    package let from: UInt64
}
