/// A publisher as a worker of one group sees it: the session, what the worker has of it, and what
/// became of that.
struct WorkSource: Sendable {
    /// Results that were sent, and are not known to be settled.
    private struct Sent: Sendable {
        let number: UInt64
        let results: [WorkResult]
        var sentAt: MonotonicTime
        /// It is settled, and one before it is not: results are taken in their order.
        var isSettled = false
    }

    let peer: Int
    private(set) var session: UInt64?
    private(set) var publisher: Instance?
    /// Counts its beginnings.
    private(set) var round: UInt64
    /// Whether the publisher has taken it in.
    private(set) var isJoined = false
    private var joinedAt = MonotonicTime(microseconds: 0)
    /// The last start of the publisher in which it was taken in.
    private var joinedStart: UInt32?
    /// When the last session ended.
    private var lostAt = MonotonicTime(microseconds: 0)
    /// The number of the next message that brings or recalls something.
    private var expected: UInt64 = 1
    /// Nothing that it has may be begun after this moment.
    private(set) var leaseUntil = MonotonicTime(microseconds: 0)
    /// Rises each time that nobody asks any more what became of what it has.
    private(set) var life: UInt64 = 0
    /// Rises each time that a lease runs out.
    private(set) var term: UInt64 = 0
    /// All that it has, and has not heard to be settled.
    private var held: [HoldKey: SequenceSet] = [:]
    /// How many events it has that no handler has ended.
    var unfinishedCount = 0
    private var done: [HoldKey: SequenceSet] = [:]
    private var lastDone: (held: HeldFrame, range: Range<UInt64>)?
    private var returned: [HoldKey: SequenceSet] = [:]
    private var others: [WorkResult] = []
    private var sent: [Sent] = []
    /// The number of the next message of results.
    private var nextResults: UInt64
    /// Events that were done in vain: others had been given them.
    private(set) var staleCount: UInt64 = 0
    private(set) var window: WorkWindow
    /// Events that were finished since a moment.
    private var finishedCount = 0
    private var countedFrom = MonotonicTime(microseconds: 0)
    /// When the window was looked at.
    private var lookedAt = MonotonicTime(microseconds: 0)
    private let widthMin: Int

    /// A worker that begins counts on from before: a publisher may remember the one before it.
    init(_ peer: Int, width: Int, at now: MonotonicTime) {
        round = now.microseconds
        nextResults = now.microseconds
        self.peer = peer
        widthMin = min(2 * width, Limits.workEventsMax)
        window = WorkWindow(events: widthMin, bytes: Limits.workBytesMax)
    }

    /// Whether it has nothing, and has nothing to say.
    var isClear: Bool {
        unfinishedCount == 0 && done.isEmpty && lastDone == nil && returned.isEmpty
            && others.isEmpty && sent.isEmpty
    }

    /// Whether nothing is to be waited for: a publisher that is gone confirms nothing any more.
    func isClear(at now: MonotonicTime) -> Bool {
        isClear || unfinishedCount == 0 && session == nil && now >= lostAt + PeerSession.silence
    }

    /// Whether something is to be said.
    var hasResults: Bool {
        !done.isEmpty || lastDone != nil || !returned.isEmpty || !others.isEmpty
    }

    // MARK: Sessions

    /// A session has begun. True if nothing that it has is its own any more: the session is with
    /// another node, or with one that has started more than once since. In a life that it knows
    /// nothing of, others may have been given all of it, of which the publisher knows nothing now.
    mutating func begin(_ session: UInt64, with publisher: Instance) -> Bool {
        let isOther = self.publisher.map { $0.node != publisher.node } ?? false
        let hasMissedLife = joinedStart.map { publisher.epoch.start > $0 &+ 1 } ?? false
        self.session = session
        self.publisher = publisher
        isJoined = false
        guard isOther || hasMissedLife else { return false }
        joinedStart = nil
        forget()
        return true
    }

    private mutating func forget() {
        life += 1
        term += 1
        held = [:]
        done = [:]
        lastDone = nil
        returned = [:]
        others = []
        sent = []
        unfinishedCount = 0
    }

    mutating func lost(at now: MonotonicTime) {
        if session != nil { lostAt = now }
        session = nil
        isJoined = false
    }

    /// The message with which it begins, or begins anew.
    mutating func join(
        _ group: String, _ definition: Bytes, window: WorkWindow?, at now: MonotonicTime
    ) -> SessionMessage? {
        guard let session else { return nil }
        if let window { self.window = window }
        round += 1
        expected = 1
        isJoined = false
        joinedAt = now
        let holdings = held.sorted { $0.key.comes(before: $1.key) }.map { key, sequences in
            WorkHolding(
                stream: key.stream, lane: key.lane, fence: key.fence, sequences: sequences)
        }
        let join = WorkJoin(
            group: group, round: round, definition: definition, window: self.window,
            holdings: holdings)
        return .join(session: session, join)
    }

