internal import MartletDelivery
import Synchronization

/// What producers submit, on its way from the loop that hears of it to whoever stores it.
final class SubmissionIntake: Sendable {
    private struct State {
        var requests: [ProducerRequest] = []
        /// Bytes of all that waits, also on the thread.
        var byteCount = 0
    }

    /// What has come since somebody was told.
    enum News {
        case nothing
        /// One request of few bytes.
        case little
        case much
    }

    private let state = Lock(State())
    /// Whether there are news: most turns of a loop bring none.
    private let hasNews = Atomic<Bool>(false)

    /// Requests have come. Those for which there is no room are returned.
    func add(_ requests: [ProducerRequest]) -> [ProducerRequest] {
        state.withLock { state in
            var refused: [ProducerRequest] = []
            for request in requests {
                let isFull = state.byteCount >= Limits.submissionsWaitingBytes
                guard !isFull, state.requests.count < Limits.producersMax else {
                    refused.append(request)
                    continue
                }
                state.requests.append(request)
                state.byteCount += request.byteCount
                hasNews.store(true, ordering: .relaxed)
            }
            return refused
        }
    }

    /// What has come, for whoever tells. In the loop.
    func takeNews() -> News {
        guard hasNews.load(ordering: .relaxed) else { return .nothing }
        hasNews.store(false, ordering: .relaxed)
        return state.withLock { state in
            guard let first = state.requests.first else { return .nothing }
            let isAlone = state.requests.count == 1
            return isAlone && first.byteCount <= Limits.errandBytes ? .little : .much
        }
    }

    /// What has come since the last time, while so many bytes of what came before still wait.
    func take(beside waitingBytes: Int) -> [ProducerRequest] {
        state.withLock { state in
            defer {
                state.byteCount = waitingBytes + state.requests.reduce(0) { $0 + $1.byteCount }
                state.requests = []
            }
            return state.requests
        }
    }
}
