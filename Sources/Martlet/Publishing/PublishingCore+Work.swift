internal import MartletDelivery
internal import MartletSockets
import Synchronization

/// Groups of workers share what is published here.
extension PublishingCore {
    /// Says to workers what is to be said, in the order in which it was decided: they take what is
    /// overtaken for lost.
    func carryOutWork(_ state: inout State) {
        // Who is turned away belongs to no group.
        guard !state.work.isIdle || state.work.hasEffects else { return }
        var messages: [Outgoing] = []
        for effect in state.work.takeEffects() {
            switch effect {
            case .say(let message):
                for case .send(let route, let message) in state.machine.say(message) {
                    messages.append((route, message))
                }
            case .read(let read): journal?.reader.ask(read)
            case .dead(let event): state.letters.append(.dead(event))
            case .ended(let event, let fate):
                outcomes.tell(Outcome(fate), of: event)
                for watch in state.remote.take(event, fate) {
                    messages += told(.ended(fate), watch, &state)
                }
            }
        }
        tellWorkers(messages, &state)
        if let journal, state.work.isDirty || !state.letters.isEmpty { journal.writer.tell() }
    }

    /// Sends what workers are to be told, behind what is there. A group can give out more in one
    /// turn than finds room at the socket; how much that is, windows bound.
    func tellWorkers(
        _ messages: [Outgoing], _ state: inout State
    ) {
        let isFirst = state.untold.isEmpty
        if !isFirst { state.untold += messages }
        let count = offer(isFirst ? messages : state.untold)
        if isFirst {
            guard count < messages.count else { return }
            state.untold = Array(messages[count...])
        } else {
            state.untold.removeFirst(count)
        }
        // It is tried again in the loop's next turn.
        if !state.untold.isEmpty { loop.notify() }
    }

    /// What groups have done, to be stored with what is stored now.
    func takeWork() -> StoredWork {
        state.withLock { state in
            defer { state.letters = [] }
            let changes = state.work.takeChanges()
            return StoredWork(
                groups: changes.groups, ledgers: changes.ledgers, letters: state.letters)
        }
    }

    /// What groups have done since it was stored last.
    struct StoredWork: Sendable {
        let groups: [String: StoredGroup?]
        let ledgers: [LedgerName: StoredLedger]
        /// What was set aside: it is told in the same commit.
        let letters: [LetterNews]
    }

    /// Tells of what was set aside, where there is no journal.
    func publishDead() {
        guard journal == nil, !state.withLock({ $0.letters.isEmpty }),
            let buffer = try? deadLetters().buffer
        else { return }
        state.withLock { state in
            // What finds no room waits.
            while let first = state.letters.first {
                do throws(MartletError) {
                    guard try append(first, to: buffer) != nil else { break }
                } catch {
                    // What cannot be told at all is counted in its ledger.
                }
                state.letters.removeFirst()
            }
            let excess = state.letters.count - Limits.lettersWaitingMax
            if excess > 0 { state.letters.removeFirst(excess) }
        }
        loop.notify()
    }

    /// What could not be told is told later.
    func putBack(_ letters: [LetterNews]) {
        state.withLock { $0.letters = letters + $0.letters }
    }

    /// Where it is told, and the place of that stream.
    func deadLetters() throws(MartletError) -> (place: Int, buffer: StreamBuffer, isNew: Bool) {
        let name = DeadLetter.topic.stream
        let known = self.buffer(named: name)
        let definition =
            try journal == nil
            ? StreamDefinition.live(name, partitions: 1)
            : StreamDefinition.durable(name, partitions: 1)
        let buffer: StreamBuffer
        if let known { buffer = known } else { buffer = try self.buffer(of: definition) }
        let place = state.withLock { state in state.streams.firstIndex { $0 === buffer } ?? 0 }
        return (place, buffer, known == nil)
    }

    /// Tells of events that were set aside; nil if there is no room.
    func append(_ news: LetterNews, to buffer: StreamBuffer) throws(MartletError) -> UInt64? {
        let (payload, fields, kind) = try news.parts()
        let outcome = try payload.withBytes {
            (payload) throws(MartletError) -> StreamBuffer.Outcome in
            try buffer.append(payload, fields, lane: 0, kind)
        }
        guard case .appended(let sequence, _) = outcome else { return nil }
        return sequence
    }

    /// It is on disk.
    func workStored() {
        state.withLock { state in
            state.work.committed(at: NodeClock.now)
            carryOutWork(&state)
        }
    }

    /// The journal has answered what a group asked.
    func answered(_ read: WorkRead, _ answer: StoredAnswer, first: UInt64) {
        state.withLock { state in
            state.work.answered(read, with: answer, first: first, at: NodeClock.now)
            carryOutWork(&state)
        }
    }

    /// Gives workers nothing more, and waits for what they have begun.
    func drainWork(within timeout: Duration) async {
        let end = NodeClock.now + timeout
        state.withLock { state in
            state.work.close()
            carryOutWork(&state)
        }
        while NodeClock.now < end {
            let changes = progress.changes
            if state.withLock({ $0.work.isClear }) { return }
            guard case .changed = await progress.wait(since: changes, until: end) else { return }
        }
    }

    /// How the groups stand that work here.
    var groups: [GroupStatus] { state.withLock { $0.work.status } }
}
