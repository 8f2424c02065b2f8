/// A worker of a group, at all publishers that its node knows: it joins, takes what it is given,
/// and says what became of it.
///
/// It decides and does nothing. Of the events of a key one is with a handler at a time, in their
/// order; those of different keys go side by side.
package struct Worker: Sendable {
    /// What waits of a key of a channel.
    struct Strand: Sendable {
        var waiting = Queue<HeldEvent>()
        /// How many of its events are with a handler, or about to be.
        var taken = 0
        var block = Block.free

        enum Added { case isReady, waits, isBlocked }

        mutating func add(_ held: HeldEvent) -> Added {
            guard block == .free else { return .isBlocked }
            defer { waiting.append(held) }
            return taken == 0 && waiting.isEmpty ? .isReady : .waits
        }

        /// Takes some of what waits, in its order.
        mutating func take(atMost count: Int, into events: inout [HeldEvent]) {
            // It may stand among the ready twice, if it was emptied meanwhile.
            guard taken == 0 else { return }
            while events.count < count, let held = waiting.popFirst() {
                taken += 1
                events.append(held)
            }
        }
    }

    /// An event has failed, or has gone back. Nothing of the key is begun until the publisher has
    /// taken note: what it sent before it had is out of order.
    enum Block: Hashable, Sendable {
        case free
        /// The results are not sent yet.
        case unsent
        case until(ResultsName)
    }

    struct ResultsName: Hashable, Sendable {
        let peer: Int
        let number: UInt64
    }

    enum Ready: Sendable {
        case strand(UInt64)
        case event(HeldEvent)
    }

    package let group: String
    let definition: Bytes
    let isKeyed: Bool
    let width: Int
    private let began: MonotonicTime
    var sources: [Int: WorkSource] = [:]
    var strands: [UInt64: Strand] = [:]
    /// Strands that wait for results to be settled.
    var blocked: [ResultsName: [UInt64]] = [:]
    /// Strands that wait for results to be sent: those that say of events that they failed, and
    /// those that say that they were not begun.
    var unsent: [Int: (failed: [UInt64], returned: [UInt64])] = [:]
    var ready = Queue<Ready>()
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

    /// How many events without a key, and keys, something could be taken of.
    package var readyCount: Int { ready.count }

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
                    && held.event.frame.channel.lane == recall.lane
                    && held.event.frame.channel.stream == recall.stream
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
            let held = HeldFrame(frame, lease, from: source)
            let salt = isKeyed ? frame.channel.salt(peer) : 0
            for place in 0..<frame.count {
                let key = isKeyed ? KeyHash.of(frame[place]) : nil
                add(HeldEvent(held, at: place, strand: key.map { $0 ^ salt }))
            }
        }
    }

    mutating func add(_ held: HeldEvent) {
        guard !isDraining else { return end(held, .returned) }
        guard let strand = held.strand else { return ready.append(.event(held)) }
        switch strands[strand, default: Strand()].add(held) {
        case .isReady: ready.append(.strand(strand))
        case .waits: break
        case .isBlocked: end(held, .returned)
        }
    }

    // MARK: Handlers

    /// Events to be handled now, one after the other: those of a key behind each other.
    package mutating func take(atMost count: Int, at now: MonotonicTime) -> [HeldEvent] {
        for peer in sources.keys.sorted() { expire(peer, at: now) }
        var taken: [HeldEvent] = []
        while taken.count < count, let next = ready.popFirst() {
            switch next {
            case .event(let held): taken.append(held)
            case .strand(let number):
                guard let place = strands.index(forKey: number) else { continue }
                strands.values[place].take(atMost: count, into: &taken)
            }
        }
        return taken
    }

    /// Whether a handler may begin with an event that it was given a while ago.
    package mutating func mayBegin(_ held: HeldEvent, at now: MonotonicTime) -> Bool {
        expire(held.peer, at: now)
        return sources[held.peer]?.term == held.held.term
    }

    /// Whether an event is still this worker's business. Where it is not, its handler should end:
    /// others may have been given the event.
    package func isCurrent(_ held: HeldEvent) -> Bool { sources[held.peer]?.term == held.held.term }

    /// Whether its publisher has been heard of lately.
    package func isInTime(_ held: HeldEvent, at now: MonotonicTime) -> Bool {
        isCurrent(held) && sources[held.peer]?.holdsLease(at: now) == true
    }

    /// What it has of a publisher, and how much it takes.
    package func load(of peer: Int) -> (unfinished: Int, window: WorkWindow)? {
        sources[peer].map { ($0.unfinishedCount, $0.window) }
    }

    /// A handler has ended, or does not begin. What waits behind a failure of its key goes back.
    package mutating func finish(_ held: HeldEvent, _ verdict: WorkResult.Verdict) {
        end(held, verdict)
        guard let strand = held.strand else { return }
        if case .retry = verdict {
            unsent[held.peer, default: ([], [])].failed.append(strand)
            block(strand)
        }
        strands[strand]?.taken -= 1
        proceed(strand)
    }

    /// What was taken and not begun waits again, before what follows it.
    package mutating func putBack(_ events: [HeldEvent]) {
        for held in events.reversed() {
            let isValid = sources[held.peer]?.term == held.held.term
            guard let strand = held.strand else {
                if isValid { ready.append(.event(held)) } else { end(held, .returned) }
                continue
            }
            strands[strand]?.taken -= 1
            if isValid, strands[strand]?.block == .free {
                strands[strand]?.waiting.insert(held) { _ in true }
            } else {
                end(held, .returned)
            }
        }
        for strand in Set(events.compactMap(\.strand)).sorted() { proceed(strand) }
    }

    /// A strand of which nothing is with a handler goes on, or rests: most keys come again.
    mutating func proceed(_ number: UInt64) {
        guard let place = strands.index(forKey: number), strands.values[place].taken == 0 else {
            return
        }
        if !strands.values[place].waiting.isEmpty {
            ready.append(.strand(number))
        } else if strands.count > Worker.restingMax, strands.values[place].block == .free {
            strands.remove(at: place)
        }
    }

    /// So many keys of which there is nothing are remembered.
    private static let restingMax = 8_192

    /// Handlers have ended well, one after the other.
    package mutating func finishDone(_ events: ArraySlice<HeldEvent>) {
        for held in events {
            guard let source = sources.index(forKey: held.peer) else { continue }
            sources.values[source].end(held, .done)
            guard let number = held.strand, let place = strands.index(forKey: number) else {
                continue
            }
            strands.values[place].taken -= 1
            if strands.values[place].taken == 0 { proceed(number) }
        }
    }

    /// Nothing of a key is begun until results that are not sent yet are settled. What waits goes
    /// back.
    mutating func block(_ strand: UInt64) {
        strands[strand, default: Strand()].block = .unsent
        while let waiting = strands[strand]?.waiting.popFirst() { end(waiting, .returned) }
    }

    /// Results were sent for which strands wait.
    mutating func noteSent(_ strands: [UInt64], _ peer: Int, _ number: UInt64?) {
        guard let number else { return }
        let name = ResultsName(peer: peer, number: number)
        for strand in strands {
            self.strands[strand]?.block = .until(name)
            blocked[name, default: []].append(strand)
        }
    }

    mutating func unblock(_ peer: Int, _ number: UInt64) {
        let name = ResultsName(peer: peer, number: number)
        for strand in blocked.removeValue(forKey: name) ?? []
        where strands[strand]?.block == .until(name) {
            strands[strand]?.block = .free
            proceed(strand)
        }
    }

    mutating func end(_ held: HeldEvent, _ verdict: WorkResult.Verdict) {
        sources[held.peer]?.end(held, verdict)
        guard case .returned = verdict, let strand = held.strand else { return }
        unsent[held.peer, default: ([], [])].returned.append(strand)
        block(strand)
    }
}

extension Channel {
    /// Tells keys of this channel from those of others.
    fileprivate func salt(_ peer: Int) -> UInt64 {
        var mixed = SplitMix(UInt64(bitPattern: Int64(peer)) &* 0x1_0001 ^ UInt64(lane) << 32)
        for byte in stream.text.utf8 {
            mixed = SplitMix(mixed.next() ^ UInt64(byte))
        }
        return mixed.next()
    }
}
