internal import MartletDelivery
import Synchronization

/// How a node ends.
extension PublishingCore {
    /// How far the streams are that go to those who pull.
    var pushReports: [PushReport] { pushOutlets.map(\.report) }

    // MARK: The end

    /// Accepts no more events.
    func closeBuffers() {
        let open = buffers.withLock { buffers in
            isClosed.store(true, ordering: .relaxed)
            return Array(buffers.values)
        }
        for buffer in open { buffer.close() }
        readers.close()
    }

    /// Waits until everything has left and every reader is done with it. Who has not got on for as
    /// long as a session may be silent is not waited for. False if somebody is not done.
    @discardableResult
    func drain(within timeout: Duration) async -> Bool {
        let end = NodeClock.now + timeout
        while NodeClock.now < end {
            let changes = progress.changes
            let isDone = state.withLock { state in
                state.streams.allSatisfy(\.isDone) && state.machine.isDrained
                    && state.work.isDrained && pushReports.allSatisfy { $0.missing == 0 }
            }
            let patience = NodeClock.now + Limits.beatInterval * Limits.silentBeatsMax
            if isDone { return true }
            guard case .changed = await progress.wait(since: changes, until: min(end, patience))
            else { return false }
        }
        return false
    }

    /// Closes the data socket, and returns what is said to peers before the node goes.
    func close() -> [Outgoing] {
        outcomes.close()
        progress.close()
        return state.withLock { state in
            state.data = nil
            for push in pushOutlets { push.close() }
            let effects = state.machine.close()
            return carryOut(effects, &state).messages
        }
    }
}
