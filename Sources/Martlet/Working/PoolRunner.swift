internal import MartletDelivery
import Synchronization

/// Handles events of a pool, one at a time.
struct PoolRunner: Sendable {
    let number: Int
    let core: PoolCore

    /// Handles what there is until the pool ends. It ends too when its task is cancelled, which is
    /// how a handler is told to end; another runner takes its place.
    func run() async {
        while let batch = await core.nextBatch(for: number) {
            await handle(batch)
            if Task.isCancelled { return }
        }
    }

    private func handle(_ batch: WorkBatch) async {
        // Keys of which an event has not been handled: what follows of them is not begun.
        var broken: Set<UInt64> = []
        let began = NodeClock.now
        var now = began
        while let place = batch.claim() {
            let held = batch.events[place]
            let isBroken = held.strand.map { broken.contains($0) } ?? false
            // A process that stood still must not go on with what is others' by now.
            guard !isBroken, now < held.leaseUntil || core.mayBegin(held, at: now) else {
                if let strand = held.strand { broken.insert(strand) }
                core.finish(place, of: batch, .returned)
                continue
            }
            batch.begin(place, at: now)
            let verdict = await verdict(on: held)
            batch.end()
            now = NodeClock.now
            if case .done = verdict {
                batch.noteDone(place)
            } else {
                if case .retry = verdict, let strand = held.strand { broken.insert(strand) }
                core.finish(place, of: batch, verdict)
            }
            if Task.isCancelled { break }
        }
        giveBackRest(of: batch)
        core.finish(
            batch, of: number, after: now.microseconds - began.microseconds, isLast: true)
    }

    /// Its task was cancelled: what it has not begun is for others.
    private func giveBackRest(of batch: WorkBatch) {
        let rest = batch.takeRest()
        if !rest.isEmpty { core.putBack(rest) }
    }

    private func verdict(on held: HeldEvent) async -> WorkResult.Verdict {
        let delivery = held.delivery
        if delivery.mayBeRepeat || delivery.attempt > 1 { core.noteRepeat() }
        do {
            guard let value = try await core.handler.handle(held.event, delivery) else {
                return .done
            }
            return .value(value)
        } catch {
            switch core.pool.retry.decide(error) {
            case .reject: return .reject(reason: PoolRunner.text(of: error))
            case .retry(let wait):
                return .retry(after: wait, reason: PoolRunner.text(of: error))
            }
        }
    }

    /// What an error says, as far as it is told.
    private static func text(of error: any Error) -> String {
        let text =
            (error as? Rejection)?.reason ?? (error as? MartletError)?.message
            ?? String(describing: error)
        guard text.utf8.count > Limits.reasonBytesMax else { return text }
        return String(decoding: text.utf8.prefix(Limits.reasonBytesMax - 3), as: UTF8.self)
            .trimmingSuffix() + "…"
    }
}

extension String {
    /// Without a character that was cut in two.
    fileprivate func trimmingSuffix() -> String {
        var text = self
        while text.unicodeScalars.last == "\u{FFFD}" { text.unicodeScalars.removeLast() }
        return text
    }
}
