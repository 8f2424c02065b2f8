import Dispatch
public import MartletCommandLine
internal import Synchronization

/// The lines of a file or of standard input, for tasks: a thread of its own reads, and waits while
/// nobody takes what it has read.
public final class LineFeed: Sendable {
    /// A line and its number; the reason why there are no more.
    public enum Item: Sendable {
        case line(LineReader.Line, number: Int)
        case failure(CommandFailure)
    }

    private struct State: Sendable {
        var items: [Item] = []
        var isAtEnd = false
        var consumer: CheckedContinuation<Void, Never>?
    }

    private static let itemsMax = 1_024
    private let state = Mutex(State())
    private let room = DispatchSemaphore(value: 0)

    /// The lines of a file, `-` for standard input. With `follows` the end of the file is not the
    /// end: what is added is read, and a file that takes its place.
    public init(_ name: String, lineBytesMax: Int, follows: Bool = false) {
        let thread = DispatchQueue(label: "martlet-lines")
        thread.async { [self] in read(name, lineBytesMax, follows) }
    }

    /// The lines that have come, one at least; nil behind the last, or when the task is cancelled.
    public func next() async -> [Item]? {
        while true {
            let (items, isAtEnd) = state.withLock { state in
                var items: [Item] = []
                swap(&items, &state.items)
                return (items, state.isAtEnd)
            }
            if !items.isEmpty {
                room.signal()
                return items
            }
            if isAtEnd || Task.isCancelled { return nil }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let isThere = state.withLock { state in
                        if !state.items.isEmpty || state.isAtEnd || Task.isCancelled { return true }
                        state.consumer = continuation
                        return false
                    }
                    if isThere { continuation.resume() }
                }
            } onCancel: {
                state.withLock { $0.consumer.take() }?.resume()
            }
        }
    }

    private func read(_ name: String, _ lineBytesMax: Int, _ follows: Bool) {
        do throws(CommandFailure) {
            var reader = try LineReader(name, lineBytesMax: lineBytesMax, follows: follows)
            while let line = try reader.next() { push(.line(line, number: reader.number)) }
        } catch { push(.failure(error)) }
        state.withLock { state in
            state.isAtEnd = true
            return state.consumer.take()
        }?.resume()
    }

    private func push(_ item: Item) {
        let (isFull, consumer) = state.withLock { state in
            state.items.append(item)
            return (state.items.count >= LineFeed.itemsMax, state.consumer.take())
        }
        consumer?.resume()
        // Taken signals that were for nothing are used up here, at the price of a look.
        if isFull { while state.withLock({ $0.items.count >= LineFeed.itemsMax }) { room.wait() } }
    }
}
