internal import MartletDelivery
internal import MartletSockets

/// How long the loop's thread has been on its errand, as the one who watches sees it.
struct LoopAbsence {
    let loop: SocketLoop?
    private var errand: UInt64?
    private var seenAt = NodeClock.now

    init(_ loop: SocketLoop?) { self.loop = loop }

    /// Stands in for the loop's thread if it has been on the same errand for too long.
    mutating func standInIfLong() {
        guard let loop, let current = loop.errand else {
            errand = nil
            return
        }
        let now = NodeClock.now
        if current != errand { (errand, seenAt) = (current, now) }
        guard now >= seenAt + Limits.errandPatience else { return }
        loop.standIn(during: current)
    }
}
