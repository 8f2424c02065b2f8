internal import MartletDelivery

/// A promise that was broken in a simulated run.
public struct Violation: Error, Sendable, Hashable {
    /// Which invariant of the protocol, as in `I6`.
    public let invariant: String
    /// What was seen.
    let what: String

    init(invariant: String, description: String) {
        self.invariant = invariant
        what = description
    }
}

extension Violation: CustomStringConvertible {
    /// The invariant, and what was seen.
    public var description: String { "\(invariant): \(what)" }
}

/// Watches what is published and what every reader gets of it.
///
/// Its words: an event is *attempted* when it is published, *delivered* when a reader's consumer
/// has it, *lost* when it was neither delivered nor reported, *duplicated*, *reordered*,
/// *unexpected* when nobody published it, *diverged* when two readers got different bytes under one
/// position.
struct FanoutChecker {
    /// An epoch of a channel.
    struct History: Hashable {
        let lane: Int
        let epoch: UInt64
    }

    /// What a reader has seen of a lane.
    private struct Progress {
        var epoch: UInt64
        /// The number of the next event that may come.
        var next: UInt64
    }

    /// What was published: the sizes of the histories, whose events say who they are.
    private var published: [History: UInt64] = [:]
    private var progress: [Int: [Int: Progress]] = [:]
    /// What was published of durable lanes, by the numbers of the events.
    var stored: [Int: [String]] = [:]
    /// When each history began.
    private var began: [History: UInt64] = [:]
    /// Since when each reader's subscription has been in force.
    private var inForce: [Int: UInt64] = [:]

    private(set) var delivered = 0
    var attempted = 0
    private(set) var gaps = 0
    private(set) var reportedLost = 0

    /// The payload that the event at a position has, and no other.
    static func payload(_ lane: Int, _ epoch: UInt64, _ sequence: UInt64) -> String {
        "\(lane)/\(epoch)/\(sequence)"
    }

    mutating func publish(
        _ frame: Frame, at time: UInt64, isDurable: Bool
    ) throws(Violation) {
        guard !isDurable else { return try store(frame) }
        let history = History(lane: frame.channel.lane, epoch: frame.header.epoch.rawValue)
        let before = published[history] ?? 0
        guard frame.sequences.lowerBound == before + 1 else {
            throw Violation(
                invariant: "I4",
                description: "lane \(history.lane) epoch \(history.epoch) has a hole or a repeat "
                    + "behind \(before): \(frame.sequences)")
        }
        if before == 0 { began[history] = time }
        published[history] = frame.sequences.upperBound - 1
        attempted += frame.count
    }

    /// - Parameter first: the first event of the lane that the publisher keeps, if the reader wants
    ///   all of them and the epoch is the present one.
    mutating func start(
        reader: Int, lane: Int, epoch: UInt64, next: UInt64, atMost first: UInt64?,
        isDurable: Bool
    ) throws(Violation) {
        // Numbers mean the same in all epochs.
        let epoch = isDurable ? 0 : epoch
        guard let before = progress[reader]?[lane] else {
            if let first, next > first {
                throw Violation(
                    invariant: "I6",
                    description: "reader \(reader) lane \(lane) began at \(next), and \(first) is "
                        + "kept")
            }
            // What began while the subscription was in force is followed from its first event.
            let history = History(lane: lane, epoch: epoch)
            if let began = began[history], let since = inForce[reader], began > since, next != 1 {
                throw Violation(
                    invariant: "I6",
                    description: "reader \(reader) lane \(lane) began at \(epoch)/\(next), and was "
                        + "in force before 1")
            }
            progress[reader, default: [:]][lane] = Progress(epoch: epoch, next: next)
            return
        }
        if before.epoch == .max, next == 1 {
            // A history whose end was reported is followed by one that begins with its first event.
            progress[reader]?[lane] = Progress(epoch: epoch, next: 1)
            return
        }
        guard epoch == before.epoch && next == before.next else {
            throw Violation(
                invariant: "I6",
                description: "reader \(reader) lane \(lane) went from \(before.epoch)/"
                    + "\(before.next) to \(epoch)/\(next) without a report")
        }
    }

    mutating func deliver(
        _ event: RecordedEvent, reader: Int, isDurable: Bool
    ) throws(Violation) {
        let lane = event.frame.channel.lane
        let epoch = isDurable ? 0 : event.frame.header.epoch.rawValue
        let place = "reader \(reader) lane \(lane) \(epoch)/\(event.sequence)"
        guard var seen = progress[reader]?[lane] else {
            throw Violation(invariant: "I6", description: "\(place) came before the start")
        }
        try check(event, lane, epoch, place, isDurable: isDurable)
        guard epoch == seen.epoch, event.sequence == seen.next else {
            let what = epoch == seen.epoch && event.sequence > seen.next ? "lost" : "repeated"
            throw Violation(
                invariant: "I6",
                description: "\(place) came where \(seen.epoch)/\(seen.next) was due: \(what) or "
                    + "reordered")
        }
        seen.next += 1
        progress[reader]?[lane] = seen
        delivered += 1
    }

