internal import MartletDelivery
import Synchronization

/// How what waits gets on the disk.
extension StorageWriter {
    /// False if it could not be stored before the end.
    func store(
        _ queue: inout CommitQueue, _ submitted: inout SubmissionWriter, _ core: PublishingCore?,
        _ turn: inout Turn
    ) -> Bool {
        let buffers = turn.buffers
        for attempt in 1... {
            let firsts = queue.firsts
            let epoch = queue.epoch
            var ready: [PublishingCore.Outgoing]?
            var stored: [CommitQueue.Stored] = []
            do throws(MartletError) {
                try queue.commit(
                    to: storage, meanwhile: { ready = answers(submitted, core, in: epoch) }
                ) { stored.append($0) }
                // Producers first: each waits for it, and for nobody else.
                core?.send(ready ?? answers(submitted, core, in: queue.epoch))
                submitted.forgetAnswers()
                for some in stored { publish(some, buffers, core) }
                if attempt > 1 { for buffer in buffers { buffer.receipts?.recover() } }
                if !firsts.isEmpty { core?.forget(before: firsts) }
                for flush in turn.flushes { flush.resume(returning: nil) }
                return true
            } catch {
                // Some of it may be there all the same.
                for some in stored { publish(some, buffers, core) }
                // The second attempt begins by looking, and may succeed before anybody has noticed.
                guard attempt > 1 else { continue }
                fail(&turn, because: error)
            }
            guard waitToTryAgain(&turn) else { return false }
        }
        return false
    }

    /// What producers are told once it is committed, in this epoch.
    func answers(
        _ submitted: SubmissionWriter, _ core: PublishingCore?, in epoch: Epoch
    ) -> [PublishingCore.Outgoing] {
        core?.messages(for: submitted.answers(from: storage, in: epoch)) ?? []
    }

    /// Lets the pause pass, in which nobody waits for the disk. False at the end.
    private func waitToTryAgain(_ turn: inout Turn) -> Bool {
        let due = NodeClock.now + StorageWriter.pause
        while NodeClock.now < due {
            if let closesBy = state.withLock({ $0.closesBy }), NodeClock.now >= closesBy {
                return false
            }
            signal.wait(atMost: NodeClock.now.duration(to: due))
            let flushes = state.withLock { state in
                defer { state.flushes = [] }
                return state.flushes
            }
            for flush in flushes { flush.resume(returning: turn.failure) }
        }
        return true
    }

    /// Who waits is told. What waits is tried again.
    private func fail(_ turn: inout Turn, because error: MartletError) {
        let error = MartletError(
            error.code,
            "Nothing can be stored at present: \(error.message) What was published waits, and is "
                + "stored when that is over.", cause: error, isRetriable: true)
        for buffer in turn.buffers { buffer.receipts?.fail(error) }
        for flush in turn.flushes { flush.resume(returning: error) }
        turn.flushes = []
        turn.failure = error
    }

    private func publish(
        _ stored: CommitQueue.Stored, _ buffers: [StreamBuffer], _ core: PublishingCore?
    ) {
        core?.publishStored(stored)
        var rest = stored.entries
        while let first = rest.first {
            let own = rest.prefix { $0.stream == first.stream }
            buffers.first { $0.definition.name == first.stream }?.noteStored(
                own.lazy.map { ($0.frame.lane, $0.frame.sequences) }, in: stored.epoch)
            rest = rest.dropFirst(own.count)
        }
        core?.noteProgress()
    }
}
