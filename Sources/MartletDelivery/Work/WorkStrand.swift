/// What waits of a key of a channel, once its frames are unfolded.
struct WorkStrand: Sendable {
    /// The row that it belongs to.
    let row: UInt64
    var waiting = Queue<HeldEvent>()
    /// How many of its events are with a handler, or about to be.
    var taken = 0
    var block = Block.free

    /// An event has failed, or has gone back. Nothing of the key is begun until the publisher has
    /// taken note: what it sent before it had is out of order.
    enum Block: Hashable, Sendable {
        case free
        /// The results are not sent yet.
        case unsent
        case until(ResultsName)
    }

    /// A message of results.
    struct ResultsName: Hashable, Sendable {
        let peer: Int
        let number: UInt64
    }

    init(of row: UInt64) { self.row = row }

    /// Takes some of what waits, in its order.
    mutating func take(atMost count: Int, into events: inout [HeldEvent]) {
        // It may stand among the ready twice, if it was emptied meanwhile.
        guard taken == 0 else { return }
        while events.count < count, let held = waiting.popFirst() {
            taken += 1
            events.append(held)
        }
    }
}
