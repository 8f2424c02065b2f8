public import MartletCore
import Synchronization

/// A link between two ends in one process, without a network: for tests of code that talks through
/// `Link`. It keeps every promise of one; `LinkConformance` sees to that.
public final class SimulatedLink: Sendable {
    private let outgoing: SimulatedDirection
    private let incoming: SimulatedDirection

    private init(_ outgoing: SimulatedDirection, _ incoming: SimulatedDirection) {
        self.outgoing = outgoing
        self.incoming = incoming
    }

    /// Two ends, each of which receives what the other sends. So many messages may wait in either
    /// direction.
    public static func pair(bound: Int = 64) -> (SimulatedLink, SimulatedLink) {
        precondition(bound > 0, "a link needs room for a message")
        let (there, back) = (SimulatedDirection(bound: bound), SimulatedDirection(bound: bound))
        return (SimulatedLink(there, back), SimulatedLink(back, there))
    }

    /// Closes both directions. What has arrived at either end can still be taken.
    public func close() {
        outgoing.close()
        incoming.close()
    }
}

extension SimulatedLink: SendingLink {
    /// Queues a message, and suspends while the queue is full (`SendingLink.send`).
    public func send(_ message: Multipart) async throws(MartletError) {
        try await outgoing.send(message)
    }

    /// Queues a message if there is room (`SendingLink.offer`).
    public func offer(_ message: Multipart) throws(MartletError) -> Bool {
        try outgoing.offer(message)
    }
}

extension SimulatedLink: ReceivingLink {
    /// The messages that have arrived, at least one (`ReceivingLink.receive`).
    public func receive() async throws(MartletError) -> [Multipart]? {
        try await incoming.receive()
    }
}

/// Messages on their way from one end to the other.
private final class SimulatedDirection: Sendable {
    private struct State: Sendable {
        var messages: [Multipart] = []
        var isClosed = false
        var receiver: CheckedContinuation<Void, Never>?
        /// Those that wait for room, by the order in which they came.
        var senders: [(number: Int, continuation: CheckedContinuation<Void, Never>)] = []
        var lastSender = 0
    }

    private let bound: Int
    private let state = Mutex(State())

    init(bound: Int) { self.bound = bound }

    func offer(_ message: Multipart) throws(MartletError) -> Bool {
        let (isTaken, receiver) = try state.withLock { (state) throws(MartletError) in
            guard !state.isClosed else {
                throw MartletError(.closed, "The link is closed. Make another pair.")
            }
            guard state.messages.count < bound else {
                return (false, nil as CheckedContinuation<Void, Never>?)
            }
            state.messages.append(message)
            return (true, state.receiver.take())
        }
        receiver?.resume()
        return isTaken
    }

    func send(_ message: Multipart) async throws(MartletError) {
        while try !offer(message) {
            await waitForRoom()
            if Task.isCancelled {
                throw MartletError(
                    .cancelled, "The task was cancelled while it waited to send; nothing was sent.")
            }
        }
    }

    private func waitForRoom() async {
        let number = state.withLock { state in
            state.lastSender += 1
            return state.lastSender
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.isClosed || state.messages.count < bound || Task.isCancelled {
                        return true
                    }
                    state.senders.append((number, continuation))
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { state in
                let place = state.senders.firstIndex { $0.number == number }
                return place.map { state.senders.remove(at: $0).continuation }
            }?.resume()
        }
    }

    func receive() async throws(MartletError) -> [Multipart]? {
        while true {
            let (messages, senders, isClosed) = state.withLock { state in
                let taken = (state.messages, state.senders.map(\.continuation), state.isClosed)
                state.messages = []
                state.senders = []
                return taken
            }
            for sender in senders { sender.resume() }
            if !messages.isEmpty { return messages }
            if isClosed { return nil }
            guard await waitForMessages() else {
                throw MartletError(
                    .wrongState, "Another task receives from this link. Let one task receive.")
            }
            if Task.isCancelled {
                throw MartletError(
                    .cancelled, "The task was cancelled while it waited; nothing was consumed.")
            }
        }
    }

    /// False when somebody else waits already.
    private func waitForMessages() async -> Bool {
        let isOnly = Atomic<Bool>(true)
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if !state.messages.isEmpty || state.isClosed || Task.isCancelled {
                        return true
                    }
                    guard state.receiver == nil else {
                        isOnly.store(false, ordering: .relaxed)
                        return true
                    }
                    state.receiver = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.receiver.take() }?.resume()
        }
        return isOnly.load(ordering: .relaxed)
    }

    func close() {
        let waiting = state.withLock { state in
            state.isClosed = true
            defer {
                state.senders = []
                state.receiver = nil
            }
            return state.senders.map(\.continuation) + [state.receiver].compactMap { $0 }
        }
        for continuation in waiting { continuation.resume() }
    }
}
