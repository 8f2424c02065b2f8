/// A channel as its dispatcher gives it to the workers of one group.
///
/// A keyed lane belongs to one worker at a time, which gets its events in order; where events have
/// no keys, or the group does not mind, a lane is shared. Frames go as they are for as long as
/// nothing is special about any of their events.
struct WorkLane: Sendable {
    let channel: Channel
    /// Whether all workers may have events of it at once.
    let isShared: Bool
    let isDurable: Bool
    var ledger: Ledger
    /// Frames of which some event is not settled, in their order.
    var pieces: [WorkPiece] = []
    /// Frames that follow them, and have not been looked at.
    private var backlog = Queue<SealedFrame>()
    private var backlogBytes = 0
    private var pieceBytes = 0
    /// The first event that has not been looked at.
    private(set) var loaded: UInt64
    /// The number behind the last event of the backlog.
    private var known: UInt64
    /// The next event to come at the publisher.
    private(set) var end: UInt64
    /// Before this event nothing waits but what is listed elsewhere.
    var cursor: UInt64
    /// Who has the lane; nil for nobody.
    var owner: UInt32?
    /// Who is to have it.
    var heir: UInt32?
    /// Whether what the owner has was asked back.
    var isRecalled = false
    /// The fence of what goes out; raised when the lane changes hands, or an event goes again.
    var fence: UInt64 = 0
    /// What was given out before goes again, for which a result from before must not count.
    var needsFence = true
    /// How many events workers have.
    var outCount = 0
    /// Keys, while they are looked at one by one.
    var keys: WorkKeys?
    /// Events that go out singly.
    var singles = Queue<UInt64>()
    /// Events that have failed, in the order of their times.
    var delayed: [(due: MonotonicTime, sequence: UInt64)] = []
    /// What workers say that they have from before a restart, of events that were not loaded yet.
    var claims: [WorkClaim] = []
    /// Events before this one may be with workers that have not said so yet, until a moment.
    var unclaimed: (before: UInt64, until: MonotonicTime)?
    /// What had been wanted before this event, if that was something else.
    private let before: (definition: GroupDefinition, until: UInt64)?
    /// Events before this one may have been begun before a restart.
    private let repeatsBefore: UInt64
    /// Something has changed that is to be stored.
    var isDirty = false
    /// Events that have failed, which is not on disk yet: they wait until it is.
    var unstoredFailures: Set<UInt64> = []
    private var storingFailures: Set<UInt64> = []
    /// Events that were given up, and their keys, which go on when that is on disk.
    var unstoredDeaths: [(sequence: UInt64, key: UInt64)] = []
    private var storingDeaths: [(sequence: UInt64, key: UInt64)] = []
    /// What has become of events that somebody watches, which is told when it is on disk.
    private var storingEndings: [WorkEnding] = []
    private var storedEndings: [WorkEnding] = []
    /// Events that were reopened before a restart, and have not been seen since: nothing goes
    /// before them.
    var awaited: SequenceSet
    /// Keys that are parked, of which nothing more is set aside, since they are about to go on.
    var heldKeys: Set<UInt64> = []
    /// Events of parked keys whose turn has come.
    var toPark: [UInt64] = []
    /// Nothing is given out any more.
    var isClosing = false
    /// Some event can only go once more is leased.
    var wantsLease = false
    /// More could go if the lane had not its share of its worker's room already; since when.
    var isFull = false
    var fullSince: MonotonicTime?
    /// What is stored must be read.
    private(set) var isReading = false
    /// It could not be read just now.
    var hasReadFailed = false
    private var latest: Frame?

    init(
        _ channel: Channel, _ ledger: StoredLedger, end: UInt64, isShared: Bool, isDurable: Bool,
        before: (definition: GroupDefinition, until: UInt64)? = nil,
        unclaimedUntil: MonotonicTime? = nil
    ) {
        self.before = before
        self.channel = channel
        self.isShared = isShared
        self.isDurable = isDurable
        self.ledger = Ledger(ledger)
        loaded = ledger.next
        known = ledger.next
        self.end = end
        cursor = ledger.next
        repeatsBefore = ledger.leasedThrough
        if let unclaimedUntil, ledger.leasedThrough > ledger.next {
            unclaimed = (ledger.leasedThrough, unclaimedUntil)
            if isShared { cursor = ledger.leasedThrough }
        }
        awaited = ledger.reopened
        if self.ledger.hasFailures || self.ledger.parkedCount > 0, !isShared { keys = WorkKeys() }
    }

    /// Bytes of frames that are held for workers.
    var heldBytes: Int { backlogBytes + pieceBytes }

    /// How many events are not settled.
    var lag: UInt64 { ledger.openCount(before: end) }

    /// When the first event that is not settled was published; nil if it is not here.
    var oldest: Timestamp? {
        guard lag > 0 else { return nil }
        for piece in pieces where piece.open > 0 {
            for place in 0..<piece.frame.count where piece[place].state != .settled {
                return piece.frame[place].time
            }
        }
        guard loaded == ledger.next, let next = backlog.first else { return nil }
        return (try? Frame(next.bytes, verifyingChecksum: false))?.first?.time
    }

