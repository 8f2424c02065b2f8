/// What workers say.
extension GroupDispatcher {
    // MARK: Coming and going

    /// A worker begins, or begins anew with what it has.
    mutating func join(
        _ worker: Instance, named name: String, session: UInt64, _ join: WorkJoin,
        at now: MonotonicTime
    ) {
        let (place, isNew) = enter(worker, named: name, session: session, join, at: now)
        let number = members[place].number
        effects.append(
            .send(
                session: session,
                .joined(
                    session: session, WorkJoined(group: definition.name, round: join.round))))
        for lane in lanes.indices {
            let channel = lanes[lane].channel
            let kept = join.holdings.filter {
                $0.stream == channel.stream && $0.lane == channel.lane
            }
            // What it was given and does not have never reached it.
            let freed = lanes[lane].takeBack(
                from: number, except: kept.map { ($0.fence, $0.sequences) })
            members[place].free(freed)
            for holding in kept { adopt(holding, in: lane, by: place, isNew: isNew, at: now) }
        }
        members[place].hasSuspect = lanes.contains { $0.hasLone(number) }
        assignIfNeeded(at: now)
        for lane in lanes.indices where !lanes[lane].isShared {
            // What was asked back before may not have been heard.
            if lanes[lane].owner == number { lanes[lane].isRecalled = false }
            move(lane, at: now)
        }
        pump(at: now)
    }

    /// A worker has something from before this dispatcher began. Nobody else gets it, for as long
    /// as the lease lasts; what others have been given meanwhile is wanted back.
    ///
    /// A worker claims with its first message only: later, results of what it names may have been
    /// taken already.
    private mutating func adopt(
        _ holding: WorkHolding, in lane: Int, by place: Int, isNew: Bool, at now: MonotonicTime
    ) {
        let number = members[place].number
        let isFree =
            lanes[lane].isShared || lanes[lane].outCount == 0 || lanes[lane].owner == number
        if isNew, isFree, let count = lanes[lane].claim(holding, by: number) {
            members[place].out.events += count
            if !lanes[lane].isShared { lanes[lane].owner = number }
            return
        }
        guard !lanes[lane].knows(holding, of: number) else { return }
        recall(holding.stream, holding.lane, upTo: holding.fence, from: place)
    }

    /// A worker takes more or less at once.
    mutating func resize(_ resize: WorkResize, session: UInt64, at now: MonotonicTime) {
        guard let place = member(of: session), members[place].round == resize.round else { return }
        let takesNothing = members[place].window.events == 0
        members[place].window = resize.window
        if takesNothing != (resize.window.events == 0) { reassign(at: now) }
        pump(at: now)
    }

    /// A worker has nothing of the group, and wants nothing.
    mutating func leave(session: UInt64, at now: MonotonicTime) {
        guard let place = member(of: session) else { return }
        remove(members[place].number, suspecting: false, at: now)
        assignIfNeeded(at: now)
        pump(at: now)
    }

    /// A worker is alive.
    mutating func beat(session: UInt64, at now: MonotonicTime) {
        guard let place = member(of: session) else { return }
        members[place].leaseUntil = now + Limits.lease
    }

    /// A session is over. Who has said goodbye has nothing any more; who has not may come back.
    mutating func closed(session: UInt64, isGoodbye: Bool, at now: MonotonicTime) {
        guard let place = member(of: session) else { return }
        guard isGoodbye else {
            members[place].session = nil
            return
        }
        remove(members[place].number, suspecting: false, at: now)
        assignIfNeeded(at: now)
        pump(at: now)
    }

    /// Time has passed.
    mutating func tick(at now: MonotonicTime) {
        for member in members where now >= member.leaseUntil {
            remove(member.number, suspecting: true, at: now)
        }
        for place in members.indices { remind(place, at: now) }
        for lane in lanes.indices {
            lanes[lane].wake(at: now)
            lanes[lane].tidy(thoroughly: true)
            lanes[lane].hasReadFailed = false
        }
        abandonIfDue(at: now)
        assignIfNeeded(at: now)
        for lane in lanes.indices where !lanes[lane].isShared { move(lane, at: now) }
        pump(at: now)
    }

    /// A worker that has something and is sent nothing may have missed the last message.
    private mutating func remind(_ place: Int, at now: MonotonicTime) {
        guard members[place].session != nil, members[place].out.events > 0,
            members[place].isReminderDue(at: now)
        else { return }
        settle(to: place)
    }

    // MARK: Results

