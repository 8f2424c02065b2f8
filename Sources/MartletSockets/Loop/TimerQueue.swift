/// What is to happen at which instant: a binary heap, the earliest first, in order of arrival among
/// equals. Pure: the loop asks it what is due.
struct TimerQueue<Action> {
    /// Names a timer, to cancel it.
    struct Token: Hashable, Sendable {
        fileprivate let number: UInt64
    }

    typealias Instant = ContinuousClock.Instant

    private struct Entry {
        let deadline: Instant
        let number: UInt64

        static func < (left: Entry, right: Entry) -> Bool {
            left.deadline == right.deadline
                ? left.number < right.number : left.deadline < right.deadline
        }
    }

    private var heap: [Entry] = []
    /// Cancelled timers are missing here; their entries go when they come up, or when there are
    /// more of them than of the others.
    private var actions: [UInt64: Action] = [:]
    private var nextNumber: UInt64 = 0

    /// How many timers are waiting.
    var count: Int { actions.count }

    /// When the next timer is due.
    var earliest: Instant? {
        mutating get {
            while let top = heap.first, actions[top.number] == nil { removeTop() }
            return heap.first?.deadline
        }
    }

    mutating func add(at deadline: Instant, _ action: Action) -> Token {
        nextNumber += 1
        actions[nextNumber] = action
        heap.append(Entry(deadline: deadline, number: nextNumber))
        siftUp(from: heap.count - 1)
        return Token(number: nextNumber)
    }

    /// The action of a timer that was still waiting.
    mutating func cancel(_ token: Token) -> Action? {
        let action = actions.removeValue(forKey: token.number)
        if heap.count > 2 * actions.count + 64 { rebuild() }
        return action
    }

    /// The next action that is due, or nil.
    mutating func popDue(at now: Instant) -> Action? {
        guard let earliest, earliest <= now else { return nil }
        let number = heap[0].number
        removeTop()
        return actions.removeValue(forKey: number)
    }

    /// All actions, whether due or not; the queue is empty afterwards.
    mutating func removeAll() -> [Action] {
        let left = heap.sorted(by: <).compactMap { actions[$0.number] }
        heap = []
        actions = [:]
        return left
    }

    private mutating func rebuild() {
        heap = heap.filter { actions[$0.number] != nil }.sorted(by: <)
    }

    private mutating func removeTop() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        siftDown(from: 0)
    }

    private mutating func siftUp(from start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child] < heap[parent] else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func siftDown(from start: Int) {
        var parent = start
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < heap.count && heap[child] < heap[smallest] {
                smallest = child
            }
            guard smallest != parent else { return }
            heap.swapAt(parent, smallest)
            parent = smallest
        }
    }
}
