/// The dispatcher of a group at the node that publishes: it gives events to the group's workers,
/// and keeps the ledger.
///
/// It decides and does nothing. What happens twice happens the same way, wherever it runs.
struct GroupDispatcher: Sendable {
    /// What is to be done.
    enum Effect: Sendable {
        case send(session: UInt64, SessionMessage)
        /// Read events of a channel, from this one on.
        case read(Channel, from: UInt64)
        case dead(DeadEvent)
        /// An event that was watched has ended.
        case ended(Channel, WorkEnding)
    }

    private(set) var definition: GroupDefinition
    /// As it is stored and compared.
    private(set) var encoded: Bytes
    let instance: Instance
    var members: [WorkMember] = []
    var lanes: [WorkLane] = []
    private(set) var places: [ChannelPlace: Int] = [:]
    private(set) var partitions: [StreamName: Int] = [:]
    private var lastMember: UInt32 = 0
    var fences: FenceCounter
    var breaker = Breaker()
    private var firstLane = 0
    var random: SplitMix
    /// Attempts that failed, of events that are not settled.
    var histories: [WorkEventName: [DeadEvent.Attempt]] = [:]
    /// Results that are to be confirmed once they are stored.
    var unconfirmed: [(member: UInt32, number: UInt64, staleCount: UInt64)] = []
    /// Those of them that are being stored.
    var storing: [(member: UInt32, number: UInt64, staleCount: UInt64)] = []
    private var isClosing = false
    /// Whether a worker has come. A group that is known from before has nothing to do with streams
    /// that live in memory until then: its workers may be gone for good.
    var hasBegun = false
    /// Whether it was removed, and only keeps its place.
    var isRemoved = false
    /// Since when there has been no worker; nil while there is one.
    var emptySince: MonotonicTime?
    /// Whether what its live streams publish is lost, since nobody works for it.
    private(set) var isAbandoned = false
    /// Members have come or gone.
    private var isUnassigned = false
    /// What they want of each stream.
    private var rankings: [StreamName: LaneRankings] = [:]
    /// How many events are watched.
    var watchCount = 0
    /// Events that are watched, of channels that have not begun.
    var earlyWatches: [ChannelPlace: [UInt64]] = [:]
    /// Whether some member was given something that is not said yet.
    var hasGrants = false
    var effects: [Effect] = []

    init(
        _ definition: GroupDefinition, _ encoded: Bytes, at instance: Instance, seed: UInt64,
        fences: FenceCounter
    ) {
        self.definition = definition
        self.encoded = encoded
        self.instance = instance
        self.fences = fences
        random = SplitMix(seed)
    }

    mutating func takeEffects() -> [Effect] {
        if watchCount > 0 { tellEndings() }
        defer { effects = [] }
        return effects
    }

    /// The group is defined anew.
    mutating func redefine(_ definition: GroupDefinition, _ encoded: Bytes) {
        self.definition = definition
        self.encoded = encoded
    }

    // MARK: Lanes

    /// A stream that the group works for.
    mutating func add(_ stream: StreamName, partitions: Int) {
        self.partitions[stream] = partitions
        isUnassigned = true
    }

    func has(_ stream: StreamName) -> Bool { partitions[stream] != nil }

    /// A channel of such a stream.
    mutating func add(_ lane: WorkLane) {
        places[lane.channel.place] = lanes.count
        lanes.append(lane)
        isUnassigned = true
        for sequence in earlyWatches.removeValue(forKey: lane.channel.place) ?? [] {
            if !lanes[lanes.count - 1].ledger.watch(sequence) {
                // The group begins behind it.
                watchCount -= 1
                effects.append(
                    .ended(lane.channel, WorkEnding(sequence: sequence, fate: .skipped)))
            }
        }
    }

    func lane(_ channel: ChannelPlace) -> Int? { places[channel] }

    /// A frame follows the last one of its channel.
    mutating func sealed(_ frame: SealedFrame, in place: Int, at now: MonotonicTime) {
        lanes[place].sealed(frame, hasWorkers: !members.isEmpty)
        guard !members.isEmpty else {
            if isAbandoned, !lanes[place].isDurable { lanes[place].abandon() }
            return
        }
        assignIfNeeded(at: now)
        pump(lane: place, at: now)
    }

