internal import MartletDelivery
internal import MartletSockets
import Synchronization

/// The thread that reads from the storage for those who ask for the past, so that nobody who
/// publishes or receives waits for the disk.
final class StorageReader: Sendable {
    private struct State {
        var requests: [Request] = []
        var isClosing = false
    }

    private enum Request: Sendable {
        case fetch(StoredRequest)
        case work(WorkRead)
    }

    private let storage: any Storage
    private let signal = ThreadSignal()
    private let state = Lock(State())

    /// Requests that wait. Who is turned away asks again.
    private static let requestsMax = 4_096

    init(_ storage: any Storage) { self.storage = storage }

    /// Begins to answer. The core is told on the reader's thread.
    func start(_ core: PublishingCore?) throws(MartletError) {
        let answered: @Sendable (Request) -> Void = { [weak core, self] request in
            switch request {
            case .fetch(let fetch): core?.answered(fetch, answer(fetch))
            case .work(let read): core?.answered(read, answer(read), first: first(of: read.channel))
            }
        }
        try DedicatedThread.start(named: "martlet-read") { [self] in
            while true {
                let (requests, isClosing) = state.withLock { state in
                    defer { state.requests = [] }
                    return (state.requests, state.isClosing)
                }
                if isClosing { return }
                for request in requests { answered(request) }
                if requests.isEmpty { signal.wait(atMost: .seconds(60)) }
            }
        }
    }

    /// Asks.
    func ask(_ requests: [StoredRequest]) {
        guard !requests.isEmpty else { return }
        state.withLock { state in
            let room = StorageReader.requestsMax - state.requests.count
            state.requests += requests.prefix(max(0, room)).map { .fetch($0) }
        }
        signal.raise()
    }

    /// Asks for a group. There is one such question for each channel at most.
    func ask(_ read: WorkRead) {
        state.withLock { $0.requests.append(.work(read)) }
        signal.raise()
    }

    private func answer(_ read: WorkRead) -> StoredAnswer {
        do throws(MartletError) {
            return .events(
                try storage.read(
                    read.channel, from: read.from, byteCountMax: Limits.fetchBytes))
        } catch { return .failed }
    }

    /// The first event of a channel that is kept.
    private func first(of channel: Channel) -> UInt64 {
        storage.channels.first { $0.channel == channel }?.first ?? 1
    }

    /// Ends; what is asked is answered no more.
    func close() {
        state.withLock { $0.isClosing = true }
        signal.raise()
    }

    private func answer(_ request: StoredRequest) -> StoredAnswer {
        do throws(MartletError) {
            switch request.question {
            case .events(let sequence, let byteCountMax):
                return .events(
                    try storage.read(
                        request.channel, from: sequence, byteCountMax: byteCountMax))
            case .time(let time):
                return .sequence(try storage.sequence(at: time, of: request.channel))
            case nil: return .failed
            }
        } catch { return .failed }
    }
}
