/// What a result has come to.
struct WorkOutcome {
    /// Events that the worker has no more, and bytes of their records.
    var freed = (events: 0, bytes: 0)
    /// Events of which the result counts.
    var acceptedCount = 0
    /// Events that had been given to others, or were settled.
    var staleCount = 0
    /// Events that failed, in their order.
    var failed: [UInt64] = []
}

extension WorkLane {
    // MARK: Results

    /// A worker says what became of events. What others have been given meanwhile is left alone.
    mutating func apply(_ result: WorkResult, from member: UInt32) -> WorkOutcome {
        var outcome = WorkOutcome()
        for range in result.sequences.ranges {
            let before = outcome.acceptedCount + outcome.staleCount
            settleClaims(range, result, member, &outcome)
            var index = piece(from: range.lowerBound)
            while index < pieces.count, pieces[index].sequences.lowerBound < range.upperBound {
                applyPiece(index, range, result, member, &outcome)
                index += 1
            }
            let seen = outcome.acceptedCount + outcome.staleCount - before
            outcome.staleCount += max(0, range.count - seen)
        }
        tidy()
        return outcome
    }

    private mutating func applyPiece(
        _ index: Int, _ range: Range<UInt64>, _ result: WorkResult, _ member: UInt32,
        _ outcome: inout WorkOutcome
    ) {
        let sequences = pieces[index].sequences
        let overlap = sequences.clamped(to: range)
        if let slot = pieces[index].whole, overlap == sequences, keys == nil,
            !pieces[index].frame.header.isSlice, case .done = result.verdict, slot.state == .out,
            slot.fence == result.fence, slot.member == member
        {
            outcome.acceptedCount += pieces[index].open
            outcome.freed.events += pieces[index].open
            outcome.freed.bytes += pieces[index].cost
            outCount -= pieces[index].open
            ledger.noteHandled(pieces[index].open)
            var settled = slot
            settled.state = .settled
            pieces[index].setAll(settled)
            ledger.settle(sequences)
            isDirty = true
            return
        }
        let frame = pieces[index].frame
        // Numbers in a row are settled at once.
        var settled: Range<UInt64>?
        for place in pieces[index].place(from: overlap.lowerBound)..<frame.count {
            let sequence = frame.sequence(at: place)
            guard sequence < overlap.upperBound else { break }
            guard accepts(pieces[index][place], result.fence, member) else {
                outcome.staleCount += 1
                continue
            }
            outcome.acceptedCount += 1
            take(back: place, of: index, &outcome)
            switch result.verdict {
            case .done, .value:
                if let known = settled, known.upperBound == sequence {
                    settled = known.lowerBound..<sequence + 1
                } else {
                    if let settled {
                        ledger.settle(settled, as: .handled(value: result.verdict.value))
                    }
                    settled = sequence..<sequence + 1
                }
                pieces[index][place].state = .settled
                ledger.noteHandled(1)
                if keys != nil { release(frame[place]) }
                isDirty = true
            case .returned: putBack(place, of: index, frame[place])
            case .retry, .reject:
                pieces[index][place].state = .delayed
                pieces[index][place].marks = .mayRepeat
                outcome.failed.append(sequence)
                isDirty = true
            }
        }
        if let settled { ledger.settle(settled, as: .handled(value: result.verdict.value)) }
    }

    /// Whether a result counts: the event was given out last under this fence, to this worker, and
    /// nothing has been heard of it.
    private func accepts(_ slot: WorkSlot, _ fence: UInt64, _ member: UInt32) -> Bool {
        guard slot.fence == fence, slot.member == member else { return false }
        return slot.state == .out || slot.state == .waiting && slot.marks.contains(.isSuspect)
    }

    /// A worker has an event no more.
    private mutating func take(
        back place: Int, of index: Int, _ outcome: inout WorkOutcome
    ) {
        // A suspect was taken from its worker before.
        guard pieces[index][place].state == .out else { return }
        outcome.freed.events += 1
        outcome.freed.bytes += pieces[index].frame.recordByteCount(at: place)
        outCount -= 1
        if keys != nil, let key = KeyHash.of(pieces[index].frame[place]) { keys?.back(key) }
    }

    /// An event is done with, for which others of its key may have waited.
    private mutating func release(_ event: RecordedEvent) {
        if keys != nil, let key = KeyHash.of(event) { keys?.settled(event.sequence, of: key) }
    }

    /// An event that was not begun waits again, before those that follow it.
    private mutating func putBack(_ place: Int, of index: Int, _ event: RecordedEvent) {
        pieces[index][place].state = .waiting
        pieces[index][place].marks.remove([.isAlone, .isSuspect])
        requeue(event)
    }

    /// An event that waits comes before those that follow it.
    mutating func requeue(_ event: RecordedEvent) {
        needsFence = true
        guard !isShared else { return goBack(to: event.sequence) }
        track()
        guard let key = KeyHash.of(event) else { return }
        if keys?.blocker(of: key) == event.sequence { keys?.settled(event.sequence, of: key) }
        keys?.drain(key)
        if event.sequence < cursor { keys?.wait(event.sequence, for: key) }
    }

    /// Looks again from an event on.
    mutating func goBack(to sequence: UInt64) {
        cursor = max(min(cursor, sequence), isShared ? unclaimed?.before ?? 0 : 0)
    }

    // MARK: Failures

    /// An attempt at an event has failed, which counts if it is charged. Returns how many have.
    mutating func noteFailure(of sequence: UInt64, isCharged: Bool) -> Int {
        isDirty = true
        // Its worker must have heard that this is known before it gets anything more of the key.
        if isDurable { unstoredFailures.insert(sequence) }
        return isCharged ? ledger.fail(sequence) : ledger.failures(of: sequence)
    }

