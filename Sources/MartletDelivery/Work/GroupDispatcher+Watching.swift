/// Those who want to know what becomes of an event.
extension GroupDispatcher {
    /// Somebody wants to know what becomes of an event that has not been published yet.
    mutating func watch(_ sequence: UInt64, of place: ChannelPlace) {
        guard let lane = lane(place) else {
            watchCount += 1
            earlyWatches[place, default: []].append(sequence)
            return
        }
        if lanes[lane].ledger.watch(sequence) { watchCount += 1 }
    }

    /// Nobody wants to know it any more.
    mutating func unwatch(_ sequence: UInt64, of place: ChannelPlace) {
        if let lane = lane(place) {
            if lanes[lane].ledger.unwatch(sequence) { watchCount -= 1 }
        } else if let early = earlyWatches[place]?.firstIndex(of: sequence) {
            earlyWatches[place]?.remove(at: early)
            watchCount -= 1
        }
    }

    /// Nothing more becomes of any event.
    mutating func endWatches() {
        for lane in lanes.indices {
            for sequence in lanes[lane].ledger.takeWatched() {
                effects.append(
                    .ended(lanes[lane].channel, WorkEnding(sequence: sequence, fate: .skipped)))
            }
        }
        for (place, sequences) in earlyWatches {
            let channel = Channel(node: instance.node, stream: place.stream, lane: place.lane)
            for sequence in sequences {
                effects.append(.ended(channel, WorkEnding(sequence: sequence, fate: .skipped)))
            }
        }
        earlyWatches = [:]
        watchCount = 0
    }

    /// Tells of what has ended, as far as it is on disk.
    mutating func tellEndings() {
        for lane in lanes.indices {
            for ending in lanes[lane].takeEndings() {
                watchCount -= 1
                effects.append(.ended(lanes[lane].channel, ending))
            }
        }
    }
}
