/// Events for a worker, as one frame, or a part of one.
struct WorkGrant: Sendable {
    let frame: Bytes
    let lease: Work.Lease
    let count: Int
    /// Bytes of their records.
    let cost: Int
}

/// What may go to a worker, and how.
struct WorkTaking {
    let member: UInt32
    let definition: GroupDefinition
    /// What the worker takes at most.
    let window: WorkWindow
    /// What it can take now.
    var room: WorkWindow
    /// Whether it may have a suspect, of which each worker has one at most.
    var maySuspect: Bool
    var fences: FenceCounter
    var grants: [WorkGrant] = []
    /// So many frames at once, and parts of some.
    var grantsMax = Limits.messageFrames
    /// One event is all that goes.
    var probesOnly = false

    /// So many events of one lane may be with its worker, so that others find room beside it.
    var laneQuota: Int { max(1, window.events / 2) }

    /// So many of one key.
    var keyQuota: Int { max(1, window.events / 4) }

    /// A part that is smaller waits until there is more room.
    fileprivate var partMin: Int { max(1, window.events / 8) }

    mutating func give(_ grant: WorkGrant) {
        grants.append(grant)
        room = WorkWindow(events: room.events - grant.count, bytes: room.bytes - grant.cost)
    }
}

/// Fences, each higher than those before: the epoch's count in the high half.
struct FenceCounter: Sendable {
    private(set) var last: UInt64

    init(_ epoch: Epoch) { last = UInt64(epoch.start) << 32 }

    mutating func next() -> UInt64 {
        last += 1
        return last
    }
}

extension WorkLane {
    /// Takes what may go to a worker, as far as it has room.
    mutating func take(_ taking: inout WorkTaking, at now: MonotonicTime) {
        // Others may still have what was given out before a restart.
        guard isShared || unclaimed == nil, awaited.isEmpty,
            ledger.parkedCount < Limits.parkedKeysMax
        else { return }
        if needsFence {
            fence = taking.fences.next()
            needsFence = false
        }
        if let since = fullSince, now >= since + WorkLane.patience { track() }
        takeSingles(&taking)
        guard !taking.probesOnly || taking.grants.isEmpty, takeFree(&taking) else { return }
        isFull = false
        scan(&taking)
        fullSince = isFull ? fullSince ?? now : nil
        // Nothing was special about any key.
        if keys?.isQuiet == true, singles.isEmpty, delayed.isEmpty, isPlainAhead { keys = nil }
    }

    /// Whether no event behind the cursor must be looked at before others of its key go.
    private var isPlainAhead: Bool {
        guard !ledger.hasFailures, ledger.parkedCount == 0 else { return false }
        return pieces[piece(from: cursor)...].allSatisfy { piece in
            if let slot = piece.whole { return !slot.marks.contains(.isSuspect) }
            return (0..<piece.frame.count).allSatisfy { !piece[$0].marks.contains(.isSuspect) }
        }
    }

    /// A lane may be full for so long before its keys are looked at one by one: one of them may be
    /// most of it.
    private static let patience = Duration.milliseconds(20)

    /// Whether anything could go, perhaps.
    var hasMore: Bool {
        cursor < end || !singles.isEmpty || (keys.map { !$0.isQuiet } ?? false)
    }

    private func hasRoom(_ taking: WorkTaking) -> Bool {
        taking.room.events > 0 && taking.room.bytes > 0
            && (isShared || outCount < taking.laneQuota)
            && taking.grants.count < (taking.probesOnly ? 1 : taking.grantsMax)
    }

    /// Events before this one may go.
    private var limit: UInt64 { isDurable ? ledger.leasedThrough : .max }

    // MARK: Key by key

    /// Begins to look at keys one by one.
    mutating func track() {
        guard !isShared, keys == nil else { return }
        var keys = WorkKeys()
        for piece in pieces {
            for place in 0..<piece.frame.count where piece[place].state == .out {
                if let key = KeyHash.of(piece.frame[place]) { keys.gone(key) }
            }
        }
        self.keys = keys
    }

    /// Events whose keys were held up.
    private mutating func takeFree(_ taking: inout WorkTaking) -> Bool {
        guard var keys, !keys.isQuiet else { return true }
        self.keys = nil
        var chosen: [UInt64] = []
        var room = taking.room
        var count = outCount
        let isDone = keys.forEachFree(quota: taking.keyQuota) { sequence, key, out in
            guard let (index, place) = find(sequence), pieces[index][place].state == .waiting else {
                return .drop
            }
            if let turn = parking(key, of: sequence) { return turn }
            if goesSingly(sequence, pieces[index][place]) {
                guard out == 0 else { return .later }
                pieces[index][place].marks.insert(.isListed)
                singles.append(sequence)
                return .single
            }
            let cost = pieces[index].frame.recordByteCount(at: place)
            guard room.events > 0, room.bytes >= cost || room.bytes == taking.window.bytes,
                count < taking.laneQuota, sequence < limit, !taking.probesOnly || chosen.isEmpty
            else {
                wantsLease = wantsLease || sequence >= limit
                return .stop
            }
            room = WorkWindow(events: room.events - 1, bytes: room.bytes - cost)
            count += 1
            chosen.append(sequence)
            return .go
        }
        self.keys = keys
        give(chosen.sorted(), &taking)
        takeSingles(&taking)
        return isDone && hasRoom(taking)
    }

