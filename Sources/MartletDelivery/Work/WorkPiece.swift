/// Where an event stands at its dispatcher.
struct WorkSlot: Sendable {
    enum State: UInt8, Sendable {
        /// It is to be given to a worker.
        case waiting
        /// A worker has it.
        case out
        /// It has failed, and waits for its time.
        case delayed
        /// It is done with.
        case settled
    }

    struct Marks: OptionSet, Sendable {
        let rawValue: UInt8
        /// It may have been handled before.
        static let mayRepeat = Marks(rawValue: 1)
        /// The worker that had it has fallen silent: it may be the event that did it.
        static let isSuspect = Marks(rawValue: 2)
        /// It is a suspect, and the only one that its worker has.
        static let isAlone = Marks(rawValue: 4)
        /// It stands in the list of those that go singly.
        static let isListed = Marks(rawValue: 8)
    }

    var state = State.waiting
    var marks: Marks = []
    /// Who has it, or had it last.
    var member: UInt32 = 0
    /// The fence under which it was given out last; 0 if it never was.
    var fence: UInt64 = 0
}

/// A frame, or a part of one, and where its events stand.
struct WorkPiece: Sendable {
    private(set) var frame: Frame
    /// How many of its events are not settled.
    private(set) var open: Int
    /// Where all of them stand, as long as that is the same.
    private(set) var whole: WorkSlot?
    private var slots: [WorkSlot] = []
    /// Bytes of the records of events that are not settled.
    private(set) var cost: Int

    init(_ frame: Frame, _ slot: WorkSlot) {
        self.frame = frame
        open = frame.count
        whole = slot
        cost = frame.recordByteCount
    }

    var sequences: Range<UInt64> { frame.sequences }

    var byteCount: Int { frame.bytes.count }

    /// Where the event at a place stands.
    subscript(place: Int) -> WorkSlot {
        get { whole ?? slots[place] }
        set {
            expand()
            if newValue.state == .settled, slots[place].state != .settled {
                open -= 1
                cost -= frame.recordByteCount(at: place)
            } else if newValue.state != .settled, slots[place].state == .settled {
                open += 1
                cost += frame.recordByteCount(at: place)
            }
            slots[place] = newValue
        }
    }

    private mutating func expand() {
        guard let whole else { return }
        slots = [WorkSlot](repeating: whole, count: frame.count)
        self.whole = nil
    }

    /// All events stand there, none of which is settled.
    mutating func setAll(_ slot: WorkSlot) {
        if slot.state == .settled { (open, cost) = (0, 0) }
        whole = slot
        slots = []
    }

    /// The place of the first event of this number or a higher one.
    func place(from sequence: UInt64) -> Int {
        let sequences = frame.sequences
        guard sequence > sequences.lowerBound else { return 0 }
        guard frame.header.isSlice else {
            return min(Int(sequence - sequences.lowerBound), frame.count)
        }
        var low = 0
        var high = frame.count
        while low < high {
            let middle = (low + high) / 2
            if frame.sequence(at: middle) >= sequence { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// The part before an event, and the part from it on; nil if there is nothing.
    func split(before sequence: UInt64) -> [WorkPiece] {
        let place = place(from: sequence)
        return [0..<place, place..<frame.count].filter { !$0.isEmpty }.map { places in
            var part = WorkPiece(frame.slice(of: places.map { frame[$0] }), WorkSlot())
            for (own, place) in places.enumerated() { part[own] = self[place] }
            return part
        }
    }

    /// Lets go of what is settled, if that is most of it.
    mutating func compact() {
        guard whole == nil, open > 0, open * 4 <= frame.count else { return }
        let places = slots.indices.filter { slots[$0].state != .settled }
        let slice = frame.slice(of: places.map { frame[$0] })
        slots = places.map { slots[$0] }
        frame = slice
    }
}