    /// The publisher has taken it in.
    mutating func joined(_ round: UInt64) -> Bool {
        guard round == self.round, !isJoined else { return false }
        isJoined = true
        joinedStart = publisher?.epoch.start
        return true
    }

    /// Whether it waits for that in vain.
    func isJoinLate(at now: MonotonicTime) -> Bool {
        session != nil && !isJoined && now >= joinedAt + Limits.resultTimeout
    }

    /// A message has come that brings or recalls something. Nil if it belongs to another round, and
    /// false if one is missing before it.
    mutating func accept(_ round: UInt64, _ number: UInt64) -> Bool? {
        guard round == self.round, session != nil else { return nil }
        guard number == expected else { return number < expected ? nil : false }
        // Only who has taken it in gives it something, also when the answer to that was lost.
        joinedStart = publisher?.epoch.start
        expected += 1
        return true
    }

    /// Whether a message of the round has not come that should have.
    func lacks(_ round: UInt64, _ lastNumber: UInt64) -> Bool {
        round == self.round && session != nil && lastNumber >= expected
    }

    /// The publisher has heard what was sent at this moment.
    mutating func renew(_ sent: MonotonicTime) {
        leaseUntil = max(leaseUntil, sent + Limits.ownLease)
    }

    func holdsLease(at now: MonotonicTime) -> Bool { now < leaseUntil }

    /// The lease has run out.
    mutating func endTerm() { term += 1 }

    // MARK: Events

    mutating func hold(_ frame: Frame, _ fence: UInt64) {
        let key = HoldKey(frame, fence)
        unfinishedCount += frame.count
        guard frame.header.isSlice else {
            held[key, default: SequenceSet()].insert(frame.sequences)
            return
        }
        for event in frame {
            held[key, default: SequenceSet()].insert(event.sequence..<event.sequence + 1)
        }
    }

    /// Handlers of some events of a frame have ended well.
    mutating func endDone(_ held: HeldFrame, _ places: Range<Int>) {
        // Nobody asks any more what became of a node's events that is another by now.
        guard held.life == life, !places.isEmpty else { return }
        unfinishedCount -= places.count
        finishedCount += places.count
        guard held.frame.header.isSlice else {
            let first = held.frame.sequence(at: places.lowerBound)
            return noteDone(held, first..<first + UInt64(places.count))
        }
        for place in places {
            let sequence = held.frame.sequence(at: place)
            noteDone(held, sequence..<sequence + 1)
        }
    }

    private mutating func noteDone(_ held: HeldFrame, _ range: Range<UInt64>) {
        // Most follow those before.
        if let last = lastDone, last.held === held, last.range.upperBound == range.lowerBound {
            lastDone?.range = last.range.lowerBound..<range.upperBound
        } else {
            keepDone()
            lastDone = (held, range)
        }
    }

    /// A handler has ended in another way, or was never begun.
    mutating func end(_ event: HeldEvent, _ verdict: WorkResult.Verdict) {
        guard event.held.life == life else { return }
        let sequence = event.sequence
        switch verdict {
        case .done: return endDone(event.held, event.place..<event.place + 1)
        case .returned:
            returned[HoldKey(event.held), default: SequenceSet()].insert(sequence..<sequence + 1)
        case .value, .retry, .reject:
            finishedCount += 1
            others.append(
                HoldKey(event.held).result(SequenceSet(sequence..<sequence + 1), verdict))
        }
        unfinishedCount -= 1
    }

    private mutating func keepDone() {
        guard let last = lastDone else { return }
        done[HoldKey(last.held), default: SequenceSet()].insert(last.range)
        lastDone = nil
    }

    // MARK: Results

    /// What has ended since the last time, as messages that are repeated until they are settled.
    /// What goes back has one of its own, which need not wait for a disk.
    mutating func takeResults(
        _ group: String, at now: MonotonicTime
    ) -> (messages: [SessionMessage], ended: UInt64?, returned: UInt64?)? {
        guard session != nil, isJoined, hasResults else { return nil }
        keepDone()
        let results = done.sorted { $0.key.comes(before: $1.key) }.map {
            $0.key.result($0.value, .done)
        }
        let back = returned.sorted { $0.key.comes(before: $1.key) }
            .map { $0.key.result($0.value, .returned) }
        let before = sent.count
        let ended = keep(results + others, at: now)
        let returned = keep(back, at: now)
        (done, self.returned, others) = ([:], [:], [])
        return (sent.indices[before...].compactMap { message($0, group) }, ended, returned)
    }

