import MartletCore
import Synchronization

/// Sockets for others, while the loop sleeps.
extension SocketLoop {
    /// Hands over what a link has queued on the thread that calls, while the loop's own sleeps: one
    /// thread less must wake. False if the loop must see to it.
    nonisolated func flushIfAsleep(_ queues: LinkQueues) -> Bool {
        let isDone = baton.withLockIfAvailable { _ in
            guard let socket = queues.lent.socket else { return true }
            // Using a socket may take the news off its descriptor, for which the loop waits.
            return socket.flush() && !socket.isReady()
        }
        return isDone ?? false
    }
}
