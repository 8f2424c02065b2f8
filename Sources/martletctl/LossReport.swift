import Martlet
import MartletCommandLine
import MartletTools
import Synchronization

/// What was lost, said as it happens and counted for the end.
final class LossReport: Sendable {
    private struct State {
        var gaps = 0
        var events: UInt64 = 0
        var hasUncounted = false
    }

    private let state = Mutex(State())
    private let isSilent: Bool

    init(isSilent: Bool = false) { self.isSilent = isSilent }

    var isAny: Bool { state.withLock { $0.gaps > 0 } }

    /// How many events were lost, as far as that is known.
    var events: UInt64 { state.withLock { $0.events } }

    func add(_ gap: Gap) {
        state.withLock { state in
            state.gaps += 1
            if let last = gap.last {
                state.events &+= last - gap.first + 1
            } else {
                state.hasUncounted = true
            }
        }
        guard !isSilent else { return }
        // In its place between the events.
        Output.standard.flush()
        Output.errors.lines(ofOthers: "\(gap)")
        Output.errors.flush()
    }

    /// For the end.
    var text: String {
        state.withLock { state in
            let more = state.hasUncounted ? " or more" : ""
            return state.gaps == 0
                ? "none lost"
                : "\(Rate.grouped(state.events))\(more) lost in \(state.gaps) gaps"
        }
    }
}