    // MARK: Storing

    /// Whether something is to be stored.
    var needsStoring: Bool { isDurable && (isDirty || wantsLease) }

    /// The ledger as it is to be stored, if something has changed: with room for what comes.
    mutating func takeChange() -> StoredLedger? {
        guard isDurable else { return nil }
        if isClosing {
            return needsStoring || ledger.leasedThrough > ledger.next && isClear
                ? closingChange() : nil
        }
        let ahead = end + Limits.leaseStride
        let isLow = end + Limits.leaseStride / 2 > ledger.leasedThrough
        guard needsStoring || isLow && owner != nil else { return nil }
        isDirty = false
        wantsLease = false
        storingFailures.formUnion(unstoredFailures)
        unstoredFailures = []
        storingDeaths += unstoredDeaths
        unstoredDeaths = []
        storingEndings += ledger.takeEndings()
        var snapshot = ledger.snapshot()
        snapshot.leasedThrough = max(snapshot.leasedThrough, ahead)
        return snapshot
    }

    /// Nothing is given out any more. What workers may have begun is still said to be so.
    private mutating func closingChange() -> StoredLedger {
        isDirty = false
        wantsLease = false
        storingEndings += ledger.takeEndings()
        if isClear { ledger.noteNothingLeased() }
        return ledger.snapshot()
    }

    /// Whether no worker has begun any event that is not settled.
    private var isClear: Bool {
        outCount == 0 && unclaimed == nil
            && pieces.allSatisfy { piece in
                if let slot = piece.whole { return !slot.marks.contains(.mayRepeat) }
                return (0..<piece.frame.count).allSatisfy {
                    piece[$0].state == .settled || !piece[$0].marks.contains(.mayRepeat)
                }
            }
    }

    /// It is on disk.
    mutating func stored(_ snapshot: StoredLedger) {
        ledger.lease(through: snapshot.leasedThrough)
        storingFailures = []
        for (sequence, key) in storingDeaths { keys?.settled(sequence, of: key) }
        storingDeaths = []
        storedEndings += storingEndings
        storingEndings = []
    }

    /// What has become of events that somebody watches, as far as it may be told.
    mutating func takeEndings() -> [WorkEnding] {
        guard isDurable else { return ledger.takeEndings() }
        guard !storedEndings.isEmpty else { return [] }
        defer { storedEndings = [] }
        return storedEndings
    }

    /// Whether it is on disk how often an event has failed.
    func isFailureStored(_ sequence: UInt64) -> Bool {
        !isDurable
            || !unstoredFailures.contains(sequence) && !storingFailures.contains(sequence)
    }

    // MARK: The source

    /// A frame follows the last one of the channel. If it may be read again later, it is not held
    /// without a bound.
    mutating func sealed(_ frame: SealedFrame, hasWorkers: Bool = true) {
        end = frame.sequences.upperBound
        let isNext = frame.sequences.lowerBound == known
        guard isNext, !isDurable || hasWorkers && backlogBytes < Limits.workLaneBytesMax / 4 else {
            return
        }
        backlog.append(frame)
        backlogBytes += frame.bytes.count
        known = end
    }

    /// What the storage must be asked for; nil if nothing is needed, or it has been asked.
    mutating func takeRead() -> UInt64? {
        guard isDurable, !isReading, !hasReadFailed, backlog.isEmpty, loaded < end,
            heldBytes < Limits.workLaneBytesMax
        else { return nil }
        isReading = true
        return loaded
    }

    /// The storage has answered.
    mutating func read(_ answer: StoredAnswer, first: UInt64) {
        isReading = false
        guard case .events(let events) = answer else {
            // It is asked again at the next tick.
            hasReadFailed = true
            return
        }
        if first > known { skip(to: min(first, end), because: .expired) }
        for stored in events.frames where stored.sequences.upperBound > known {
            guard stored.sequences.lowerBound <= known, stored.sequences.upperBound <= end else {
                break
            }
            backlog.append(
                SealedFrame(
                    lane: channel.lane, sequences: stored.sequences, latest: stored.latest,
                    bytes: stored.bytes))
            backlogBytes += stored.bytes.count
            known = stored.sequences.upperBound
        }
        guard events.frames.isEmpty else { return }
        if let damaged = events.damaged {
            skip(to: min(damaged.upperBound, end), because: .corrupt)
        } else {
            hasReadFailed = true
        }
    }

    /// Events that will never come.
    private mutating func skip(to sequence: UInt64, because reason: StoredLedger.Loss.Reason) {
        guard sequence > loaded else { return }
        ledger.lose(loaded..<sequence, reason)
        dropClaims(in: loaded..<sequence)
        isDirty = true
        known = max(known, sequence)
        loaded = sequence
    }

