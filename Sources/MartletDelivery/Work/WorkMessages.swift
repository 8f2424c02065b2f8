/// Events of a channel, and the fence under which a worker has them.
package struct WorkHolding: Sendable, Hashable {
    package let stream: StreamName
    package let lane: Int
    /// Rises with each hand-over.
    package let fence: UInt64
    package let sequences: SequenceSet

    package init(stream: StreamName, lane: Int, fence: UInt64, sequences: SequenceSet) {
        self.stream = stream
        self.lane = lane
        self.fence = fence
        self.sequences = sequences
    }
}

/// How much a worker takes at once.
package struct WorkWindow: Sendable, Hashable {
    package let events: Int
    package let bytes: Int

    package init(events: Int, bytes: Int) {
        self.events = events
        self.bytes = bytes
    }

    /// Takes nothing.
    package static let none = WorkWindow(events: 0, bytes: 0)
}

/// A worker wants to work for a group, or begins anew.
package struct WorkJoin: Sendable, Hashable {
    package let group: String
    /// Counts the worker's beginnings: what belongs to another one means nothing.
    package let round: UInt64
    package let definition: Bytes
    package let window: WorkWindow
    /// What it has, and has not heard to be settled.
    package let holdings: [WorkHolding]

    package init(
        group: String, round: UInt64, definition: Bytes, window: WorkWindow,
        holdings: [WorkHolding] = []
    ) {
        self.group = group
        self.round = round
        self.definition = definition
        self.window = window
        self.holdings = holdings
    }
}

/// The answer to it.
package struct WorkJoined: Sendable, Hashable {
    /// Why a worker is turned away.
    package enum Refusal: UInt8, Sendable, Hashable {
        /// The group is defined otherwise.
        case definition = 1
        /// There are too many groups or workers.
        case full = 2
        /// The node gives no work.
        case unavailable = 3
    }

    package let group: String
    package let round: UInt64
    /// Nil if it may work.
    package let refusal: Refusal?
    package let text: String

    package init(group: String, round: UInt64, refusal: Refusal? = nil, text: String = "") {
        self.group = group
        self.round = round
        self.refusal = refusal
        self.text = text
    }
}

/// Events for a worker.
package struct Work: Sendable, Hashable {
    /// How the events of a frame are to be taken.
    package struct Lease: Sendable, Hashable {
        package let fence: UInt64
        /// Which attempt it is, from 1.
        package let attempt: Int
        /// Whether they may have been handled before.
        package let mayRepeat: Bool

        package init(fence: UInt64, attempt: Int, mayRepeat: Bool) {
            self.fence = fence
            self.attempt = attempt
            self.mayRepeat = mayRepeat
        }
    }

    package let group: String
    package let round: UInt64
    /// Counts the messages of a round that bring or recall something, from 1.
    package let number: UInt64
    /// One for each frame.
    package let leases: [Lease]
    package let frames: [Bytes]

    package init(group: String, round: UInt64, number: UInt64, leases: [Lease], frames: [Bytes]) {
        self.group = group
        self.round = round
        self.number = number
        self.leases = leases
        self.frames = frames
    }
}

/// What became of events.
package struct WorkResult: Sendable, Hashable {
    /// What a worker says of them.
    package enum Verdict: Sendable, Hashable {
        /// They were handled.
        case done
        /// One was handled, with this value.
        case value(Bytes)
        /// One failed, and is to be tried again: after this time, or when its group says.
        case retry(after: Duration?, reason: String)
        /// One must not be tried again.
        case reject(reason: String)
        /// They were not begun.
        case returned
    }

    package let stream: StreamName
    package let lane: Int
    package let fence: UInt64
    package let sequences: SequenceSet
    package let verdict: Verdict

    package init(
        stream: StreamName, lane: Int, fence: UInt64, sequences: SequenceSet, verdict: Verdict
    ) {
        self.stream = stream
        self.lane = lane
        self.fence = fence
        self.sequences = sequences
        self.verdict = verdict
    }
}

/// Results of a worker, which repeats them until they are settled. They are taken in their order.
package struct WorkResults: Sendable, Hashable {
    package let group: String
    /// Counts a worker's messages of results, through all rounds.
    package let number: UInt64
    /// The number of the first that is not known to be settled.
    package let first: UInt64
    package let results: [WorkResult]

    package init(group: String, number: UInt64, first: UInt64, results: [WorkResult]) {
        self.group = group
        self.first = first
        self.number = number
        self.results = results
    }
}

/// Results that are taken, and on disk where there is one. It comes from time to time without any,
/// so that the loss of the very last message is noticed.
package struct WorkSettled: Sendable, Hashable {
    package let group: String
    package let round: UInt64
    /// The number of the last message of the round that brought or recalled something.
    package let lastNumber: UInt64
    /// The numbers of the results.
    package let numbers: [UInt64]
    /// Results from this number on are to be sent again: one is missing. Nil if none is.
    package let resendFrom: UInt64?
    /// How many events among them had been given to others meanwhile: their results mean nothing.
    package let staleCount: UInt64

    package init(
        group: String, round: UInt64, lastNumber: UInt64, numbers: [UInt64] = [],
        resendFrom: UInt64? = nil, staleCount: UInt64 = 0
    ) {
        self.group = group
        self.round = round
        self.lastNumber = lastNumber
        self.numbers = numbers
        self.resendFrom = resendFrom
        self.staleCount = staleCount
    }
}

/// What a worker has not begun is wanted back.
package struct WorkRecall: Sendable, Hashable {
    package let group: String
    package let round: UInt64
    package let number: UInt64
    package let stream: StreamName
    package let lane: Int
    /// What it has under this fence, or a lower one.
    package let fence: UInt64

    package init(
        group: String, round: UInt64, number: UInt64, stream: StreamName, lane: Int, fence: UInt64
    ) {
        self.group = group
        self.round = round
        self.number = number
        self.stream = stream
        self.lane = lane
        self.fence = fence
    }
}

/// A worker takes more or less at once from now on; with nothing, it is about to leave.
package struct WorkResize: Sendable, Hashable {
    package let group: String
    package let round: UInt64
    package let window: WorkWindow

    package init(group: String, round: UInt64, window: WorkWindow) {
        self.group = group
        self.round = round
        self.window = window
    }
}