    /// An event that has just failed is tried again at a time.
    mutating func delay(_ sequence: UInt64, until due: MonotonicTime) {
        guard let (index, place) = find(sequence) else { return }
        let at = delayed.firstIndex { $0.due > due } ?? delayed.count
        delayed.insert((due, sequence), at: at)
        guard !isShared else { return }
        track()
        guard let key = KeyHash.of(pieces[index].frame[place]) else { return }
        keys?.block(key, by: sequence)
        keys?.drain(key)
    }

    /// An event is given up. If its worker waits with its key, so does the key here, until that is
    /// on disk.
    mutating func bury(_ sequence: UInt64, holdingKey: Bool, as fate: WorkFate) {
        guard let (index, place) = find(sequence) else { return }
        pieces[index][place].state = .settled
        ledger.settle(sequence..<sequence + 1, as: fate)
        ledger.noteDead()
        isDirty = true
        if isDurable, holdingKey, !isShared, let key = KeyHash.of(pieces[index].frame[place]) {
            track()
            keys?.block(key, by: sequence)
            keys?.drain(key)
            unstoredDeaths.append((sequence, key))
        } else {
            release(pieces[index].frame[place])
        }
        delayed.removeAll { $0.sequence == sequence }
        tidy()
    }

    /// The time of some events has come.
    mutating func wake(at now: MonotonicTime) {
        if let unclaimed, now >= unclaimed.until {
            self.unclaimed = nil
            rewind()
        }
        guard let first = delayed.first, first.due <= now else { return }
        let due = delayed.prefix { $0.due <= now }.map(\.sequence)
        delayed.removeFirst(due.count)
        for sequence in due {
            guard let (index, place) = find(sequence), pieces[index][place].state == .delayed else {
                continue
            }
            pieces[index][place].state = .waiting
            pieces[index][place].marks.insert(.isListed)
            singles.append(sequence)
        }
    }

    // MARK: Workers that go

    /// A worker has gone. What it had waits again; if it fell silent, any of it may be the reason.
    /// Returns those that were alone with it.
    mutating func takeBack(from member: UInt32, suspecting: Bool) -> [UInt64] {
        var alone: [UInt64] = []
        let marks: WorkSlot.Marks = suspecting ? [.isSuspect, .mayRepeat] : [.mayRepeat]
        for index in pieces.indices {
            if var slot = pieces[index].whole {
                guard slot.state == .out, slot.member == member else { continue }
                outCount -= pieces[index].open
                slot.state = .waiting
                slot.marks = marks
                pieces[index].setAll(slot)
                continue
            }
            for place in 0..<pieces[index].frame.count {
                var slot = pieces[index][place]
                guard slot.state == .out, slot.member == member else { continue }
                outCount -= 1
                if suspecting, slot.marks.contains(.isAlone) {
                    alone.append(pieces[index].frame[place].sequence)
                }
                slot.state = .waiting
                slot.marks = marks
                pieces[index][place] = slot
            }
        }
        for claim in claims where claim.member == member { outCount -= Int(claim.sequences.count) }
        claims.removeAll { $0.member == member }
        rewind()
        return alone
    }

    /// Begins again with the first event that is not settled.
    mutating func rewind() {
        needsFence = true
        // Others may still have what was given out before a restart.
        cursor = max(ledger.firstOpen, isShared ? unclaimed?.before ?? 0 : 0)
        guard !isShared else { return }
        var singles = singles
        while let sequence = singles.popFirst() {
            if let (index, place) = find(sequence) {
                pieces[index][place].marks.remove(.isListed)
            }
        }
        self.singles.removeAll()
        keys = nil
        isRecalled = false
        if hasSpecial { track() }
    }

    /// Whether some event must be looked at before others of its key go.
    private var hasSpecial: Bool {
        !delayed.isEmpty || ledger.hasFailures || outCount > 0 || ledger.parkedCount > 0
            || pieces.contains { piece in
                guard let slot = piece.whole else { return true }
                return slot.marks.contains(.isSuspect)
            }
    }

    /// The worker has these events no more, which never reached it.
    mutating func takeBack(
        from member: UInt32, except kept: [(fence: UInt64, sequences: SequenceSet)]
    ) -> (events: Int, bytes: Int) {
        var freed = (events: 0, bytes: 0)
        // What it has claimed before and has no more was handled, and counted, or is not its own.
        for place in claims.indices where claims[place].member == member {
            for range in claims[place].sequences.ranges {
                let lost = kept.filter { $0.fence == claims[place].fence }
                    .reduce(SequenceSet(range)) { left, held in
                        var left = left
                        for own in held.sequences.common(with: range) { left.remove(own) }
                        return left
                    }
                for gone in lost.ranges {
                    freed.events += gone.count
                    outCount -= gone.count
                    claims[place].sequences.remove(gone)
                }
            }
        }
        claims.removeAll { $0.sequences.isEmpty }
        for index in pieces.indices {
            if let slot = pieces[index].whole, slot.state != .out || slot.member != member {
                continue
            }
            for place in 0..<pieces[index].frame.count {
                let slot = pieces[index][place]
                let event = pieces[index].frame[place]
                guard slot.state == .out, slot.member == member,
                    !kept.contains(where: {
                        $0.fence == slot.fence && $0.sequences.contains(event.sequence)
                    })
                else { continue }
                freed.events += 1
                freed.bytes += event.recordByteCount
                outCount -= 1
                pieces[index][place].state = .waiting
                pieces[index][place].marks.remove(.isAlone)
            }
        }
        if freed.events > 0 { rewind() }
        return freed
    }
}

extension WorkResult.Verdict {
    /// What a handler has returned.
    var value: Bytes? {
        guard case .value(let value) = self else { return nil }
        return value
    }
}