    /// Results that are to be sent get numbers, of which the last is returned: messages must not
    /// become so large that nobody takes them.
    private mutating func keep(_ results: [WorkResult], at now: MonotonicTime) -> UInt64? {
        var rest = results[...]
        while !rest.isEmpty {
            var byteCount = 0
            let some = rest.prefix { result in
                defer { byteCount += result.byteCount }
                return byteCount == 0 || byteCount + result.byteCount <= Limits.resultsBytes
            }
            rest.removeFirst(some.count)
            sent.append(Sent(number: nextResults, results: Array(some), sentAt: now))
            nextResults += 1
        }
        return results.isEmpty ? nil : nextResults - 1
    }

    private func message(_ place: Int, _ group: String) -> SessionMessage? {
        session.map { session in
            let results = WorkResults(
                group: group, number: sent[place].number, first: sent[0].number,
                results: sent[place].results)
            return .results(session: session, results)
        }
    }

    /// What was sent and is not known to be settled: all of it in a new session, or what is late.
    mutating func repeatResults(
        _ group: String, olderThan age: Duration, at now: MonotonicTime
    ) -> [SessionMessage] {
        guard isJoined else { return [] }
        let late = sent.indices.filter {
            now >= sent[$0].sentAt + age && (!sent[$0].isSettled || age == .zero)
        }
        return late.compactMap { place in
            sent[place].sentAt = now
            return message(place, group)
        }
    }

    /// What was sent from a number on, of which something has not arrived.
    mutating func resend(
        _ group: String, from number: UInt64?, at now: MonotonicTime
    ) -> [SessionMessage] {
        guard isJoined, let number else { return [] }
        return sent.indices.filter { sent[$0].number >= number }.compactMap { place in
            sent[place].sentAt = now
            return message(place, group)
        }
    }

    /// Results are settled.
    mutating func settle(_ settled: WorkSettled) {
        var isNews = false
        defer { if isNews { staleCount &+= settled.staleCount } }
        for number in settled.numbers {
            guard let place = sent.firstIndex(where: { $0.number == number }),
                !sent[place].isSettled
            else { continue }
            sent[place].isSettled = true
            isNews = true
            for result in sent[place].results {
                let key = HoldKey(result)
                for range in result.sequences.ranges { held[key]?.remove(range) }
                if held[key]?.isEmpty == true { held[key] = nil }
            }
        }
        sent.removeFirst(sent.prefix { $0.isSettled }.count)
    }

    // MARK: The window

    private static let windowInterval = Duration.milliseconds(20)
    private static let windowPeriod = Duration.milliseconds(200)

    /// The message that says how much it takes, if that should change: more if half of it was used
    /// within a while, however far the publisher is, less if hardly any was, and never more than
    /// handlers can end soon.
    mutating func resize(
        _ group: String, capacity: Int, at now: MonotonicTime
    ) -> SessionMessage? {
        guard isJoined, window.events > 0, now >= lookedAt + WorkSource.windowInterval else {
            return nil
        }
        lookedAt = now
        var wanted = window.events
        let isUsed = finishedCount >= wanted / 2
        if isUsed || now >= countedFrom + WorkSource.windowPeriod {
            if isUsed { wanted *= 2 } else if finishedCount < wanted / 8 { wanted /= 2 }
            finishedCount = 0
            countedFrom = now
        }
        wanted = min(wanted, max(capacity, window.events / 2))
        let events = max(widthMin, min(wanted, Limits.workEventsMax))
        guard events > window.events + window.events / 4 || events < window.events / 4 * 3 else {
            return nil
        }
        return resize(group, to: WorkWindow(events: events, bytes: window.bytes))
    }

    /// The message that says that it takes nothing any more, from time to time: one may be lost.
    mutating func repeatFarewell(_ group: String, at now: MonotonicTime) -> SessionMessage? {
        guard isJoined, now >= lookedAt + Limits.resultTimeout else { return nil }
        lookedAt = now
        return resize(group, to: .none)
    }

    mutating func resize(_ group: String, to window: WorkWindow) -> SessionMessage? {
        self.window = window
        guard let session else { return nil }
        return .resize(
            session: session, WorkResize(group: group, round: round, window: window))
    }
}

extension HoldKey {
    fileprivate init(_ result: WorkResult) {
        self.init(stream: result.stream, lane: result.lane, fence: result.fence)
    }

    private init(stream: StreamName, lane: Int, fence: UInt64) {
        self.stream = stream
        self.lane = lane
        self.fence = fence
    }
}

extension WorkResult {
    /// How long it is as it is sent, at most.
    fileprivate var byteCount: Int {
        let said: Int
        switch verdict {
        case .done, .returned: said = 0
        case .value(let value): said = value.count
        case .retry(_, let reason), .reject(let reason): said = reason.utf8.count
        }
        return 32 + stream.text.utf8.count + 18 * sequences.ranges.count + said
    }
}
