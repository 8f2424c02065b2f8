internal import MartletDelivery

/// A subscription as the engine sees it. On the loop's thread.
final class Reading {
    let source: SubscriptionSource
    let selection: StreamSelection
    let start: FanoutReader.Start
    let buffering: Buffering
    let began: MonotonicTime
    /// How far it had got at peers that were forgotten.
    var resumed = ResumedPositions()
    /// The peers at which it is in force.
    var inForce: Set<Int> = []
    /// It begins behind positions, and has not been told of those whose node is not there.
    var mayBeBehindNobody = true
    /// Since when it is in force by the wall clock; nil before.
    var readySince: Timestamp?
    /// It cannot go on, which whoever reads is told.
    var hasEnded = false
    /// What has come since things were handed over last.
    var items: [SubscriptionQueue.Item] = []

    init(
        _ source: SubscriptionSource, to selection: StreamSelection, from start: FanoutReader.Start,
        _ buffering: Buffering, at now: MonotonicTime
    ) {
        self.source = source
        self.selection = selection
        self.start = start
        self.buffering = buffering
        began = now
    }
}
