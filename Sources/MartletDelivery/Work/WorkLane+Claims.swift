/// What workers say that they have, beside what is known of it here.
extension WorkLane {
    /// Whether a worker has a suspect.
    func hasLone(_ member: UInt32) -> Bool {
        pieces.contains { piece in
            piece.whole == nil
                && (0..<piece.frame.count).contains {
                    piece[$0].state == .out && piece[$0].member == member
                        && piece[$0].marks.contains(.isAlone)
                }
        }
    }

    /// Events that will never come are nobody's.
    mutating func dropClaims(in range: Range<UInt64>) {
        for place in claims.indices {
            let gone = claims[place].sequences.common(with: range)
            outCount -= gone.reduce(0) { $0 + $1.count }
            claims[place].sequences.remove(range)
        }
        claims.removeAll { $0.sequences.isEmpty }
    }

    /// A worker has events from before this dispatcher began. Nil if none of them can be its own.
    mutating func claim(_ holding: WorkHolding, by member: UInt32) -> Int? {
        guard let unclaimed, loaded <= ledger.next || isShared else { return nil }
        let limit = max(loaded, min(unclaimed.before, end))
        var sequences = SequenceSet()
        var here = 0
        for range in holding.sequences.ranges {
            for sequence in ledger.reopened.common(with: range).joined() {
                if awaited.contains(sequence) {
                    guard !claims.contains(where: { $0.sequences.contains(sequence) }) else {
                        continue
                    }
                    sequences.insert(sequence..<sequence + 1)
                } else if claimReopened(sequence, holding.fence, member) {
                    here += 1
                }
            }
            let old = range.clamped(to: loaded..<limit)
            for own in ledger.unsettled(in: old)
            where !claims.contains(where: { !$0.sequences.common(with: own).isEmpty }) {
                sequences.insert(own)
            }
        }
        let count = Int(sequences.count) + here
        guard count > 0 else { return nil }
        if !sequences.isEmpty {
            claims.append(WorkClaim(member: member, fence: holding.fence, sequences: sequences))
        }
        outCount += count
        return count
    }

    /// A worker has an event that was set aside, is tried again, and has come back from there.
    mutating func claimReopened(
        _ sequence: UInt64, _ fence: UInt64, _ member: UInt32
    ) -> Bool {
        guard let (index, place) = find(sequence), pieces[index][place].state == .waiting else {
            return false
        }
        pieces[index][place] = WorkSlot(
            state: .out, marks: .mayRepeat, member: member, fence: fence)
        if let key = KeyHash.of(pieces[index].frame[place]) { keys?.gone(key) }
        return true
    }

    /// Whether a worker has some of it for all that is known here.
    func knows(_ holding: WorkHolding, of member: UInt32) -> Bool {
        if claims.contains(where: { $0.member == member && $0.fence == holding.fence }) {
            return true
        }
        return holding.sequences.ranges.contains { range in
            pieces[piece(from: range.lowerBound)...].prefix {
                $0.sequences.lowerBound < range.upperBound
            }.contains { piece in
                (piece.place(from: range.lowerBound)..<piece.frame.count).contains {
                    piece[$0].state == .out && piece[$0].member == member
                        && piece[$0].fence == holding.fence
                }
            }
        }
    }

    /// Results of events that a worker has claimed, and that were not loaded yet.
    mutating func settleClaims(
        _ range: Range<UInt64>, _ result: WorkResult, _ member: UInt32,
        _ outcome: inout WorkOutcome
    ) {
        guard !claims.isEmpty,
            let place = claims.firstIndex(where: {
                $0.member == member && $0.fence == result.fence
            })
        else { return }
        for claimed in claims[place].sequences.common(with: range) {
            let count = claimed.count
            outcome.acceptedCount += count
            outcome.freed.events += count
            outCount -= count
            claims[place].sequences.remove(claimed)
            switch result.verdict {
            case .done, .value:
                ledger.settle(claimed, as: .handled(value: result.verdict.value))
                awaited.remove(claimed)
                ledger.noteHandled(count)
                isDirty = true
            // Nobody has seen it here yet: it goes again when it is loaded.
            case .retry, .reject, .returned: break
            }
        }
        claims.removeAll { $0.sequences.isEmpty }
    }
}
