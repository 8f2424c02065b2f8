/// Events that were set aside and are tried again, and keys that are parked.
extension WorkLane {
    // MARK: Parking

    /// Everything of an event's key is set aside from now on.
    mutating func park(keyOf sequence: UInt64) {
        guard !isShared, let (index, place) = find(sequence),
            let key = KeyHash.of(pieces[index].frame[place])
        else { return }
        track()
        ledger.park(key)
        isDirty = true
    }

    /// What becomes of an event of a key, if that is parked: it is set aside, or waits until the
    /// key goes on.
    mutating func parking(_ key: UInt64, of sequence: UInt64) -> WorkKeys.Turn? {
        guard ledger.isParked(key) else { return nil }
        guard !heldKeys.contains(key) else { return .later }
        toPark.append(sequence)
        return .drop
    }

    /// Events of parked keys that are to be set aside.
    mutating func takeToPark() -> [UInt64] {
        guard !toPark.isEmpty else { return [] }
        defer { toPark = [] }
        return toPark
    }

    /// Nothing more of a key is set aside: it is about to go on. False if it is not parked.
    mutating func hold(_ key: UInt64) -> Bool {
        guard ledger.isParked(key) else { return false }
        heldKeys.insert(key)
        return true
    }

    /// A key that was held goes on, with what waits for it; or it does not, and what waits is set
    /// aside after all.
    mutating func release(_ key: UInt64, goingOn: Bool) {
        guard heldKeys.remove(key) != nil else { return }
        if goingOn {
            ledger.release(key)
            isDirty = true
        }
        keys?.goOn(key)
    }

    // MARK: Reopening

    /// Events that were set aside are tried again.
    mutating func reopen(_ events: [RecordedEvent]) {
        isDirty = true
        for event in events.sorted(by: { $0.sequence < $1.sequence }) {
            ledger.reopen(event.sequence)
            insert(event)
        }
        countPieces()
    }

    /// Events come that were reopened before a restart.
    mutating func restore(_ events: [RecordedEvent]) {
        for event in events.sorted(by: { $0.sequence < $1.sequence })
        where awaited.contains(event.sequence) {
            let range = event.sequence..<event.sequence + 1
            awaited.remove(range)
            insert(event)
            // A worker has it from before the restart.
            for place in claims.indices where claims[place].sequences.contains(event.sequence) {
                if claimReopened(event.sequence, claims[place].fence, claims[place].member) {
                    claims[place].sequences.remove(range)
                }
            }
        }
        claims.removeAll { $0.sequences.isEmpty }
        countPieces()
    }

    /// Those that have not come are lost.
    mutating func loseAwaited() {
        for range in awaited.ranges {
            ledger.lose(range, .expired)
            dropClaims(in: range)
            isDirty = true
        }
        awaited = SequenceSet()
    }

    /// An event waits again that is not here.
    private mutating func insert(_ event: RecordedEvent) {
        let sequence = event.sequence
        // It comes with its frame.
        guard sequence < loaded else { return goBack(to: sequence) }
        var slot = WorkSlot()
        slot.marks = .mayRepeat
        if let (index, place) = find(sequence) {
            slot.fence = pieces[index][place].fence
            pieces[index][place] = slot
        } else {
            let index = piece(from: sequence)
            if index < pieces.count, pieces[index].sequences.contains(sequence) {
                pieces.replaceSubrange(
                    index...index, with: pieces[index].split(before: sequence))
            }
            var own = WorkPiece(event.detached().frame, slot)
            // Not as a whole: it may have failed since it was reopened.
            own[0] = slot
            pieces.insert(own, at: piece(from: sequence))
        }
        requeue(event)
    }

    /// Pieces that hold some events of a frame already, which were reopened before it came.
    mutating func takePieces(within range: Range<UInt64>) -> [WorkPiece] {
        guard let last = pieces.last, last.sequences.upperBound > range.lowerBound else {
            return []
        }
        let first = piece(from: range.lowerBound)
        defer {
            pieces.removeSubrange(first...)
            countPieces()
        }
        return Array(pieces[first...])
    }
}