    private func goesSingly(_ sequence: UInt64, _ slot: WorkSlot) -> Bool {
        slot.marks.contains(.isSuspect) || ledger.failures(of: sequence) > 0
    }

    /// Gives out events that are waiting, in their order.
    private mutating func give(_ sequences: [UInt64], _ taking: inout WorkTaking) {
        var rest = sequences[...]
        while let sequence = rest.first {
            guard let (index, first) = find(sequence) else {
                preconditionFailure("an event that waits is here")
            }
            let end = pieces[index].sequences.upperBound
            let isRepeat = pieces[index][first].marks.contains(.mayRepeat)
            var places = [first]
            rest.removeFirst()
            while let next = rest.first, next < end {
                let place = pieces[index].place(from: next)
                guard pieces[index][place].marks.contains(.mayRepeat) == isRepeat else { break }
                places.append(place)
                rest.removeFirst()
            }
            give(places, of: index, &taking)
        }
    }

    /// Gives out some events of a piece, of which all or none may be repeats.
    private mutating func give(
        _ places: [Int], of index: Int, alone: Bool = false, attempt: Int = 1,
        _ taking: inout WorkTaking
    ) {
        let frame = pieces[index].frame
        let isRepeat = pieces[index][places[0]].marks.contains(.mayRepeat)
        var marks: WorkSlot.Marks = isRepeat ? .mayRepeat : []
        if alone { marks.insert(.isAlone) }
        var cost = 0
        for place in places {
            cost += frame.recordByteCount(at: place)
            pieces[index][place] = WorkSlot(
                state: .out, marks: marks, member: taking.member, fence: fence)
        }
        let isAll = places.count == frame.count
        let bytes = isAll ? frame.bytes : frame.slice(of: places.map { frame[$0] }).bytes
        noteGiven(places.count, isRepeat: isRepeat || attempt > 1)
        taking.give(
            WorkGrant(
                frame: bytes,
                lease: Work.Lease(fence: fence, attempt: attempt, mayRepeat: isRepeat),
                count: places.count, cost: cost))
    }

    private mutating func noteGiven(_ count: Int, isRepeat: Bool) {
        outCount += count
        if isRepeat {
            ledger.noteRepeated(count)
            isDirty = true
        }
    }

    // MARK: One by one

    /// Events that have failed, and suspects.
    private mutating func takeSingles(_ taking: inout WorkTaking) {
        var later: [UInt64] = []
        while hasRoom(taking), let sequence = singles.popFirst() {
            guard let (index, place) = find(sequence),
                pieces[index][place].state == .waiting,
                pieces[index][place].marks.contains(.isListed)
            else { continue }
            let slot = pieces[index][place]
            let isSuspect = slot.marks.contains(.isSuspect)
            let key = isShared ? nil : KeyHash.of(pieces[index].frame[place])
            if let key, let turn = parking(key, of: sequence) {
                if case .later = turn { later.append(sequence) }
                continue
            }
            let cost = pieces[index].frame.recordByteCount(at: place)
            guard !isSuspect || taking.maySuspect, isFailureStored(sequence),
                cost <= taking.room.bytes || taking.room.bytes == taking.window.bytes,
                key.map({ keys?.out($0) ?? 0 }) ?? 0 == 0
            else {
                later.append(sequence)
                continue
            }
            if let key { keys?.gone(key) }
            if isSuspect { taking.maySuspect = false }
            // What goes again goes under a fence of its own: a result from before is told from it.
            fence = taking.fences.next()
            pieces[index][place].marks.insert(.mayRepeat)
            give(
                [place], of: index, alone: isSuspect,
                attempt: ledger.failures(of: sequence) + 1, &taking)
        }
        for sequence in later { singles.append(sequence) }
    }

    // MARK: In order

