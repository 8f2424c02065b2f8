import MartletCore
import Synchronization

/// A bounded queue from a thread that must not wait to one asynchronous consumer.
///
/// The producer hands over batches and learns whether to stop; the consumer takes what there is. A
/// consumer that waits is told to look, never handed anything, so that one that is cancelled at the
/// same moment has consumed nothing. Elements may be lent: they count until they have been used,
/// and those that were not go back.
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
        /// The size of what is here, and of what has been lent.
        var byteCount = 0
        var lentCount = 0
        var dropped = 0
        var isClosed = false
        /// The producer was told to stop, and wants to know when there is room.
        var isProducerPaused = false
        var consumer: CheckedContinuation<Void, Never>?
    }

    let bound: Int
    let byteBound: Int
    private let overflow: Overflow
    private let size: @Sendable (Element) -> Int
    private let state = Lock(State())

    /// - Parameter size: how many bytes an element counts for.
    init(
        bound: Int, byteBound: Int, overflow: Overflow,
        size: @escaping @Sendable (Element) -> Int = { _ in 0 }
    ) {
        self.bound = bound
        self.byteBound = byteBound
        self.overflow = overflow
        self.size = size
    }

    // MARK: The producer

    /// Adds a batch. False when the bound is reached: add nothing more until there is room, which
    /// the consumer's `onRoom` tells.
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
            switch overflow {
            case .keepAll: state.isProducerPaused = isFull(&state)
            case .dropOldest: dropExcess(&state)
            }
            return (!state.isProducerPaused, state.consumer.take())
        }
        consumer?.resume()
        return hasRoom
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

    private func isFull(_ state: inout sending State) -> Bool {
        state.elements.count + state.lentCount >= bound || state.byteCount >= byteBound
    }

    private func dropExcess(_ state: inout sending State) {
        var excess = max(0, state.elements.count - bound)
        var byteCount = state.byteCount - state.elements[..<excess].reduce(0) { $0 + size($1) }
        // One element always stays, however large.
        while byteCount > byteBound, excess < state.elements.count - 1 {
            byteCount -= size(state.elements[excess])
            excess += 1
        }
        state.elements.removeFirst(excess)
        state.byteCount = byteCount
        state.dropped += excess
    }

    // MARK: The consumer

    /// What there is, at least one element and at most `countMax`, or nil after the end. `onRoom`
    /// is called when the producer had been told to stop and may go on.
    ///
    /// Lent elements count towards the bound until `giveBack` says that they were used.
    func take(
        atMost countMax: Int = .max, lending: Bool = false, onRoom: () -> Void = {}
    ) async throws(MartletError) -> [Element]? {
        while true {
            if let taken = tryTake(countMax, lending, onRoom) { return taken.isEmpty ? nil : taken }
            guard await waitForChange() else {
                throw MartletError(
                    .wrongState,
                    "Another task receives here. Let one task receive and share its work.")
            }
            if Task.isCancelled { throw Inbox.cancelledError }
        }
    }

    /// What there is at this moment.
    func takeNow() -> [Element] { tryTake(.max, false, {}) ?? [] }

    /// Ends a loan, or a part of one: so many elements have been used, and the others come back.
    func giveBack(used: ArraySlice<Element>, unused: ArraySlice<Element> = [], onRoom: () -> Void) {
        let usedBytes = used.reduce(0) { $0 + size($1) }
        let (hasRoom, consumer) = state.withLock { state in
            state.lentCount -= used.count + unused.count
            state.byteCount -= usedBytes
            state.elements.insert(contentsOf: unused, at: 0)
            let hasRoom = state.isProducerPaused && !isFull(&state)
            if hasRoom { state.isProducerPaused = false }
            return (hasRoom, unused.isEmpty ? nil : state.consumer.take())
        }
        if hasRoom { onRoom() }
        consumer?.resume()
    }

    static var cancelledError: MartletError {
        MartletError(.cancelled, "The task was cancelled while it waited to receive.")
    }

    /// What is there; empty after the end, nil when there is nothing yet.
    private func tryTake(_ countMax: Int, _ lending: Bool, _ onRoom: () -> Void) -> [Element]? {
        let (taken, hasRoom) = state.withLock { state -> ([Element]?, Bool) in
            if state.elements.isEmpty { return (state.isClosed ? [] : nil, false) }
            var taken: [Element] = []
            if countMax >= state.elements.count {
                swap(&taken, &state.elements)
            } else {
                taken = Array(state.elements.prefix(countMax))
                state.elements.removeFirst(countMax)
            }
            if lending {
                state.lentCount += taken.count
            } else if state.elements.isEmpty, state.lentCount == 0 {
                state.byteCount = 0
            } else {
                state.byteCount -= taken.reduce(0) { $0 + size($1) }
            }
            let hasRoom = state.isProducerPaused && !isFull(&state)
            if hasRoom { state.isProducerPaused = false }
            return (taken, hasRoom)
        }
        if hasRoom { onRoom() }
        return taken
    }

    /// False when somebody else waits already.
    private func waitForChange() async -> Bool {
        let isOnly = Atomic<Bool>(true)
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isWaiting = state.withLock { state in
                    // Cancellation sets the flag before it calls the handler, so that one of the
                    // two sees the other.
                    if !state.elements.isEmpty || state.isClosed || Task.isCancelled {
                        return false
                    }
                    guard state.consumer == nil else {
                        isOnly.store(false, ordering: .relaxed)
                        return false
                    }
                    state.consumer = continuation
                    return true
                }
                if !isWaiting { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.consumer.take() }?.resume()
        }
        return isOnly.load(ordering: .relaxed)
    }
}
