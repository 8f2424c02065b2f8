internal import MartletDelivery

/// What groups have set aside, as it is kept with their ledgers: in the same commit.
struct WorkLetters {
    private struct Letter {
        let event: DeadEvent
        /// Its event was tried again when this many had been, in its ledger.
        var closed: UInt64?
        var isStored: Bool
        var isClosingStored = false
    }

    private var letters: [Letter] = []
    /// So many letters, and closings, are in the commit under way.
    private var storing: (letters: Set<Int>, closings: Set<Int>) = ([], [])

    /// How many there are.
    var count: Int { letters.count }

    mutating func add(_ event: DeadEvent, isDurable: Bool) {
        letters.append(Letter(event: event, isStored: !isDurable))
    }

    /// Letters that are on disk, and whose events were not tried again.
    var open: [DeadEvent] { letters.filter { $0.isStored && $0.closed == nil }.map(\.event) }

    /// Whether something is set aside that is not on disk yet.
    var isStoring: Bool { letters.contains { !$0.isStored } }

    /// Open letters of the keys, or of the event alone.
    func open(like letter: DeadEvent, _ held: Set<HeldKey>) -> [DeadEvent] {
        open.filter { other in
            guard other.group == letter.group else { return false }
            if let key = HeldKey(of: other.event), held.contains(key) { return true }
            return other.event.sequence == letter.event.sequence
                && other.event.frame.channel == letter.event.frame.channel
        }
    }

    mutating func close(_ event: DeadEvent, isDurable: Bool, count: UInt64) {
        guard
            let place = letters.lastIndex(where: {
                $0.closed == nil && $0.event.isSame(as: event)
            })
        else { return }
        letters[place].closed = count
        letters[place].isClosingStored = !isDurable
    }

    mutating func beginStoring() {
        for place in letters.indices {
            if !letters[place].isStored { storing.letters.insert(place) }
            if letters[place].closed != nil { storing.closings.insert(place) }
        }
    }

    mutating func stored() {
        for place in storing.letters { letters[place].isStored = true }
        for place in storing.closings { letters[place].isClosingStored = true }
        storing = ([], [])
    }

    /// The node begins anew with these ledgers: what was not in a commit that came about never was.
    mutating func restart(_ ledgers: [LedgerName: StoredLedger]) {
        for place in letters.indices {
            let event = letters[place].event
            let ledger = ledgers[LedgerName(event.group, event.event.frame.channel)]
            if !letters[place].isStored, ledger?.isSettled(event.event.sequence) == true {
                letters[place].isStored = true
            }
            guard let count = letters[place].closed, !letters[place].isClosingStored else {
                continue
            }
            let isClosed = ledger.map { $0.tally.reopened >= count } ?? false
            letters[place].closed = isClosed ? count : nil
            letters[place].isClosingStored = isClosed
        }
        letters.removeAll { !$0.isStored }
        storing = ([], [])
    }

    /// Events that a group has set aside, as its letters have them.
    func latest(of name: LedgerName, _ sequences: SequenceSet) -> [RecordedEvent] {
        letters.map(\.event).filter {
            $0.group == name.group && $0.event.frame.channel == name.channel
                && sequences.contains($0.event.sequence)
        }.map(\.event)
    }
}

extension DeadEvent {
    func isSame(as other: DeadEvent) -> Bool {
        group == other.group && event.sequence == other.event.sequence
            && event.frame.channel == other.event.frame.channel
    }
}