    /// What comes next, and has not been given to anybody.
    private mutating func scan(_ taking: inout WorkTaking) {
        while hasRoom(taking), keys.map({ $0.waitingCount < Limits.passedOverMax }) ?? true {
            let index = piece(from: cursor)
            guard index < pieces.count else {
                cursor = max(cursor, loaded)
                guard heldBytes < Limits.workLaneBytesMax || pieces.isEmpty,
                    load(taking.definition)
                else { return }
                continue
            }
            let piece = pieces[index]
            guard piece.sequences.lowerBound < limit else {
                wantsLease = true
                return
            }
            if let slot = piece.whole, keys == nil, cursor <= piece.sequences.lowerBound,
                slot.state == .waiting, !slot.marks.contains(.isSuspect),
                piece.sequences.upperBound <= limit, !taking.probesOnly
            {
                switch takeWhole(index, slot, &taking) {
                case .taken: continue
                case .later: return
                case .part: break
                }
            } else if let slot = piece.whole, slot.state != .waiting {
                cursor = piece.sequences.upperBound
                continue
            }
            guard takePart(of: index, &taking) else { return }
        }
    }

    private enum Whole { case taken, later, part }

    private mutating func takeWhole(
        _ index: Int, _ slot: WorkSlot, _ taking: inout WorkTaking
    ) -> Whole {
        let piece = pieces[index]
        let lane = isShared ? .max : taking.keyQuota - outCount
        guard piece.open <= min(taking.room.events, lane),
            piece.cost <= taking.room.bytes || taking.room.bytes == taking.window.bytes
        else {
            isFull = isFull || piece.open > lane
            // Frames are cut only where they are large beside the window.
            let isLarge =
                piece.open > taking.window.events / 4 || piece.cost > taking.window.bytes / 4
            return isLarge ? .part : .later
        }
        pieces[index].setAll(
            WorkSlot(
                state: .out, marks: slot.marks, member: taking.member, fence: fence))
        cursor = piece.sequences.upperBound
        let isRepeat = slot.marks.contains(.mayRepeat)
        noteGiven(piece.open, isRepeat: isRepeat)
        taking.give(
            WorkGrant(
                frame: piece.frame.bytes,
                lease: Work.Lease(fence: fence, attempt: 1, mayRepeat: isRepeat),
                count: piece.open, cost: piece.cost))
        return .taken
    }

    /// Takes some events of a piece, from the cursor on. False if there is no room for more.
    private mutating func takePart(of index: Int, _ taking: inout WorkTaking) -> Bool {
        let piece = pieces[index]
        let first = piece.place(from: cursor)
        if piece.frame.count - first > taking.partMin, taking.room.events < taking.partMin,
            !taking.probesOnly
        {
            return false
        }
        var chosen: [UInt64] = []
        var (room, count) = (taking.room, outCount)
        var place = first
        scan: while place < piece.frame.count {
            let event = piece.frame[place]
            let cost = event.recordByteCount
            switch turn(of: event, piece[place], taking) {
            case .drop: break
            case .single:
                pieces[index][place].marks.insert(.isListed)
                singles.append(event.sequence)
            case .stop, .later: break scan
            case .go:
                guard room.events > 0, room.bytes >= cost || room.bytes == taking.window.bytes,
                    isShared || count < (keys == nil ? taking.keyQuota : taking.laneQuota),
                    event.sequence < limit,
                    !taking.probesOnly || chosen.isEmpty && taking.grants.isEmpty
                else {
                    wantsLease = wantsLease || event.sequence >= limit
                    isFull = isFull || !isShared && count >= taking.keyQuota
                    break scan
                }
                if !isShared, let key = KeyHash.of(event) { keys?.gone(key) }
                room = WorkWindow(events: room.events - 1, bytes: room.bytes - cost)
                count += 1
                chosen.append(event.sequence)
            }
            place += 1
        }
        let isAll = place == piece.frame.count
        cursor = isAll ? piece.sequences.upperBound : piece.frame[place].sequence
        give(chosen, &taking)
        takeSingles(&taking)
        return isAll
    }

    /// What to do with an event that comes next.
    private mutating func turn(
        of event: RecordedEvent, _ slot: WorkSlot, _ taking: WorkTaking
    ) -> WorkKeys.Turn {
        let key = isShared ? nil : keys == nil ? nil : KeyHash.of(event)
        switch slot.state {
        case .settled, .out: return .drop
        case .delayed:
            if let key, keys?.blocker(of: key) == nil { keys?.block(key, by: event.sequence) }
            return .drop
        case .waiting: break
        }
        guard !slot.marks.contains(.isListed) else { return .drop }
        let isSingle = goesSingly(event.sequence, slot)
        guard let key else { return isSingle ? .single : .go }
        if let turn = parking(key, of: event.sequence), case .drop = turn { return .drop }
        guard keys?.isOpen(key, quota: taking.keyQuota) == true, !ledger.isParked(key),
            !isSingle || keys?.out(key) == 0
        else {
            guard keys.map({ $0.waitingCount < Limits.passedOverMax }) ?? true else { return .stop }
            keys?.wait(event.sequence, for: key)
            return .drop
        }
        if isSingle { keys?.block(key, by: event.sequence) }
        return isSingle ? .single : .go
    }
}
