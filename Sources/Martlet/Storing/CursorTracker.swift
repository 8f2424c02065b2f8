internal import MartletDelivery
import Synchronization

/// How far a subscription has got that goes by a cursor: noted with each event that is handled, and
/// stored from time to time.
final class CursorTracker: Sendable {
    private struct State {
        var positions: [Channel: Position] = [:]
        /// Events since it was stored last.
        var events = 0
        var storedAt = NodeClock.now
    }

    let name: String
    private let writer: StorageWriter
    private let state: Lock<State>

    init(_ name: String, from positions: [Position], _ writer: StorageWriter) {
        self.name = name
        self.writer = writer
        var state = State()
        for position in positions { state.positions[position.channel] = position }
        self.state = Lock(state)
    }

    /// All events of a channel up to this one are handled.
    func reached(_ position: Position) {
        // Nobody honest counts so far, and it could not be stored.
        guard position.sequence <= Limits.sequenceMax else { return }
        let isDue = state.withLock { state in
            guard state.positions[position.channel] != position else { return false }
            state.positions[position.channel] = position
            state.events += 1
            return state.events == Limits.cursorEvents
        }
        if isDue { writer.tell() }
    }

    /// What is to be stored, if it is time.
    func takeDue(at now: MonotonicTime, orSooner: Bool) -> [Position]? {
        state.withLock { state in
            guard state.events > 0 else {
                state.storedAt = now
                return nil
            }
            guard
                orSooner || state.events >= Limits.cursorEvents
                    || now >= state.storedAt + Limits.cursorInterval
            else { return nil }
            (state.events, state.storedAt) = (0, now)
            return CursorTracker.sorted(state.positions)
        }
    }

    /// Where it stands.
    var positions: [Position] { state.withLock { CursorTracker.sorted($0.positions) } }

    private static func sorted(_ positions: [Channel: Position]) -> [Position] {
        positions.values.sorted { $0.description < $1.description }
    }
}
