/// Somebody who goes by a name wants to submit events.
package struct ProducerOpening: Sendable, Hashable {
    package let producer: String
    /// Tells those who go by one name from each other.
    package let random: UInt32
    /// The epoch in which it has been opened before; nil at first.
    package let epoch: Epoch?

    package init(producer: String, random: UInt32, epoch: Epoch?) {
        self.producer = producer
        self.random = random
        self.epoch = epoch
    }
}

/// The answer to it.
package struct ProducerOpened: Sendable, Hashable {
    package let producer: String
    /// Nil if it may submit.
    package let refusal: SubmissionRefusal?
    /// The epoch in which it may.
    package let epoch: Epoch
    /// The number of its next event; all before are stored.
    package let next: UInt64
    /// Where its latest events stand.
    package let runs: [SubmittedRun]
    /// The streams that take its events.
    package let streams: [StreamName]

    package init(
        producer: String, refusal: SubmissionRefusal? = nil, epoch: Epoch, next: UInt64,
        runs: [SubmittedRun] = [], streams: [StreamName] = []
    ) {
        self.producer = producer
        self.refusal = refusal
        self.epoch = epoch
        self.next = next
        self.runs = runs
        self.streams = streams
    }
}

/// Why nothing is taken from a producer.
package struct SubmissionRefusal: Sendable, Hashable, Error {
    /// The reasons.
    package enum Code: UInt8, Sendable, Hashable {
        /// Another one has opened the producer since.
        case replaced = 1
        /// There are too many producers.
        case full = 2
        /// The node takes no events from others.
        case unavailable = 3
        /// An event cannot be stored, ever.
        case invalid = 4
    }

    package let code: Code
    package let text: String

    package init(_ code: Code, _ text: String) {
        self.code = code
        self.text = text
    }
}

extension SubmissionRefusal {
    static let replaced = SubmissionRefusal(
        .replaced, "Another one has opened this producer since.")
    static let forgotten = SubmissionRefusal(
        .replaced, "The node does not know this producer any more.")
}
