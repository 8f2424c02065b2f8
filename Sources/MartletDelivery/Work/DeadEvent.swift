/// An event that a group has given up.
package struct DeadEvent: Sendable {
    /// Why.
    package enum Reason: String, Sendable, Hashable {
        /// A worker said that it must not be tried again.
        case rejected
        /// All attempts have failed.
        case failed
        /// It was alone with workers that fell silent, again and again.
        case lapsed
        /// Everything of its key is set aside until that is sent again.
        case parked
    }

    /// An attempt that failed.
    package struct Attempt: Sendable, Hashable {
        /// The node of the worker.
        package let worker: NodeID
        package let reason: String
        /// When that was heard.
        package let at: MonotonicTime
    }

    package let group: String
    package let reason: Reason
    /// The attempts that are remembered, the first ones first.
    package let attempts: [Attempt]
    /// How many there were.
    package let attemptCount: Int
    /// The event, in a frame of its own.
    package let event: RecordedEvent
}
