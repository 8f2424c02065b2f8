internal import MartletDelivery
import Synchronization

/// Those who wait until somebody is there.
extension PublishingCore {
    /// Waits until so many nodes read the stream, or, without one, any stream at all.
    func waitForReaders(
        atLeast count: Int, of stream: StreamName?
    ) async throws(MartletError) {
        while true {
            let changes = readers.changes
            if state.withLock({ $0.machine.readerCount(of: stream) }) >= count { return }
            switch await readers.wait(since: changes) {
            case .changed, .timedOut: continue
            case .closed: throw Outlet.closedError
            case .cancelled:
                throw MartletError(
                    .cancelled, "The task was cancelled while it waited for subscribers.")
            }
        }
    }

    /// Waits until so many nodes work for a group.
    func waitForWorkers(of group: String, atLeast count: Int) async throws(MartletError) {
        while true {
            let changes = progress.changes
            if state.withLock({ $0.work.workerCount(of: group) }) >= count { return }
            switch await progress.wait(since: changes) {
            case .changed, .timedOut: continue
            case .closed: throw Outlet.closedError
            case .cancelled:
                throw MartletError(
                    .cancelled, "The task was cancelled while it waited for workers.")
            }
        }
    }
}
