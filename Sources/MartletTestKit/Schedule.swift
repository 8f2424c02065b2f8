/// What will happen, in the order of its time; what happens at one time, in the order in which it
/// was planned. A binary heap, since a run plans millions of steps.
struct Schedule<Step> {
    private struct Entry {
        let time: UInt64
        let number: UInt64
        let step: Step

        func comes(before other: Entry) -> Bool {
            time == other.time ? number < other.number : time < other.time
        }
    }

    private var heap: [Entry] = []
    private var planned: UInt64 = 0

    mutating func plan(_ step: Step, at time: UInt64) {
        planned += 1
        heap.append(Entry(time: time, number: planned, step: step))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].comes(before: heap[parent]) else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func next() -> (time: UInt64, step: Step)? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            var parent = 0
            while true {
                var least = parent
                for child in [2 * parent + 1, 2 * parent + 2]
                where child < heap.count && heap[child].comes(before: heap[least]) {
                    least = child
                }
                guard least != parent else { break }
                heap.swapAt(parent, least)
                parent = least
            }
        }
        return (first.time, first.step)
    }
}
