internal import MartletDelivery
import Synchronization

/// The rounds in which a node stores what waits. One thread at a time has them.
///
/// When a commit fails, the queue looks what is there, and it is tried again in the next round.
struct StoringRounds {
    /// What a round has come to.
    enum Outcome {
        /// Something was stored; there may be more.
        case stored
        /// There was nothing, unless somebody tells, for so long.
        case nothing(Duration)
        /// Nothing can be stored at present.
        case failed(MartletError)
        /// There was nothing, and nothing comes any more.
        case over
    }

    /// What belongs to a commit, beside what is stored.
    struct Turn {
        /// Who waits for it.
        var flushes: [CheckedContinuation<MartletError?, Never>] = []
        var buffers: [StreamBuffer] = []
        /// How often it has failed.
        var failures = 0
        /// How long to wait if there is nothing.
        var pause = StoringRounds.idle
    }

    let writer: StorageWriter
    let core: PublishingCore?
    var queue: CommitQueue
    var submitted: SubmissionWriter
    private var keeper: RetentionKeeper
    /// What has failed, and is tried again.
    private var unfinished: Turn?
    /// How long the thread that stores rests unless it is told of something.
    private var resting = Duration.zero

    /// Most that is committed at a time.
    private static let bytesMax = 4 * 1_048_576
    private static let framesMax = 1_024
    /// Nothing comes unless somebody tells.
    private static let idle = Limits.retentionInterval
    /// Cursors are looked at so often.
    private static let look = Duration.milliseconds(200)
    /// Readers that are waited for are looked at so often.
    private static let holdUp = Duration.milliseconds(5)

    init(_ writer: StorageWriter, _ core: PublishingCore?) {
        self.writer = writer
        self.core = core
        queue = CommitQueue(writer.storage.node, writer.instanceEpoch)
        submitted = SubmissionWriter(writer.storage)
        keeper = RetentionKeeper(writer.storage)
    }

    /// A round of the thread that stores.
    mutating func next() -> Outcome {
        let isClosing = writer.state.withLock { $0.isClosing }
        var turn = begin(isClosing: isClosing)
        if queue.isEmpty {
            refuse(&turn)
            resting = turn.pause
            return isClosing ? .over : .nothing(turn.pause)
        }
        return store(&turn)
    }

    /// A round of the loop's thread. False if the thread that stores must see to what is left.
    mutating func nextOnLoop() -> Bool {
        let isClosing = writer.state.withLock { $0.isClosing }
        guard unfinished == nil, !isClosing else { return false }
        var turn = begin(isClosing: false)
        guard !queue.isEmpty else {
            refuse(&turn)
            return turn.pause >= resting
        }
        guard case .stored = store(&turn) else { return false }
        return turn.pause >= resting
    }

    /// What was refused, or is there already.
    private mutating func refuse(_ turn: inout Turn) {
        core?.workStored()
        core?.send(answers(in: queue.epoch))
        submitted.forgetAnswers()
        for flush in turn.flushes { flush.resume(returning: nil) }
    }

    private mutating func begin(isClosing: Bool) -> Turn {
        if let turn = unfinished.take() { return turn }
        var turn = Turn()
        fill(&turn, isClosing: isClosing)
        if let firsts = keeper.firstsIfDue(turn.buffers.lazy.map(\.definition)) {
            queue.add(firsts: firsts)
            writer.state.withLock { state in
                (state.isExpiryPaused, state.overruns) = (keeper.isPaused, keeper.overruns)
            }
        }
        if let core { takeWork(of: core, &turn) }
        return turn
    }

    /// Tries to store a turn. The second attempt begins by looking what the first has left, and may
    /// succeed before anybody has noticed.
    private mutating func store(_ turn: inout Turn) -> Outcome {
        while true {
            guard let error = commit(turn) else {
                core?.workStored()
                return .stored
            }
            turn.failures += 1
            guard turn.failures > 1 else { continue }
            let told = fail(&turn, because: error)
            unfinished = turn
            return .failed(told)
        }
    }

    private mutating func fill(_ turn: inout Turn, isClosing: Bool) {
        var cursors: [String: [Position]] = [:]
        let trackers = writer.state.withLock { state in
            swap(&cursors, &state.cursors)
            swap(&turn.flushes, &state.flushes)
            return state.trackers
        }
        let now = NodeClock.now
        if !trackers.isEmpty { turn.pause = StoringRounds.look }
        for tracker in trackers where cursors[tracker.name] == nil {
            if let due = tracker.takeDue(at: now, orSooner: isClosing) {
                cursors[tracker.name] = due
            }
        }
        for (name, positions) in cursors { queue.add(cursor: name, positions) }
        // A different one first each time: one that is fast must not keep the others from the disk.
        let streams = writer.state.withLock { $0.takeStreams() }
        let targets = submitted.admit(
            writer.submissions.take(beside: submitted.table.waitingBytes), to: streams,
            isHeldUp: { [core] in core?.isHeldUp($0) == true })
        core?.watch(submitted.takeWatches())
        queue.add(producers: submitted.takeChanges())
        for (place, buffer) in streams {
            turn.buffers.append(buffer)
            let target = targets[place] ?? [:]
            guard isClosing || !target.isEmpty || core?.isHeldUp(place) == false else {
                if !buffer.isEmpty { turn.pause = StoringRounds.holdUp }
                continue
            }
            take(from: buffer, place, upTo: target)
        }
        if submitted.table.waitingBytes > 0 { turn.pause = StoringRounds.holdUp }
    }

    /// Takes what groups have done, and what they have set aside, which is told in the same commit.
    private mutating func takeWork(of core: PublishingCore, _ turn: inout Turn) {
        let work = core.takeWork()
        queue.add(groups: work.groups, ledgers: work.ledgers)
        guard !work.letters.isEmpty else { return }
        guard let (place, buffer, isNew) = try? core.deadLetters() else {
            // Too many streams: what was set aside is told when there is room.
            return core.putBack(work.letters)
        }
        if isNew {
            queue.add(
                stream: buffer.definition.name,
                partitions: buffer.definition.partitioning.partitions)
        }
        if !turn.buffers.contains(where: { $0 === buffer }) { turn.buffers.append(buffer) }
        for news in work.letters {
            do throws(MartletError) {
                var number = try core.append(news, to: buffer)
                if number == nil {
                    // What is there makes room.
                    take(from: buffer, place, upTo: [0: .max])
                    number = try core.append(news, to: buffer)
                }
                if let number { take(from: buffer, place, upTo: [0: number]) }
            } catch {
                // The ledger counts it as dead. What cannot be told of must not hold up the rest.
                continue
            }
        }
    }

    /// Takes what there is, up to a size, but all up to these events of its lanes.
    private mutating func take(
        from buffer: StreamBuffer, _ place: Int, upTo target: [Int: UInt64]
    ) {
        // Each of the open frames once: they begin anew while this goes on.
        var open = buffer.openCount
        var missing = target
        while !missing.isEmpty
            || queue.byteCount < StoringRounds.bytesMax && queue.count < StoringRounds.framesMax
        {
            let taken = buffer.take(openToo: open > 0 || !missing.isEmpty)
            guard case .frame(let frame, let wasOpen) = taken else { return }
            if wasOpen { open -= 1 }
            if let last = missing[frame.lane], frame.sequences.upperBound > last {
                missing[frame.lane] = nil
            }
            queue.add(.init(place: place, stream: buffer.definition.name, frame: frame))
        }
    }
}
