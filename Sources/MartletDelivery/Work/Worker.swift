/// A worker of a group, at all publishers that its node knows: it joins, takes what it is given,
/// and says what became of it.
///
/// It decides and does nothing. Of the events of a key one is with a handler at a time, in their
/// order; those of different keys go side by side where that helps.
package struct Worker: Sendable {
    enum Ready: Sendable {
        case row(UInt64)
        case strand(UInt64)
        /// Some of a frame of which no event waits for another one.
        case events(HeldFrame, Range<Int>)
    }

    package let group: String
    let definition: Bytes
    let isKeyed: Bool
    let width: Int
    /// As many events as its handlers can end soon: it takes no more from any publisher.
    package var capacity = Limits.workEventsMax
    private let began: MonotonicTime
    var sources: [Int: WorkSource] = [:]
    /// What must stay in order, by the number that frames of one channel have in common.
    var rows: [UInt64: WorkRow] = [:]
    /// Keys of which something was unfolded.
    var strands: [UInt64: WorkStrand] = [:]
    /// Strands that wait for results to be settled.
    var blocked: [WorkStrand.ResultsName: [UInt64]] = [:]
    /// Strands that wait for results to be sent: those that say of events that they failed, and
    /// those that say that they were not begun.
    var unsent: [Int: (failed: [UInt64], returned: [UInt64])] = [:]
    var ready = Queue<Ready>()
    /// Events that stand among the ready by themselves.
    var readyEvents = 0
    /// Events that handlers have, or are about to have.
    var takenCount = 0
    var messages: [(peer: Int, SessionMessage)] = []
    var isDraining = false
    var latest: Frame?

    /// Why a publisher has turned it away.
    package private(set) var refusal: (peer: Int, text: String)?

    /// A worker with so many handlers at once.
    package init(
        _ definition: GroupDefinition, width: Int, at now: MonotonicTime
    ) throws(MartletError) {
        began = now
        group = definition.name
        self.definition = try definition.encoded()
        isKeyed = definition.isKeyed
        self.width = width
    }

    /// What is to be said, and to whom.
    package mutating func takeMessages() -> [(peer: Int, message: SessionMessage)] {
        defer { messages = [] }
        return messages
    }

    /// Whether something could be taken.
    package var hasReady: Bool { !ready.isEmpty }

    /// How many handlers could have something at once, and how many events there are for them.
    package var readiness: (handlers: Int, events: Int) {
        (ready.count + readyEvents, max(0, unfinishedCount - takenCount))
    }

    /// Events that it has and no handler has ended.
    package var unfinishedCount: Int { sources.values.reduce(0) { $0 + $1.unfinishedCount } }

    /// Events that were handled in vain, since others had been given them.
    package var staleCount: UInt64 { sources.values.reduce(0) { $0 + $1.staleCount } }

    /// Whether some publisher has taken it in.
    package var isJoined: Bool { sources.values.contains { $0.isJoined } }

    // MARK: Sessions

    /// A session with a publisher has begun.
    package mutating func began(
        _ session: UInt64, with publisher: Instance, peer: Int, at now: MonotonicTime
    ) {
        if sources[peer] == nil { sources[peer] = WorkSource(peer, width: width, at: began) }
        if sources[peer]?.begin(session, with: publisher) == true { dropWaiting(of: peer) }
        join(peer, at: now)
    }

    mutating func join(_ peer: Int, at now: MonotonicTime) {
        let window = isDraining ? WorkWindow.none : nil
        guard let message = sources[peer]?.join(group, definition, window: window, at: now) else {
            return
        }
        messages.append((peer, message))
    }

    /// The session is over.
    package mutating func lost(peer: Int, at now: MonotonicTime) { sources[peer]?.lost(at: now) }

    /// The publisher is forgotten, with all that came from it.
    package mutating func remove(peer: Int) {
        dropWaiting(of: peer)
        sources[peer] = nil
        rows = rows.filter { !$0.value.isIdle }
    }

    /// A publisher has heard what this node sent at a moment.
    package mutating func echoed(_ sent: MonotonicTime, peer: Int, at now: MonotonicTime) {
        // What was held before is not saved by what comes too late.
        expire(peer, at: now)
        sources[peer]?.renew(sent)
    }

    /// A message about work has come.
    package mutating func receive(
        _ message: SessionMessage, from peer: Int, at now: MonotonicTime
    ) {
        switch message {
        case .joined(_, let joined) where joined.group == group: hear(joined, from: peer, at: now)
        case .work(_, let work) where work.group == group: take(work, from: peer, at: now)
        case .settled(_, let settled) where settled.group == group:
            sources[peer]?.settle(settled)
            for number in settled.numbers { unblock(peer, number) }
            for message in sources[peer]?.resend(group, from: settled.resendFrom, at: now) ?? [] {
                messages.append((peer, message))
            }
            if sources[peer]?.lacks(settled.round, settled.lastNumber) == true {
                join(peer, at: now)
            }
        case .recall(_, let recall) where recall.group == group:
            guard let isNext = sources[peer]?.accept(recall.round, recall.number) else { return }
            guard isNext else { return join(peer, at: now) }
            giveBack { held in
                held.peer == peer && held.lease.fence <= recall.fence
                    && held.frame.channel.lane == recall.lane
                    && held.frame.channel.stream == recall.stream
            }
        default: break
        }
    }

    private mutating func hear(_ joined: WorkJoined, from peer: Int, at now: MonotonicTime) {
        guard sources[peer]?.joined(joined.round) == true else { return }
        if joined.refusal != nil {
            refusal = (peer, joined.text)
            return
        }
        for message in sources[peer]?.repeatResults(group, olderThan: .zero, at: now) ?? [] {
            messages.append((peer, message))
        }
    }

    private mutating func take(_ work: Work, from peer: Int, at now: MonotonicTime) {
        guard let isNext = sources[peer]?.accept(work.round, work.number) else { return }
        guard isNext else { return join(peer, at: now) }
        expire(peer, at: now)
        for (bytes, lease) in zip(work.frames, work.leases) {
            guard let frame = try? Frame(bytes, like: latest) else { return join(peer, at: now) }
            latest = frame
            sources[peer]?.hold(frame, lease.fence)
            guard let source = sources[peer] else { return }
            let row = isKeyed && frame.channel.lane > 0 ? frame.channel.row(of: peer) : nil
            add(HeldFrame(frame, lease, from: source, inRow: row))
        }
    }

    private mutating func add(_ held: HeldFrame) {
        let all = HeldEvents(held, 0..<held.frame.count)
        guard !isDraining else { return giveBack(all) }
        guard let row = held.row else { return list(held, 0..<held.frame.count) }
        guard rows[row, default: WorkRow()].blockedCount == 0 else { return unfold(all, in: row) }
        rows[row, default: WorkRow()].append(held)
        proceed(row: row)
    }

    private mutating func list(_ held: HeldFrame, _ places: Range<Int>) {
        guard !places.isEmpty else { return }
        ready.append(.events(held, places))
        readyEvents += places.count - 1
    }

    // MARK: Taking

    /// Events to be handled now, one after the other: those of a key behind each other.
    package mutating func take(atMost count: Int, at now: MonotonicTime) -> HeldEvents {
        for peer in sources.keys.sorted() { expire(peer, at: now) }
        let taken = takeReady(atMost: count)
        takenCount += taken.count
        return taken
    }

    private mutating func takeReady(atMost count: Int) -> HeldEvents {
        var taken: [HeldEvent] = []
        while taken.count < count, let next = ready.popFirst() {
            switch next {
            case .strand(let number):
                guard let place = strands.index(forKey: number) else { continue }
                strands.values[place].take(atMost: count, into: &taken)
            case .row(let number):
                rows[number]?.isListed = false
                guard taken.isEmpty else {
                    ready.prepend(next)
                    rows[number]?.isListed = true
                    return HeldEvents(taken[...])
                }
                guard let events = rows[number]?.take(atMost: count) else { continue }
                return events
            case .events(let held, let places):
                readyEvents -= places.count - 1
                guard taken.isEmpty else {
                    ready.prepend(next)
                    readyEvents += places.count - 1
                    return HeldEvents(taken[...])
                }
                let end = min(places.lowerBound + count, places.upperBound)
                list(held, end..<places.upperBound)
                return HeldEvents(held, places.lowerBound..<end)
            }
        }
        return HeldEvents(taken[...])
    }

    /// Whether a handler may begin with an event that it was given a while ago.
    package mutating func mayBegin(_ held: HeldEvent, at now: MonotonicTime) -> Bool {
        expire(held.peer, at: now)
        return isCurrent(held.held)
    }

    /// Whether an event is still this worker's business. Where it is not, its handler should end:
    /// others may have been given the event.
    package func isCurrent(_ held: HeldEvent) -> Bool { isCurrent(held.held) }

    func isCurrent(_ held: HeldFrame) -> Bool { sources[held.peer]?.term == held.term }

    /// Whether its publisher has been heard of lately.
    package func isInTime(_ held: HeldEvent, at now: MonotonicTime) -> Bool {
        isCurrent(held) && sources[held.peer]?.holdsLease(at: now) == true
    }

    /// What it has of a publisher, and how much it takes.
    package func load(of peer: Int) -> (unfinished: Int, window: WorkWindow)? {
        sources[peer].map { ($0.unfinishedCount, $0.window) }
    }

    // MARK: Ending

    /// Handlers have ended well, one after the other.
    package mutating func finishDone(_ events: HeldEvents) {
        takenCount -= events.count
        switch events.content {
        case .run(let held, let places):
            sources[held.peer]?.endDone(held, places)
            guard let row = held.row else { return }
            if rows[row]?.end(before: places.upperBound, of: held) == true {
                return proceed(row: row)
            }
            for place in places { free(HeldEvent(held, at: place)) }
        case .events(let events):
            for held in events {
                sources[held.peer]?.endDone(held.held, held.place..<held.place + 1)
                free(held)
            }
        }
    }

    /// A handler has ended otherwise, or does not begin; all that it had before this one has ended.
    /// What waits behind a failure of its key goes back.
    package mutating func finish(_ held: HeldEvent, _ verdict: WorkResult.Verdict) {
        takenCount -= 1
        if verdict.isFinal, let row = held.held.row,
            rows[row]?.end(before: held.place + 1, of: held.held) == true
        {
            sources[held.peer]?.end(held, verdict)
            return proceed(row: row)
        }
        // What follows of its key must not be handled with the others of its row.
        if !verdict.isFinal, let row = held.held.row { unfoldAll(in: row) }
        end(held, verdict)
        if case .retry = verdict, isOfNow(held), let strand = held.strand {
            unsent[held.peer, default: ([], [])].failed.append(strand)
            block(strand, in: held)
        }
        free(held)
    }

    /// An event that was unfolded is with no handler any more.
    private mutating func free(_ held: HeldEvent) {
        guard let strand = held.strand else { return }
        if let place = strands.index(forKey: strand) {
            strands.values[place].taken -= 1
            if strands.values[place].taken == 0 { proceed(strand) }
        }
        leaveRow(held)
    }

    /// What was taken and not begun waits again, before what follows it.
    package mutating func putBack(_ events: HeldEvents) {
        takenCount -= events.count
        if case .run(let held, let places) = events.content, held.row == nil, isCurrent(held) {
            return list(held, places)
        }
        unfoldRows(of: events)
        for place in (0..<events.count).reversed() {
            let held = events[place]
            guard let strand = held.strand else {
                if isCurrent(held) {
                    list(held.held, held.place..<held.place + 1)
                } else {
                    end(held, .returned)
                }
                continue
            }
            strands[strand]?.taken -= 1
            if isCurrent(held), strands[strand]?.block == .free {
                strands[strand]?.waiting.prepend(held)
            } else {
                end(held, .returned)
                leaveRow(held)
            }
        }
        for strand in Set((0..<events.count).compactMap { events[$0].strand }).sorted() {
            proceed(strand)
        }
    }

    /// Whether its publisher is still the one that gave it: nobody else is told of it, or answers.
    private func isOfNow(_ held: HeldEvent) -> Bool {
        sources[held.peer]?.life == held.held.life
    }

    mutating func end(_ held: HeldEvent, _ verdict: WorkResult.Verdict) {
        sources[held.peer]?.end(held, verdict)
        guard case .returned = verdict, isOfNow(held), let strand = held.strand else { return }
        unsent[held.peer, default: ([], [])].returned.append(strand)
        block(strand, in: held)
    }
}

extension Channel {
    /// Tells keys of this channel from those of others.
    fileprivate func row(of peer: Int) -> UInt64 {
        var mixed = SplitMix(UInt64(bitPattern: Int64(peer)) &* 0x1_0001 ^ UInt64(lane) << 32)
        for byte in stream.text.utf8 {
            mixed = SplitMix(mixed.next() ^ UInt64(byte))
        }
        return mixed.next()
    }
}
