import MartletCommandLine
import MartletTools
import Synchronization

/// How much of something has been read, how fast, and how long the rest takes, for somebody who
/// watches.
final class ByteProgress: Sendable {
    private struct State {
        var byteCount: UInt64 = 0
        var shownAt = ContinuousClock.now
    }

    private let total: UInt64
    private let began = ContinuousClock.now
    private let state = Mutex(State())

    init(of total: UInt64) { self.total = total }

    var byteCount: UInt64 { state.withLock { $0.byteCount } }

    /// So much has been read.
    func show(_ byteCount: UInt64) {
        let now = ContinuousClock.now
        let isDue = state.withLock { state in
            state.byteCount = byteCount
            guard now - state.shownAt > .milliseconds(200) else { return false }
            state.shownAt = now
            return true
        }
        guard isDue, Terminal.isErrorsOne else { return }
        let rate = Double(byteCount) / Swift.max(Rate.seconds(now - began), 1e-3)
        let left = Double(total > byteCount ? total - byteCount : 0) / Swift.max(rate, 1)
        Output.errors.write(
            "\(Terminal.clearedLine)\(Rate.grouped(byteCount / 1_048_576)) of "
                + "\(Rate.grouped(total / 1_048_576)) MiB, \(Rate.shortened(rate / 1_048_576)) "
                + "MiB/s, \(Rate.shortened(left)) s left")
        Output.errors.flush()
    }

    func end() {
        if Terminal.isErrorsOne { Output.errors.write(Terminal.clearedLine) }
        Output.errors.flush()
    }
}