    /// Everything that is not settled is lost.
    mutating func abandon() {
        pieces = []
        pieceBytes = 0
        claims = []
        backlog.removeAll()
        backlogBytes = 0
        (loaded, known, cursor) = (end, end, end)
        singles.removeAll()
        delayed = []
        keys = nil
        outCount = 0
        ledger.lose(ledger.firstOpen..<end, .abandoned)
        isDirty = true
    }

    /// Looks at the next frame. False if there is none.
    mutating func load(_ definition: GroupDefinition) -> Bool {
        while let sealed = backlog.popFirst() {
            backlogBytes -= sealed.bytes.count
            // It was made here, or its checksum was seen to be right.
            guard let frame = try? Frame(sealed.bytes, verifyingChecksum: false, like: latest)
            else { preconditionFailure("what was sealed is a frame") }
            latest = frame
            loaded = sealed.sequences.upperBound
            let isReopened = !ledger.reopened.common(with: sealed.sequences).isEmpty
            guard loaded > ledger.next || isReopened else { continue }
            let range =
                isReopened
                ? sealed.sequences : max(sealed.sequences.lowerBound, ledger.next)..<loaded
            let old = before.flatMap { range.lowerBound < $0.until ? $0.definition : nil }
            if add(frame, range, old ?? definition) { return true }
        }
        return false
    }

    /// False if nothing of the frame is of use.
    private mutating func add(
        _ frame: Frame, _ range: Range<UInt64>, _ definition: GroupDefinition
    ) -> Bool {
        var slot = WorkSlot()
        if range.upperBound <= repeatsBefore { slot.marks = .mayRepeat }
        var piece = WorkPiece(frame, slot)
        let before = takePieces(within: frame.sequences)
        let unsettled = ledger.unsettled(in: before.isEmpty ? range : frame.sequences)
        let isPlain =
            definition.wantsAll(of: frame) && unsettled == [frame.sequences]
            && range.lowerBound >= repeatsBefore && claims.isEmpty && !ledger.hasFailures
        if !isPlain, !look(at: &piece, unsettled, definition) { return false }
        for known in before {
            for place in 0..<known.frame.count {
                piece[piece.place(from: known.frame.sequence(at: place))] = known[place]
            }
        }
        pieces.append(piece)
        pieceBytes += piece.byteCount
        return true
    }

    /// Looks at each event. False if nothing is open.
    private mutating func look(
        at piece: inout WorkPiece, _ unsettled: [Range<UInt64>], _ definition: GroupDefinition
    ) -> Bool {
        let wantsAll = definition.wantsAll(of: piece.frame)
        var rest = unsettled[...]
        for place in 0..<piece.frame.count {
            let event = piece.frame[place]
            while let first = rest.first, first.upperBound <= event.sequence { rest.removeFirst() }
            guard rest.first?.contains(event.sequence) == true else {
                piece[place].state = .settled
                continue
            }
            let claim = claims.first { $0.sequences.contains(event.sequence) }
            guard claim != nil || wantsAll || definition.wants(event) else {
                piece[place].state = .settled
                ledger.settle(event.sequence..<event.sequence + 1, as: .skipped)
                isDirty = true
                continue
            }
            if event.sequence < repeatsBefore { piece[place].marks.insert(.mayRepeat) }
            if let claim {
                piece[place].state = .out
                piece[place].member = claim.member
                piece[place].fence = claim.fence
                if let key = KeyHash.of(event) { keys?.gone(key) }
            }
        }
        for place in claims.indices { claims[place].sequences.remove(piece.sequences) }
        claims.removeAll { $0.sequences.isEmpty }
        return piece.open > 0
    }

    /// The place of the piece that holds an event, or of the first behind it.
    func piece(from sequence: UInt64) -> Int {
        var low = 0
        var high = pieces.count
        while low < high {
            let middle = (low + high) / 2
            if pieces[middle].sequences.upperBound > sequence {
                high = middle
            } else {
                low = middle + 1
            }
        }
        return low
    }

    /// The piece that holds an event, and its place there.
    func find(_ sequence: UInt64) -> (piece: Int, place: Int)? {
        let index = piece(from: sequence)
        guard index < pieces.count, pieces[index].sequences.contains(sequence) else { return nil }
        let place = pieces[index].place(from: sequence)
        guard place < pieces[index].frame.count, pieces[index].frame.sequence(at: place) == sequence
        else { return nil }
        return (index, place)
    }

    /// Gives up what nobody needs any more.
    mutating func tidy(thoroughly: Bool = false) {
        let done = pieces.prefix { $0.open == 0 }
        if !done.isEmpty {
            pieceBytes -= done.reduce(0) { $0 + $1.byteCount }
            pieces.removeFirst(done.count)
        }
        guard thoroughly, pieces.count > 1 else { return }
        pieces.removeAll { $0.open == 0 }
        for place in pieces.indices { pieces[place].compact() }
        countPieces()
    }

    /// Counts bytes anew.
    mutating func countPieces() { pieceBytes = pieces.reduce(0) { $0 + $1.byteCount } }
}

/// Events that a worker says it has from before a restart.
struct WorkClaim: Sendable {
    let member: UInt32
    let fence: UInt64
    var sequences: SequenceSet
}
