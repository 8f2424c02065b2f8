/// What goes back, what is said, and the end.
extension Worker {
    /// What has not been begun goes back, where it is so of a frame.
    mutating func giveBack(where isWanted: (HeldFrame) -> Bool) {
        giveBackReady(where: isWanted)
        for number in rows.keys.sorted() {
            guard rows[number]?.hasWaiting(where: isWanted) == true else { continue }
            // Keys are blocked one by one, and what follows of them goes back with them.
            unfoldAll(in: number)
        }
        for number in strands.keys.sorted() {
            var waiting = Queue<HeldEvent>()
            while let held = strands[number]?.waiting.popFirst() {
                if isWanted(held.held) {
                    end(held, .returned)
                    leaveRow(held)
                } else {
                    waiting.append(held)
                }
            }
            strands[number]?.waiting = waiting
            if waiting.isEmpty { proceed(number) }
        }
    }

    private mutating func giveBackReady(where isWanted: (HeldFrame) -> Bool) {
        var kept = Queue<Ready>()
        var left = ready
        while let next = left.popFirst() {
            if case .events(let held, let places) = next, isWanted(held) {
                readyEvents -= places.count - 1
                giveBack(HeldEvents(held, places))
            } else {
                kept.append(next)
            }
        }
        ready = kept
    }

    /// What was never unfolded, and belongs to nothing, goes back.
    mutating func giveBack(_ events: HeldEvents) {
        for place in 0..<events.count { end(events[place], .returned) }
    }

    /// What waits of a publisher is its business no more.
    mutating func dropWaiting(of peer: Int) {
        giveBack { $0.peer == peer }
        for name in blocked.keys where name.peer == peer { unblock(peer, name.number) }
        let unsent = unsent.removeValue(forKey: peer) ?? ([], [])
        unblockUnsent(unsent.failed + unsent.returned)
    }

    /// A publisher has not been heard of for too long: it may have given what waits to others.
    mutating func expire(_ peer: Int, at now: MonotonicTime) {
        guard let source = sources[peer], source.unfinishedCount > 0,
            !source.holdsLease(at: now)
        else { return }
        // Nothing that it has now is ever begun, whatever is heard later.
        sources[peer]?.endTerm()
        giveBack { $0.peer == peer }
    }

    // MARK: Time

    /// Says what has ended.
    package mutating func flush(at now: MonotonicTime) {
        for peer in sources.keys.sorted() {
            if let sent = sources[peer]?.takeResults(group, at: now) {
                for message in sent.messages { messages.append((peer, message)) }
                let strands = unsent.removeValue(forKey: peer) ?? ([], [])
                noteSent(strands.failed, peer, sent.ended)
                // Those in both wait for the later.
                noteSent(strands.returned, peer, sent.returned)
            }
            if !isDraining,
                let message = sources[peer]?.resize(group, capacity: capacity, at: now)
            {
                messages.append((peer, message))
            }
        }
    }

    /// Time has passed.
    package mutating func tick(at now: MonotonicTime) {
        for peer in sources.keys.sorted() {
            expire(peer, at: now)
            if sources[peer]?.isJoinLate(at: now) == true { join(peer, at: now) }
            if isDraining, let message = sources[peer]?.repeatFarewell(group, at: now) {
                messages.append((peer, message))
            }
            for message in sources[peer]?.repeatResults(
                group, olderThan: Limits.resultTimeout, at: now) ?? []
            {
                messages.append((peer, message))
            }
        }
        flush(at: now)
    }

    // MARK: The end

    /// Takes nothing more, and gives back what has not been begun.
    package mutating func drain() {
        guard !isDraining else { return }
        isDraining = true
        for peer in sources.keys.sorted() {
            if let message = sources[peer]?.resize(group, to: .none) {
                messages.append((peer, message))
            }
        }
        giveBack { _ in true }
    }

    /// Whether nothing is with it or on its way.
    package func isDrained(at now: MonotonicTime) -> Bool {
        isDraining && sources.values.allSatisfy { $0.isClear(at: now) }
    }

    /// Says that it works for the group no more.
    package mutating func leave() {
        for peer in sources.keys.sorted() {
            guard let session = sources[peer]?.session else { continue }
            messages.append((peer, .leave(session: session, group: group)))
        }
    }
}
