internal import MartletDelivery
internal import MartletSockets
import Synchronization

/// Where a stream leaves that goes to those who pull it.
final class PushOutlet: Sendable {
    private struct State: ~Copyable {
        var socket: Socket<Push>?
        /// A frame for which nobody had room.
        var pending: SealedFrame?
        var sent: UInt64 = 0
        /// How far those who pull are, and those who have pulled.
        var reports: [Instance: PullReport] = [:]
        var order: [Instance] = []
        var past = (handled: UInt64(0), dropped: UInt64(0))
    }

    let stream: StreamName
    let endpoint: Endpoint
    private let state: Lock<State>

    /// Those who have pulled and are remembered one by one.
    private static let reportsMax = 4_096
    /// Frames that wait at a socket for one who pulls: few, so that those who are slow get less.
    private static let highWaterMark = 32

    /// Binds a socket for a stream.
    init(
        _ stream: StreamName, _ socket: consuming sending Socket<Push>, at endpoint: Endpoint
    ) throws(MartletError) {
        try socket.set(.sendHighWaterMark, to: PushOutlet.highWaterMark)
        self.endpoint = try socket.bind(to: endpoint)
        self.stream = stream
        state = Lock(State(socket: socket))
    }

    /// Sends a frame. What nobody has room for waits, and nothing more may come.
    func send(_ frame: SealedFrame) {
        state.withLock { state in
            state.pending = frame
            PushOutlet.flush(&state)
        }
    }

    /// Whether nobody has room.
    var isBlocked: Bool {
        state.withLock { state in
            PushOutlet.flush(&state)
            return state.pending != nil
        }
    }

    private static func flush(_ state: inout State) {
        guard let frame = state.pending else { return }
        // Only a context that is closing refuses.
        guard (try? state.socket?.trySend(Multipart(frame.bytes))) ?? true else { return }
        state.sent += UInt64(frame.sequences.count)
        state.pending = nil
    }

    /// Somebody says how far it is.
    func take(_ report: PullReport, from instance: Instance) {
        state.withLock { state in
            if state.reports.updateValue(report, forKey: instance) == nil {
                state.order.append(instance)
            }
            guard state.order.count > PushOutlet.reportsMax else { return }
            let oldest = state.order.removeFirst()
            guard let last = state.reports.removeValue(forKey: oldest) else { return }
            state.past.handled += last.handled
            state.past.dropped += last.dropped
        }
    }

    var report: PushReport {
        state.withLock { state in
            let (handled, dropped) = state.reports.values.reduce(state.past) {
                ($0.0 &+ $1.handled, $0.1 &+ $1.dropped)
            }
            return PushReport(
                stream: stream, sent: state.sent, handled: handled, dropped: dropped)
        }
    }

    func close() { state.withLock { $0.socket = nil } }
}

/// How far a stream is that goes to those who pull it.
public struct PushReport: Sendable, Hashable {
    /// The stream.
    public let stream: StreamName
    /// Events that were sent to somebody.
    public let sent: UInt64
    /// Events whose handlers have returned, as those who pull have said.
    public let handled: UInt64
    /// Events whose handlers have thrown, or that nobody there wanted.
    public let dropped: UInt64

    /// Events that are on their way, or lost: which of the two nobody knows. It falls to 0 when all
    /// has come through.
    public var missing: UInt64 { sent - min(sent, handled &+ dropped) }
}
