import MartletCore
import Synchronization

/// A bounded queue from a thread that must not wait to one asynchronous consumer.
///
/// The producer hands over batches and learns whether to stop; the consumer takes all there is at
/// once. A consumer that waits is told to look, never handed anything, so that one that is
/// cancelled at the same moment has consumed nothing.
final class Inbox<Element: Sendable>: Sendable {
    /// What happens beyond the bound.
    enum Overflow: Sendable {
        /// Everything is kept; `push` says when the producer should stop.
        case keepAll
        /// The oldest elements make room, and are counted.
        case dropOldest
    }

    private struct State: Sendable {
        var elements: [Element] = []
        var byteCount = 0
        var dropped = 0
        var isClosed = false
        /// The producer was told to stop, and wants to know when there is room.
        var isProducerPaused = false
        var consumer: CheckedContinuation<Void, Never>?
    }

    let bound: Int
    let byteBound: Int
    private let overflow: Overflow
    private let state = Lock(State())

    init(bound: Int, byteBound: Int, overflow: Overflow) {
        self.bound = bound
        self.byteBound = byteBound
        self.overflow = overflow
    }

    /// Adds a batch. False when the bound is reached: add nothing more until `take` has reported
    /// room to its caller.
    @discardableResult
    func push(_ batch: [Element], byteCount: Int) -> Bool {
        let (hasRoom, consumer) = state.withLock { state in
            if !state.isClosed {
                if state.elements.isEmpty {
                    state.elements = batch
                } else {
                    state.elements.append(contentsOf: batch)
                }
                state.byteCount += byteCount
            }
            let excess = state.elements.count - bound
            if overflow == .dropOldest, excess > 0 {
                state.elements.removeFirst(excess)
                state.dropped += excess
            }
            let isFull = state.elements.count >= bound || state.byteCount >= byteBound
            state.isProducerPaused = isFull && overflow == .keepAll
            return (!state.isProducerPaused, state.consumer.take())
        }
        consumer?.resume()
        return hasRoom
    }

    /// Puts elements back that were taken last and not used.
    func putBack(_ elements: ArraySlice<Element>, byteCount: Int) {
        guard !elements.isEmpty else { return }
        state.withLock { state in
            state.elements.insert(contentsOf: elements, at: 0)
            state.byteCount += byteCount
        }
    }

    /// No further elements come; those that are here can still be taken.
    func close() {
        let consumer = state.withLock { state in
            state.isClosed = true
            return state.consumer.take()
        }
        consumer?.resume()
    }

    /// Whether the producer was told to stop and has no room yet.
    var isProducerPaused: Bool { state.withLock { $0.isProducerPaused } }

    /// Whether somebody waits for elements.
    var hasWaitingConsumer: Bool { state.withLock { $0.consumer != nil } }

    /// Elements that made room for newer ones.
    var dropped: Int { state.withLock { $0.dropped } }

    /// All elements there are, at least one, or nil after the end. `onRoom` is called when the
    /// producer had been told to stop and may go on.
    func take(onRoom: () -> Void = {}) async throws(MartletError) -> [Element]? {
        while true {
            switch try tryTake(onRoom: onRoom) {
            case .some(let taken): return taken.isEmpty ? nil : taken
            case .none: await waitForChange()
            }
            if Task.isCancelled {
                throw MartletError(.cancelled, "The task was cancelled while it waited to receive.")
            }
        }
    }

    /// What is there; empty after the end, nil when there is nothing yet.
    private func tryTake(onRoom: () -> Void) throws(MartletError) -> [Element]? {
        let (taken, wasPaused, isTaken) = state.withLock { state -> ([Element]?, Bool, Bool) in
            guard state.consumer == nil else { return (nil, false, true) }
            if state.elements.isEmpty { return (state.isClosed ? [] : nil, false, false) }
            var taken: [Element] = []
            swap(&taken, &state.elements)
            state.byteCount = 0
            let wasPaused = state.isProducerPaused
            state.isProducerPaused = false
            return (taken, wasPaused, false)
        }
        if isTaken {
            throw MartletError(
                .wrongState, "Another task receives here. Let one task receive and share its work.")
        }
        if wasPaused { onRoom() }
        return taken
    }

    private func waitForChange() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let hasChanged = state.withLock { state in
                    // Cancellation sets the flag before it calls the handler, so that one of the
                    // two sees the other.
                    if !state.elements.isEmpty || state.isClosed || Task.isCancelled { return true }
                    state.consumer = continuation
                    return false
                }
                if hasChanged { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.consumer.take() }?.resume()
        }
    }
}
