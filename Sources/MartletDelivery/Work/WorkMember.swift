/// A worker as the dispatcher of a group knows it: what it may hold, and what it holds.
struct WorkMember: Sendable {
    let number: UInt32
    let instance: Instance
    /// What its node is called.
    let label: String
    /// By what name lanes are assigned to it.
    let name: String
    /// It gets nothing more, since somebody wants it so.
    var isDrained = false
    /// Nil while it is not heard from.
    var session: UInt64?
    /// Counts its beginnings.
    var round: UInt64
    var window: WorkWindow
    /// Events that it has, and bytes of their records.
    var out = (events: 0, bytes: 0)
    /// What it is given, which goes out with what it is given besides in this turn.
    var grants: [WorkGrant] = []
    /// What it has is given to others when it has not been heard of until then.
    var leaseUntil: MonotonicTime
    /// Counts the messages of the round.
    private(set) var lastNumber: UInt64 = 0
    /// The number of the next message of results.
    private(set) var nextResults: UInt64 = 1
    /// Messages of results of which some counted for nothing, and how many events of theirs.
    private var stale: [(number: UInt64, count: UInt64)] = []
    private var missed = (at: MonotonicTime(microseconds: 0), number: UInt64(0))
    private var reminded = (at: MonotonicTime(microseconds: 0), number: UInt64(0))
    /// Whether it has an event that may have silenced another one.
    var hasSuspect = false

    init(
        _ number: UInt32, _ instance: Instance, named label: String, session: UInt64,
        _ join: WorkJoin, at now: MonotonicTime
    ) {
        self.number = number
        self.instance = instance
        self.label = label
        name = instance.node.description
        self.session = session
        round = join.round
        window = join.window
        leaseUntil = now + Limits.lease
    }

    /// Whether lanes may be its own.
    var takesLanes: Bool { window.events > 0 && !isDrained }

    /// What it can take now.
    var room: WorkWindow {
        guard !isDrained else { return .none }
        return WorkWindow(
            events: max(0, window.events - out.events), bytes: max(0, window.bytes - out.bytes))
    }

    /// It begins anew.
    mutating func begin(_ round: UInt64) {
        self.round = round
        lastNumber = 0
        grants = []
    }

    /// How many events of a message counted for nothing.
    func staleCount(of number: UInt64) -> UInt64 { stale.first { $0.number == number }?.count ?? 0 }

    /// Remembers it, should the message come again.
    mutating func noteStale(_ count: UInt64, of number: UInt64) {
        guard count > 0 else { return }
        if stale.count == 64 { stale.removeFirst() }
        stale.append((number, count))
    }

    /// What to do with a message of results.
    enum Turn {
        case take
        /// It was taken before.
        case known
        /// One is missing before it.
        case early
        /// The same, and it was said a moment ago.
        case wait
    }

    mutating func turn(of message: WorkResults, at now: MonotonicTime) -> Turn {
        let number = message.number
        // Those before were settled by whoever was here before.
        nextResults = max(nextResults, message.first)
        if number < nextResults { return .known }
        if number == nextResults {
            nextResults += 1
            return .take
        }
        guard missed.number != nextResults || now >= missed.at + Limits.resultTimeout else {
            return .wait
        }
        missed = (now, nextResults)
        return .early
    }

    /// Whether it is time to say what the last message was, if there was none meanwhile.
    mutating func isReminderDue(at now: MonotonicTime) -> Bool {
        guard reminded.number == lastNumber else {
            reminded = (now, lastNumber)
            return false
        }
        guard now >= reminded.at + Limits.resultTimeout else { return false }
        reminded.at = now
        return true
    }

    mutating func nextNumber() -> UInt64 {
        lastNumber += 1
        return lastNumber
    }

    mutating func free(_ freed: (events: Int, bytes: Int)) {
        out.events -= freed.events
        out.bytes = out.events > 0 ? max(0, out.bytes - freed.bytes) : 0
    }
}
