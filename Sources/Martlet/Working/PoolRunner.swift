internal import MartletDelivery
import Synchronization

/// Handles events of a pool, one at a time.
struct PoolRunner: Sendable {
    let number: Int
    let core: PoolCore

    /// Handles what there is until the pool ends, or it was retired. Then its task is cancelled
    /// too, which is how a handler is told to end; another runner takes its place.
    ///
    /// It belongs to no actor, and says so: otherwise it would ask after each event to whose it
    /// must return, which costs as much as a quick handler.
    @concurrent
    func run() async {
        while let batch = await core.nextBatch(for: number) {
            await handle(batch)
        }
    }

    @concurrent
    private func handle(_ batch: WorkBatch) async {
        // Keys of which an event has not been handled: what follows of them is not begun.
        var broken: Set<UInt64> = []
        var clock = RunnerClock()
        let began = clock.now
        while let place = batch.claim() {
            let held = batch.events[place]
            let isBroken = !broken.isEmpty && held.strand.map(broken.contains) == true
            // A process that stood still must not go on with what is others' by now.
            guard !isBroken, clock.now < held.leaseUntil || core.mayBegin(held, at: clock.now)
            else {
                if let strand = held.strand { broken.insert(strand) }
                core.finish(place, of: batch, .returned)
                continue
            }
            let delivery = held.delivery
            if delivery.mayBeRepeat || delivery.attempt > 1 { core.noteRepeat() }
            batch.begin(place, at: clock.now)
            do {
                // Straight from here: each function between costs as much as a quick handler.
                switch core.handler.kind {
                case .direct(let handle):
                    try handle(held.event, delivery)
                    batch.noteDone(place)
                case .plain(let handle):
                    try await handle(held.event, delivery)
                    batch.noteDone(place)
                case .valued(let handle):
                    let value = try await handle(held.event, delivery)
                    core.finish(place, of: batch, .value(value))
                }
            } catch {
                let verdict = verdict(on: error)
                if case .retry = verdict, let strand = held.strand { broken.insert(strand) }
                core.finish(place, of: batch, verdict)
            }
            batch.end()
            clock.look()
        }
        let time = NodeClock.now.microseconds - began.microseconds
        core.finish(batch, of: number, after: time)
    }

    private func verdict(on error: any Error) -> WorkResult.Verdict {
        switch core.pool.retry.decide(error) {
        case .reject: .reject(reason: PoolRunner.text(of: error))
        case .retry(let wait): .retry(after: wait, reason: PoolRunner.text(of: error))
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

/// The time, as a runner looks at it between two events: at the clock itself once in a few
/// milliseconds.
private struct RunnerClock {
    private(set) var now = NodeClock.now
    private var beat = NodeClock.beat

    mutating func look() {
        let latest = NodeClock.beat
        guard latest != beat else { return }
        beat = latest
        now = NodeClock.now
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