    /// A worker says what became of events.
    mutating func results(_ message: WorkResults, session: UInt64, at now: MonotonicTime) {
        guard let place = member(of: session) else { return }
        let number = members[place].number
        switch members[place].turn(of: message, at: now) {
        case .take: break
        case .known:
            // Unless it waits for the disk.
            guard !isUnconfirmed(number, message.number) else { return }
            let stale = members[place].staleCount(of: message.number)
            confirm([(number, message.number, stale)])
            return
        case .early:
            settle(resendFrom: members[place].nextResults, to: place)
            return
        case .wait: return
        }
        var staleCount: UInt64 = 0
        var waitsForDisk = false
        var touched: [Int] = []
        for result in message.results {
            guard
                let lane = lane(ChannelPlace(stream: result.stream, lane: result.lane))
            else {
                staleCount += result.sequences.count
                continue
            }
            let outcome = lanes[lane].apply(result, from: number)
            staleCount += UInt64(outcome.staleCount)
            waitsForDisk =
                waitsForDisk || lanes[lane].isDurable && result.verdict != .returned
            members[place].free(outcome.freed)
            take(outcome, of: result, in: lane, by: place, at: now)
            touched.append(lane)
        }
        members[place].noteStale(staleCount, of: message.number)
        if waitsForDisk {
            unconfirmed.append((number, message.number, staleCount))
        } else {
            confirm([(number, message.number, staleCount)])
        }
        for lane in touched where !lanes[lane].isShared { move(lane, at: now) }
        pump(after: touched, by: number, at: now)
    }

    /// Its lanes may go on, and those that all share.
    private mutating func pump(after touched: [Int], by number: UInt32, at now: MonotonicTime) {
        for lane in lanes.indices
        where lanes[lane].isShared || lanes[lane].owner == number || touched.contains(lane) {
            pump(lane: lane, at: now)
        }
    }

    private mutating func take(
        _ outcome: WorkOutcome, of result: WorkResult, in lane: Int, by place: Int,
        at now: MonotonicTime
    ) {
        switch result.verdict {
        case .done, .value:
            breaker.noteHandled(outcome.acceptedCount)
            guard !histories.isEmpty else { break }
            for sequence in result.sequences.ranges.joined() {
                histories[WorkEventName(channel: lanes[lane].channel, sequence: sequence)] = nil
            }
        case .retry(let wait, let reason):
            for sequence in outcome.failed {
                fail(sequence, in: lane, by: members[place], because: reason, wait: wait, at: now)
            }
        case .reject(let reason):
            for sequence in outcome.failed {
                note(sequence, in: lane, by: members[place], because: reason, at: now)
                bury(sequence, in: lane, .rejected)
            }
        case .returned: break
        }
        members[place].hasSuspect =
            members[place].hasSuspect && lanes.contains { $0.hasLone(members[place].number) }
    }

    private func isUnconfirmed(_ member: UInt32, _ number: UInt64) -> Bool {
        (unconfirmed + storing).contains { $0.member == member && $0.number == number }
    }

    /// Says that results are taken.
    mutating func confirm(_ results: [(member: UInt32, number: UInt64, staleCount: UInt64)]) {
        for place in members.indices {
            let own = results.filter { $0.member == members[place].number }
            guard !own.isEmpty else { continue }
            settle(
                own.map(\.number), staleCount: own.reduce(0) { $0 + $1.staleCount }, to: place)
        }
    }

    // MARK: Failures

    /// An attempt at an event has failed.
    mutating func fail(
        _ sequence: UInt64, in lane: Int, by member: WorkMember, because reason: String,
        wait: Duration?, lapsed: Bool = false, at now: MonotonicTime
    ) {
        note(sequence, in: lane, by: member, because: reason, at: now)
        let channel = lanes[lane].channel
        let isCharged = breaker.noteFailed(sequence, of: channel)
        let failures = lanes[lane].noteFailure(of: sequence, isCharged: isCharged)
        guard failures < definition.attempts else {
            if definition.lastResort == .park { lanes[lane].park(keyOf: sequence) }
            return bury(sequence, in: lane, lapsed ? .lapsed : .failed)
        }
        // A suspect goes at once to the next worker that has none.
        guard !lapsed else { return }
        let pause = wait ?? definition.backOff.wait(after: max(failures, 1), random.next())
        lanes[lane].delay(sequence, until: now + max(pause, Limits.backOffFloor))
    }

    private mutating func note(
        _ sequence: UInt64, in lane: Int, by member: WorkMember, because reason: String,
        at now: MonotonicTime
    ) {
        let name = WorkEventName(channel: lanes[lane].channel, sequence: sequence)
        let attempt = DeadEvent.Attempt(
            worker: member.instance.node, reason: reason, at: now)
        guard histories[name] != nil || histories.count < Limits.historyEvents else { return }
        histories[name, default: []].append(attempt)
        // The first one and the last ones.
        if let count = histories[name]?.count, count > Limits.historyAttempts {
            histories[name]?.remove(at: 1)
        }
    }

    mutating func bury(_ sequence: UInt64, in lane: Int, _ reason: DeadEvent.Reason) {
        let name = WorkEventName(channel: lanes[lane].channel, sequence: sequence)
        let attempts = histories.removeValue(forKey: name) ?? []
        if let (piece, place) = lanes[lane].find(sequence) {
            let letter = DeadEvent(
                group: definition.name, reason: reason, attempts: attempts,
                attemptCount: max(lanes[lane].ledger.failures(of: sequence), attempts.count),
                event: lanes[lane].pieces[piece].frame[place].detached())
            effects.append(.dead(letter))
        }
        let holdsKey = reason == .failed || reason == .lapsed
        lanes[lane].bury(
            sequence, holdingKey: holdsKey,
            as: .dead(reason, text: attempts.last?.reason ?? ""))
    }
}