    /// An event is one that was published, with the bytes that it had.
    private func check(
        _ event: RecordedEvent, _ lane: Int, _ epoch: UInt64, _ place: String, isDurable: Bool
    ) throws(Violation) {
        let count =
            isDurable
            ? UInt64(stored[lane]?.count ?? 0) : published[History(lane: lane, epoch: epoch)] ?? 0
        guard event.sequence <= count else {
            throw Violation(invariant: "I3", description: "\(place) is unexpected")
        }
        let payload = event.payload.text
        let expected =
            isDurable
            ? stored[lane]?[Int(event.sequence) - 1]
            : FanoutChecker.payload(lane, epoch, event.sequence)
        guard payload == expected else {
            throw Violation(invariant: "I3", description: "\(place) diverged: \(payload)")
        }
    }

    /// - Parameters:
    ///   - epoch: the publisher's present one.
    ///   - first: the first event of the lane that it keeps.
    mutating func report(
        _ gap: Gap, reader: Int, epoch: UInt64, firstKept first: UInt64
    ) throws(Violation) {
        gaps += 1
        let lane = gap.channel.lane
        if let last = gap.last, last < gap.first {
            throw Violation(invariant: "I6", description: "a gap ends before it begins")
        }
        if gap.reason == .expired, gap.epoch.rawValue == epoch, gap.last ?? .max >= first {
            throw Violation(
                invariant: "I6",
                description: "reader \(reader) lane \(lane): \(gap.first) to "
                    + "\(gap.last ?? 0) is called expired, and \(first) is kept")
        }
        if gap.reason == .instanceGone, gap.epoch.rawValue == epoch {
            throw Violation(
                invariant: "I6",
                description: "reader \(reader) lane \(lane): the present instance is called gone")
        }
        guard var seen = progress[reader]?[lane] else {
            throw Violation(invariant: "I6", description: "a gap was reported before the start")
        }
        guard gap.epoch.rawValue == seen.epoch, gap.first == seen.next else {
            throw Violation(
                invariant: "I6",
                description: "reader \(reader) lane \(lane): a gap at \(gap.epoch)/\(gap.first) "
                    + "was reported where \(seen.epoch)/\(seen.next) was due")
        }
        if let last = gap.last {
            reportedLost += Int(last - gap.first) + 1
            seen.next = last + 1
        } else if gap.reason != .unreachable {
            // What is behind the end of a history is the next one, from its first event.
            seen.epoch = .max
            seen.next = 1
        }
        progress[reader]?[lane] = seen
    }

    /// The number of the next event that a reader is to get of a lane.
    func nextDue(reader: Int, lane: Int) -> UInt64? { progress[reader]?[lane]?.next }

    /// A reader has lost what it knew, and begins anew.
    mutating func forget(reader: Int) {
        progress[reader] = [:]
        inForce[reader] = nil
    }

    /// A reader's first session has begun.
    mutating func takeEffect(reader: Int, at time: UInt64) {
        inForce[reader] = inForce[reader] ?? time
    }

    /// After a heal and some time, every reader has all of the present history.
    func checkLag(
        readers: Int, lanes: Int, epoch: UInt64
    ) throws(Violation) {
        for reader in 0..<readers {
            for lane in 0..<lanes {
                let seen = progress[reader]?[lane]
                guard let last = published[History(lane: lane, epoch: epoch)] else {
                    // The end of the history before must have been reported.
                    guard let seen, seen.epoch != .max, seen.epoch != epoch else { continue }
                    throw Violation(
                        invariant: "I6",
                        description: "reader \(reader) lane \(lane) still stands at \(seen.epoch)"
                            + "/\(seen.next), whose epoch has ended")
                }
                guard seen?.epoch == epoch, seen?.next == last + 1 else {
                    let place = seen.map { "\($0.epoch)/\($0.next)" } ?? "nowhere"
                    throw Violation(
                        invariant: "I22",
                        description: "reader \(reader) lane \(lane) stands at \(place), and "
                            + "\(epoch)/\(last + 1) is due")
                }
            }
        }
    }
}

extension Bytes {
    /// The bytes as a text.
    var text: String { String(decoding: array(), as: UTF8.self) }
}