    /// The storage has answered.
    mutating func read(
        _ answer: StoredAnswer, of place: Int, first: UInt64, at now: MonotonicTime
    ) {
        lanes[place].read(answer, first: first)
        pump(lane: place, at: now)
    }

    /// Bytes of frames of a stream that are held for workers.
    func heldBytes(of stream: StreamName) -> Int {
        var sum = 0
        for lane in lanes.indices where lanes[lane].channel.stream == stream {
            sum += lanes[lane].heldBytes
        }
        return sum
    }

    // MARK: Members

    func member(of session: UInt64) -> Int? { members.firstIndex { $0.session == session } }

    /// Members stand in the order of their numbers.
    func member(numbered number: UInt32) -> Int? {
        var low = 0
        var high = members.count
        while low < high {
            let middle = (low + high) / 2
            if members[middle].number < number { low = middle + 1 } else { high = middle }
        }
        return low < members.count && members[low].number == number ? low : nil
    }

    /// Adds a worker, or lets one begin anew, and returns its place, and whether it is new here.
    mutating func enter(
        _ worker: Instance, named name: String, session: UInt64, _ join: WorkJoin,
        at now: MonotonicTime
    ) -> (place: Int, isNew: Bool) {
        isUnassigned = true
        if let known = members.firstIndex(where: { $0.instance == worker }) {
            members[known].session = session
            members[known].window = join.window
            members[known].leaseUntil = now + Limits.lease
            members[known].begin(join.round)
            return (known, false)
        }
        // A process that has begun anew has nothing of the one before.
        for before in members where before.instance.node == worker.node {
            remove(before.number, suspecting: true, at: now)
        }
        lastMember += 1
        members.append(
            WorkMember(lastMember, worker, named: name, session: session, join, at: now))
        emptySince = nil
        return (members.count - 1, true)
    }

    /// A worker is there no more, and what it had goes to others.
    mutating func remove(_ number: UInt32, suspecting: Bool, at now: MonotonicTime) {
        guard let place = member(numbered: number) else { return }
        let gone = members.remove(at: place)
        isUnassigned = true
        for lane in lanes.indices {
            let isOwn = lanes[lane].owner == number
            guard isOwn || lanes[lane].isShared || !lanes[lane].claims.isEmpty else { continue }
            let alone = lanes[lane].takeBack(from: number, suspecting: suspecting)
            for sequence in alone {
                fail(
                    sequence, in: lane, by: gone, because: "The worker fell silent.", wait: nil,
                    lapsed: true, at: now)
            }
            if isOwn { lanes[lane].owner = nil }
        }
        unconfirmed.removeAll { $0.member == number }
        storing.removeAll { $0.member == number }
    }

    /// Lanes are to be assigned anew.
    mutating func reassign(at now: MonotonicTime) {
        isUnassigned = true
        assignIfNeeded(at: now)
    }

    /// Gives every lane the worker that should have it.
    mutating func assignIfNeeded(at now: MonotonicTime) {
        guard isUnassigned else { return }
        isUnassigned = false
        let heirs = members.filter(\.takesLanes).prefix(Limits.membersMax)
        let numbers = Dictionary(heirs.map { ($0.name, $0.number) }, uniquingKeysWith: { $1 })
        let assignments = partitions.compactMap { stream, count in
            let assignment = try? Assignment(
                of: stream, partitions: count, to: heirs.map(\.name),
                remembering: &rankings[stream, default: LaneRankings()])
            return assignment.map { (stream, $0) }
        }
        let ofStream = Dictionary(assignments, uniquingKeysWith: { $1 })
        for lane in lanes.indices where !lanes[lane].isShared {
            let channel = lanes[lane].channel
            let name = ofStream[channel.stream]?.member(for: channel.lane)
            lanes[lane].heir = name.flatMap { numbers[$0] }
            move(lane, at: now)
        }
    }

    /// Hands a lane over if it is another worker's and nothing of it is out; else asks for what was
    /// not begun.
    mutating func move(_ lane: Int, at now: MonotonicTime) {
        let heir = lanes[lane].heir
        // Somebody may have some of it from before a restart, and say so yet.
        guard heir != lanes[lane].owner, lanes[lane].unclaimed == nil else {
            if heir == lanes[lane].owner { lanes[lane].isRecalled = false }
            return
        }
        if lanes[lane].outCount == 0 {
            lanes[lane].owner = heir
            lanes[lane].fence = fences.next()
            lanes[lane].rewind()
        } else if !lanes[lane].isRecalled, let owner = lanes[lane].owner.flatMap(member(numbered:))
        {
            recall(lane, from: owner)
        }
    }

