/// The outgoing half of a link: the seam through which the layers above send whole messages.
public protocol SendingLink: Sendable {
    /// Queues a message, and suspends while the queue is full.
    ///
    /// Messages of one caller leave in the order of the calls. Cancelling while it waits throws
    /// `cancelled`, and the message was not queued; a closed link throws `closed`.
    func send(_ message: Multipart) async throws(MartletError)

    /// Queues a message if there is room, without waiting. False when the queue is full.
    func offer(_ message: Multipart) throws(MartletError) -> Bool
}

/// The incoming half of a link: the seam through which the layers above receive whole messages.
public protocol ReceivingLink: Sendable {
    /// The messages that have arrived, in order, at least one; suspends while there is none.
    ///
    /// A link has one consumer at a time; a second one throws `wrongState`. Cancelling while it
    /// waits throws `cancelled` and consumes nothing. Messages that nobody takes stay where they
    /// are until the bound is reached, and then with their senders. Nil once the link is closed
    /// and everything that arrived before has been handed over.
    func receive() async throws(MartletError) -> [Multipart]?
}

/// A two-way door to the network, or to a simulation of one.
public typealias Link = SendingLink & ReceivingLink
