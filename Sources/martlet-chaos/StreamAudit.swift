import Martlet
import Synchronization

/// Watches a subscription for what must never happen: a hole that nobody reported, a repeat, a
/// change of order, a byte that is not what it was.
final class StreamAudit: Sendable {
    private struct Key: Hashable {
        let channel: Channel
        let run: UInt64
        let key: UInt64
    }

    private struct Seen {
        var count: UInt64
        /// How many gaps of the channel had been reported by then.
        var gaps: Int
    }

    private struct State {
        var report = AuditReport()
        var seen: [Key: Seen] = [:]
        var next: [Channel: (epoch: Epoch, sequence: UInt64)] = [:]
        var gaps: [Channel: Int] = [:]
        var worstLag: Int64 = 0
        /// The publisher that was there before its readers.
        var firstNode: NodeID?
    }

    private let state = Mutex(State())

    func add(_ batch: EventBatch) {
        let now = Timestamp.now.microseconds
        state.withLock { state in
            for event in batch { StreamAudit.check(event, &state) }
            guard let time = batch.reversed().first?.time else { return }
            state.worstLag = max(state.worstLag, now - time.microseconds)
            state.report.newest = time.microseconds
        }
    }

    private static func check(_ event: RecordedEvent, _ state: inout State) {
        let position = event.position
        let channel = position.channel
        state.report.events += 1
        // A publisher that starts while somebody subscribes is read from its first event on.
        let firstNode = state.firstNode ?? channel.node
        state.firstNode = firstNode
        let gaps = state.gaps[channel] ?? 0
        let first: UInt64? = firstNode != channel.node && gaps == 0 ? 1 : nil
        let due = state.next[channel].flatMap { $0.epoch == position.epoch ? $0.sequence : nil }
        if let due = due ?? first, due != position.sequence {
            fail("\(position) came where \(due) was due", &state)
        }
        state.next[channel] = (position.epoch, position.sequence + 1)
        guard let content = ChaosEvent.content(of: event) else {
            return fail("\(position) is not what was published", &state)
        }
        let key = Key(channel: channel, run: content.run, key: content.key)
        if let seen = state.seen[key] {
            if content.count <= seen.count {
                fail("\(position): \(content.count) of a key came behind \(seen.count)", &state)
            } else if content.count > seen.count + 1, seen.gaps == gaps {
                fail(
                    "\(position): \(content.count) of a key came behind \(seen.count), and no gap "
                        + "was reported", &state)
            }
        } else if first != nil, content.count != 1 {
            fail("\(position): a key began with \(content.count)", &state)
        }
        state.seen[key] = Seen(count: content.count, gaps: gaps)
    }

    private static func fail(_ text: String, _ state: inout State) {
        state.report.violations += 1
        if state.report.firstViolation.isEmpty { state.report.firstViolation = text }
    }

    func add(_ gap: Gap) {
        state.withLock { state in
            state.report.gaps[gap.reason.rawValue, default: 0] += 1
            state.gaps[gap.channel, default: 0] += 1
            guard let last = gap.last else { return }
            state.report.lost += last - gap.first + 1
            if let next = state.next[gap.channel], next.epoch == gap.epoch {
                if next.sequence != gap.first {
                    StreamAudit.fail("\(gap) was reported where \(next.sequence) was due", &state)
                }
                state.next[gap.channel] = (gap.epoch, last + 1)
            }
        }
    }

    /// What there is to say, with the worst lag since the last time.
    func takeReport(fetched: UInt64) -> AuditReport {
        state.withLock { state in
            state.report.fetched = fetched
            state.report.lagMicroseconds = state.worstLag
            state.worstLag = 0
            return state.report
        }
    }
}

/// What a subscriber has seen so far.
struct AuditReport: Codable, Sendable {
    var events = 0
    var fetched: UInt64 = 0
    var lost: UInt64 = 0
    /// By reason.
    var gaps: [String: Int] = [:]
    var violations = 0
    var firstViolation = ""
    /// The worst since the report before.
    var lagMicroseconds: Int64 = 0
    /// When the newest event was published.
    var newest: Int64 = 0
    /// How often it has reported, so that one can wait for a fresh one.
    var turn = 0
    var residentKiB = 0
}
