internal import MartletDelivery

/// How what waits gets on the disk.
extension StoringRounds {
    /// Stores what is in the queue, and tells everybody whom it concerns. Why it could not, if so.
    mutating func commit(_ turn: Turn) -> MartletError? {
        let firsts = queue.firsts
        let epoch = queue.epoch
        var ready: [PublishingCore.Outgoing]?
        var stored: [CommitQueue.Stored] = []
        let start = NodeClock.now
        do throws(MartletError) {
            try queue.commit(
                to: writer.storage,
                meanwhile: { [core, writer, submitted] in
                    let answers = submitted.answers(from: writer.storage, in: epoch)
                    ready = core?.messages(for: answers)
                }
            ) { stored.append($0) }
            writer.watch.noteCommit(since: start, hasFailed: false)
        } catch {
            writer.watch.noteCommit(since: start, hasFailed: true)
            // Some of it may be there all the same.
            for some in stored { publish(some, turn.buffers) }
            return error
        }
        // Producers first: each waits for it, and for nobody else.
        core?.send(ready ?? answers(in: queue.epoch))
        submitted.forgetAnswers()
        for some in stored { publish(some, turn.buffers) }
        if turn.failures > 0 { for buffer in turn.buffers { buffer.receipts?.recover() } }
        if !firsts.isEmpty { core?.forget(before: firsts) }
        for flush in turn.flushes { flush.resume(returning: nil) }
        return nil
    }

    /// What producers are told once it is committed, in this epoch.
    func answers(in epoch: Epoch) -> [PublishingCore.Outgoing] {
        core?.messages(for: submitted.answers(from: writer.storage, in: epoch)) ?? []
    }

    /// Who waits is told. What waits is tried again.
    func fail(_ turn: inout Turn, because error: MartletError) -> MartletError {
        let error = MartletError(
            error.code,
            "Nothing can be stored at present: \(error.message) What was published waits, and is "
                + "stored when that is over.", cause: error, isRetriable: true)
        for buffer in turn.buffers { buffer.receipts?.fail(error) }
        for flush in turn.flushes { flush.resume(returning: error) }
        turn.flushes = []
        return error
    }

    private func publish(_ stored: CommitQueue.Stored, _ buffers: [StreamBuffer]) {
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