    mutating func recall(_ lane: Int, from owner: Int) {
        guard members[owner].session != nil else { return }
        lanes[lane].isRecalled = true
        let channel = lanes[lane].channel
        recall(channel.stream, channel.lane, upTo: fences.last, from: owner)
    }

    // MARK: Closing

    /// Gives nothing out any more, and asks for what was not begun.
    mutating func close() {
        isClosing = true
        for lane in lanes.indices {
            lanes[lane].isClosing = true
            guard lanes[lane].outCount > 0 else { continue }
            for member in members.indices {
                guard lanes[lane].isShared || lanes[lane].owner == members[member].number else {
                    continue
                }
                recall(lane, from: member)
            }
        }
    }

    /// Whether nothing is with any worker that is heard from.
    var isClear: Bool { members.allSatisfy { $0.session == nil || $0.out.events == 0 } }

    // MARK: Giving

    /// Gives out what can go.
    mutating func pump(at now: MonotonicTime) {
        guard !lanes.isEmpty else { return }
        // From another one each time: where little may go, all lanes have their turn.
        firstLane = (firstLane + 1) % lanes.count
        for lane in lanes.indices { pump(lane: (lane + firstLane) % lanes.count, at: now) }
    }

    /// Without workers for so long, what a live stream holds for the group is given up.
    mutating func abandonIfDue(at now: MonotonicTime) {
        guard members.isEmpty else {
            isAbandoned = false
            return
        }
        let since = emptySince ?? now
        emptySince = since
        guard now >= since + Limits.abandonedPatience else { return }
        isAbandoned = true
        for lane in lanes.indices where !lanes[lane].isDurable { lanes[lane].abandon() }
        histories = [:]
    }

    mutating func pump(lane: Int, at now: MonotonicTime) {
        if lanes[lane].isShared {
            while let best = roomiest(), give(lane, to: best, grantsMax: 1, at: now) {}
        } else if let owner = lanes[lane].owner.flatMap(member(numbered:)),
            lanes[lane].heir == lanes[lane].owner, members[owner].session != nil
        {
            _ = give(lane, to: owner, grantsMax: Limits.messageFrames, at: now)
        }
        if lanes[lane].hasMore, let from = lanes[lane].takeRead() {
            effects.append(.read(lanes[lane].channel, from: from))
        }
    }

    /// The worker that has most room.
    private func roomiest() -> Int? {
        var best: Int?
        for place in members.indices where members[place].session != nil {
            let room = members[place].room
            guard room.events > 0, room.bytes > 0 else { continue }
            if let known = best, members[known].room.events >= room.events { continue }
            best = place
        }
        return best
    }

    /// Gives a worker what it has room for. False if nothing went.
    private mutating func give(
        _ lane: Int, to place: Int, grantsMax: Int, at now: MonotonicTime
    ) -> Bool {
        guard members[place].session != nil, lanes[lane].hasMore, !isClosing else { return false }
        if breaker.isOpen, !breaker.mayProbe(at: now) { return false }
        var taking = WorkTaking(
            member: members[place].number, definition: definition, window: members[place].window,
            room: members[place].room, maySuspect: !members[place].hasSuspect, fences: fences)
        taking.grantsMax = grantsMax
        taking.probesOnly = breaker.isOpen
        lanes[lane].take(&taking, at: now)
        fences = taking.fences
        for sequence in lanes[lane].takeToPark() { bury(sequence, in: lane, .parked) }
        members[place].hasSuspect = !taking.maySuspect
        guard !taking.grants.isEmpty else { return false }
        if breaker.isOpen { breaker.noteProbe(at: now) }
        for grant in taking.grants {
            members[place].out.events += grant.count
            members[place].out.bytes += grant.cost
        }
        members[place].grants += taking.grants
        hasGrants = true
        return true
    }
}

/// An event of a group, by its channel.
struct WorkEventName: Hashable, Sendable {
    let channel: Channel
    let sequence: UInt64
}

/// Numbers that follow from a seed, to spread waits (SplitMix64).
struct SplitMix: Sendable {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension Channel {
    var place: ChannelPlace { ChannelPlace(stream: stream, lane: lane) }
}
