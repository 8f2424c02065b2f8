/// The keys of a lane that are looked at one by one: because something holds one of them up, or
/// because so much is out that one of them might be most of it.
struct WorkKeys: Sendable {
    private struct Key: Sendable {
        /// How many of its events a worker has.
        var out = 0
        /// The event that must be settled before any other goes.
        var blocker: UInt64?
        /// Nothing goes until nothing is out.
        var mustDrain = false
        /// Events that wait for the key, in their order.
        var waiting = Queue<UInt64>()
        /// Whether it stands in the list of those that can go on.
        var isListed = false

        var isIdle: Bool { out == 0 && blocker == nil && !mustDrain && waiting.isEmpty }
    }

    private var keys: [UInt64: Key] = [:]
    /// Keys of which something can go, perhaps.
    private var free: [UInt64] = []
    /// How many events wait for their keys.
    private(set) var waitingCount = 0
    /// How many keys an event blocks.
    private(set) var blockedCount = 0

    /// Whether nothing is special about any key.
    var isQuiet: Bool { waitingCount == 0 && blockedCount == 0 }

    func out(_ key: UInt64) -> Int { keys[key]?.out ?? 0 }

    func blocker(of key: UInt64) -> UInt64? { keys[key]?.blocker }

    /// Whether an event of the key may go, of which so many may be out.
    func isOpen(_ key: UInt64, quota: Int) -> Bool {
        guard let known = keys[key] else { return true }
        return known.blocker == nil && !known.mustDrain && known.waiting.isEmpty
            && known.out < quota
    }

    /// An event is to go when the key allows.
    mutating func wait(_ sequence: UInt64, for key: UInt64) {
        waitingCount += 1
        keys[key, default: Key()].waiting.insert(sequence) { $0 > sequence }
        list(key)
    }

    /// A worker has got an event.
    mutating func gone(_ key: UInt64) { keys[key, default: Key()].out += 1 }

    /// A worker has it no more.
    mutating func back(_ key: UInt64) {
        keys[key]?.out -= 1
        if keys[key]?.out == 0 { keys[key]?.mustDrain = false }
        list(key)
        tidy(key)
    }

    /// What is out must come back before anything goes: some of it has come back unhandled.
    mutating func drain(_ key: UInt64) {
        if let out = keys[key]?.out, out > 0 { keys[key]?.mustDrain = true }
    }

    /// An event must be settled before any other of its key goes.
    mutating func block(_ key: UInt64, by sequence: UInt64) {
        if keys[key]?.blocker == nil { blockedCount += 1 }
        keys[key, default: Key()].blocker = sequence
    }

    /// An event is settled, which may have blocked its key.
    mutating func settled(_ sequence: UInt64, of key: UInt64) {
        guard keys[key]?.blocker == sequence else { return }
        keys[key]?.blocker = nil
        blockedCount -= 1
        list(key)
        tidy(key)
    }

    /// What waits for a key may go.
    mutating func goOn(_ key: UInt64) { list(key) }

    private mutating func list(_ key: UInt64) {
        guard let known = keys[key], !known.isListed, !known.waiting.isEmpty,
            known.blocker == nil, !known.mustDrain
        else { return }
        keys[key]?.isListed = true
        free.append(key)
    }

    private mutating func tidy(_ key: UInt64) {
        if keys[key]?.isIdle == true { keys[key] = nil }
    }

    /// What to do with an event whose turn has come.
    enum Turn {
        /// It goes.
        case go
        /// It goes by itself, and blocks its key.
        case single
        /// It is settled already.
        case drop
        /// It waits until more of its key is settled.
        case later
        /// There is no room.
        case stop
    }

    /// Shows events whose keys allow them to go, key by key. False if it was stopped.
    mutating func forEachFree(
        quota: Int, _ decide: (_ sequence: UInt64, _ key: UInt64, _ out: Int) -> Turn
    ) -> Bool {
        var left = free[...]
        while let key = left.popFirst() {
            keys[key]?.isListed = false
            walk: while let known = keys[key], let sequence = known.waiting.first,
                known.blocker == nil, !known.mustDrain, known.out < quota
            {
                switch decide(sequence, key, known.out) {
                case .stop:
                    keys[key]?.isListed = true
                    free = [key] + left
                    return false
                case .go:
                    _ = keys[key]?.waiting.popFirst()
                    waitingCount -= 1
                    keys[key]?.out += 1
                case .single:
                    _ = keys[key]?.waiting.popFirst()
                    waitingCount -= 1
                    block(key, by: sequence)
                case .drop:
                    _ = keys[key]?.waiting.popFirst()
                    waitingCount -= 1
                case .later: break walk
                }
            }
            tidy(key)
        }
        free = []
        return true
    }
}
