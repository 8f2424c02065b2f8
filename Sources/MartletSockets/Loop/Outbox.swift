import MartletCore
import Synchronization

/// A bounded queue of messages from many tasks to the loop.
///
/// Senders that find it full wait in line with their message; the loop takes all there is and lets
/// the next in line move up, so that nobody overtakes.
final class Outbox: Sendable {
    private struct Waiter: Sendable {
        let number: UInt64
        let message: Multipart
        let continuation: CheckedContinuation<Outcome, Never>
    }

    private enum Outcome: Sendable { case queued, closed, cancelled }

    private struct State: Sendable {
        var messages: [Multipart] = []
        var byteCount = 0
        var isClosed = false
        var waiters: [Waiter] = []
        var nextNumber: UInt64 = 0

        func hasRoom(for message: Multipart, bound: Int, byteBound: Int) -> Bool {
            // One message is always accepted, however large: otherwise it would wait for ever.
            messages.isEmpty
                || (messages.count < bound && byteCount + message.byteCount <= byteBound)
        }

        mutating func append(_ message: Multipart) {
            byteCount += message.byteCount
            messages.append(message)
        }
    }

    private let bound: Int
    private let byteBound: Int
    private let state = Lock(State())

    init(bound: Int, byteBound: Int) {
        self.bound = bound
        self.byteBound = byteBound
    }

    /// Queues a message if there is room and nobody is in line.
    func offer(_ message: Multipart) throws(MartletError) -> Bool {
        let outcome = state.withLock { state -> Bool? in
            if state.isClosed { return nil }
            guard state.waiters.isEmpty,
                state.hasRoom(for: message, bound: bound, byteBound: byteBound)
            else { return false }
            state.append(message)
            return true
        }
        guard let outcome else { throw Outbox.closedError }
        return outcome
    }

    /// Queues a message, after those in line.
    func send(_ message: Multipart) async throws(MartletError) {
        if try offer(message) { return }
        let number = state.withLock { state in
            state.nextNumber += 1
            return state.nextNumber
        }
        let outcome = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waiter = Waiter(number: number, message: message, continuation: continuation)
                if let outcome = join(waiter) { continuation.resume(returning: outcome) }
            }
        } onCancel: {
            cancel(number)
        }
        switch outcome {
        case .queued: return
        case .closed: throw Outbox.closedError
        case .cancelled:
            throw MartletError(
                .cancelled, "The task was cancelled while it waited to send; nothing was sent.")
        }
    }

    /// Everything queued, in order; those in line move up.
    func takeAll() -> [Multipart] {
        let (messages, admitted) = state.withLock { state -> ([Multipart], [Waiter]) in
            var taken: [Multipart] = []
            swap(&taken, &state.messages)
            state.byteCount = 0
            var admitted = 0
            for waiter in state.waiters {
                guard state.hasRoom(for: waiter.message, bound: bound, byteBound: byteBound) else {
                    break
                }
                state.append(waiter.message)
                admitted += 1
            }
            let movedUp = Array(state.waiters.prefix(admitted))
            state.waiters.removeFirst(admitted)
            return (taken, movedUp)
        }
        for waiter in admitted { waiter.continuation.resume(returning: .queued) }
        return messages
    }

    /// How many bytes may still be queued.
    var room: Int { state.withLock { max(0, byteBound - $0.byteCount) } }

    /// How many senders are in line.
    var waiting: Int { state.withLock { $0.waiters.count } }

    /// Whether nothing is queued and nobody is in line.
    var isEmpty: Bool { state.withLock { $0.messages.isEmpty && $0.waiters.isEmpty } }

    /// Refuses further messages, and turns away those in line. What is queued can still be taken.
    func close() {
        let waiters = state.withLock { state in
            state.isClosed = true
            let waiters = state.waiters
            state.waiters = []
            return waiters
        }
        for waiter in waiters { waiter.continuation.resume(returning: .closed) }
    }

    /// Gets in line, unless the outcome is known already.
    private func join(_ waiter: Waiter) -> Outcome? {
        state.withLock { state in
            // Cancellation sets the flag before it calls the handler, so that one of the two sees
            // the other.
            if Task.isCancelled { return .cancelled }
            if state.isClosed { return .closed }
            if state.waiters.isEmpty,
                state.hasRoom(for: waiter.message, bound: bound, byteBound: byteBound)
            {
                state.append(waiter.message)
                return .queued
            }
            state.waiters.append(waiter)
            return nil
        }
    }

    private func cancel(_ number: UInt64) {
        let waiter = state.withLock { state -> Waiter? in
            guard let place = state.waiters.firstIndex(where: { $0.number == number }) else {
                return nil
            }
            return state.waiters.remove(at: place)
        }
        waiter?.continuation.resume(returning: .cancelled)
    }

    private static let closedError = MartletError(
        .closed, "The link is closed. Open a new one to send again.")
}
