internal import MartletDelivery
internal import MartletSockets
import Synchronization

/// What the journal asks and tells.
extension PublishingCore {
    /// Whether readers are so far behind that nothing of the stream at this place should be stored.
    func isHeldUp(_ place: Int) -> Bool {
        state.withLock { isHeldUp(place, &$0, at: NodeClock.now) }
    }

    /// What a producer has submitted, if the loop's thread stores it itself.
    func takeErrand(isIdle: Bool) -> StoringErrand? {
        guard let writer = journal?.writer, writer.takesErrand(isIdle: isIdle) else {
            return nil
        }
        return StoringErrand(writer: writer)
    }

    /// Publishes frames that are on the disk.
    func publishStored(_ stored: CommitQueue.Stored) {
        let now = NodeClock.now
        state.withLock { $0.machine.raise(stored.epoch) }
        for entry in stored.entries {
            // One at a time: the loop must not wait for all of them.
            state.withLock { state in
                seal(entry.frame, of: entry.place, &state, at: now)
                carryOutWork(&state)
            }
        }
    }

    /// Something has been stored, for which somebody may wait who drains.
    func noteProgress() { progress.raise() }

    /// The journal keeps what comes before these events no more.
    func forget(before firsts: [Channel: UInt64]) {
        state.withLock { $0.machine.forget(before: firsts) }
    }

    /// The journal has answered.
    func answered(_ request: StoredRequest, _ answer: StoredAnswer) {
        let outcome = state.withLock { state in
            state.machine.answerRoom = service.room
            return carryOut(state.machine.answered(request, with: answer), &state)
        }
        // What found no room will be asked for again, and all behind it.
        guard offer(outcome.messages) == outcome.messages.count else { return }
        journal?.reader.ask(outcome.requests)
    }

    /// Answers to producers, as they are sent.
    func messages(for answers: [ProducerAnswer]) -> [Outgoing] {
        guard !answers.isEmpty else { return [] }
        return responses { machine in
            var effects: [FanoutPublisher.Effect] = []
            for answer in answers { effects += machine.answered(answer) }
            return effects
        }
    }
}
