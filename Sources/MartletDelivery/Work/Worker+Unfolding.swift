/// Rows, strands, and what holds them up.
extension Worker {
    // MARK: Rows

    /// A row goes on, if nothing of it is with a handler or unfolded.
    mutating func proceed(row number: UInt64) {
        guard let row = rows[number], row.isReady, !row.isListed else { return }
        rows[number]?.isListed = true
        ready.append(.row(number))
    }

    /// An event that was unfolded has ended.
    mutating func leaveRow(_ held: HeldEvent) {
        guard let row = held.held.row else { return }
        rows[row]?.looseCount -= 1
        proceed(row: row)
    }

    /// Where nothing is ready, what waits behind others goes by its keys, frame by frame, until
    /// something is ready or nothing is left. What handlers have and have not begun should be put
    /// back before.
    package mutating func unfold() {
        for number in rows.keys.sorted() {
            while !hasReady, rows[number]?.waiting.isEmpty == false { unfoldNext(in: number) }
            if hasReady { return }
        }
    }

    /// What handlers have of a row may be followed by others of other keys.
    private mutating func unfoldOut(in number: UInt64) {
        guard let events = rows[number]?.unfoldOut() else { return }
        rows[number]?.looseCount += events.count
        for place in 0..<events.count {
            guard let strand = events[place].strand else { continue }
            strands[strand, default: WorkStrand(of: number)].taken += 1
        }
    }

    private mutating func unfoldNext(in number: UInt64) {
        unfoldOut(in: number)
        guard let events = rows[number]?.unfoldNext() else { return }
        unfold(events, in: number)
    }

    mutating func unfoldAll(in number: UInt64) {
        unfoldOut(in: number)
        while let events = rows[number]?.unfoldNext() { unfold(events, in: number) }
    }

    /// The rows of events that handlers had.
    mutating func unfoldRows(of events: HeldEvents) {
        guard case .run(let held, _) = events.content, let row = held.row else { return }
        unfoldOut(in: row)
    }

    /// Each event waits for its own key.
    mutating func unfold(_ events: HeldEvents, in row: UInt64) {
        rows[row]?.looseCount += events.count
        for place in 0..<events.count { unfold(events[place], in: row) }
    }

    private mutating func unfold(_ held: HeldEvent, in row: UInt64) {
        guard let number = held.strand else { return }
        let strand = strands[number, default: WorkStrand(of: row)]
        guard strand.block == .free else {
            end(held, .returned)
            return leaveRow(held)
        }
        strands[number, default: strand].waiting.append(held)
        if strand.taken == 0, strand.waiting.isEmpty { ready.append(.strand(number)) }
    }

    // MARK: Strands

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

    /// Nothing of a key is begun until results that are not sent yet are settled. What waits goes
    /// back.
    mutating func block(_ strand: UInt64, in held: HeldEvent) {
        guard let row = held.held.row else { return }
        // None waits if a key is blocked already.
        unfoldAll(in: row)
        if strands[strand, default: WorkStrand(of: row)].block == .free {
            rows[row, default: WorkRow()].blockedCount += 1
        }
        strands[strand, default: WorkStrand(of: row)].block = .unsent
        while let waiting = strands[strand]?.waiting.popFirst() {
            end(waiting, .returned)
            leaveRow(waiting)
        }
    }

    private mutating func unblock(_ number: UInt64) {
        guard let row = strands[number]?.row else { return }
        strands[number]?.block = .free
        rows[row]?.blockedCount -= 1
        proceed(number)
        proceed(row: row)
    }

    /// Results were sent for which strands wait.
    mutating func noteSent(_ strands: [UInt64], _ peer: Int, _ number: UInt64?) {
        guard let number else { return unblockUnsent(strands) }
        let name = WorkStrand.ResultsName(peer: peer, number: number)
        for strand in strands {
            self.strands[strand]?.block = .until(name)
            blocked[name, default: []].append(strand)
        }
    }

    mutating func unblock(_ peer: Int, _ number: UInt64) {
        let name = WorkStrand.ResultsName(peer: peer, number: number)
        for strand in blocked.removeValue(forKey: name) ?? []
        where strands[strand]?.block == .until(name) {
            unblock(strand)
        }
    }

    /// No results are sent any more for which these strands wait.
    mutating func unblockUnsent(_ numbers: [UInt64]) {
        for strand in numbers where strands[strand]?.block == .unsent { unblock(strand) }
    }
}

extension WorkResult.Verdict {
    /// Whether an event that ends so holds up nothing that follows it.
    var isFinal: Bool {
        switch self {
        case .done, .value, .reject: true
        case .retry, .returned: false
        }
    }
}
