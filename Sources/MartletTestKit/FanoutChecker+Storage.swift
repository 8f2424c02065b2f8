internal import MartletDelivery

/// Lanes that are stored: one history through all lives of their publisher.
extension FanoutChecker {
    /// A frame is published, after it was stored.
    mutating func store(_ frame: Frame) throws(Violation) {
        let lane = frame.channel.lane
        let before = stored[lane]?.count ?? 0
        guard frame.sequences.lowerBound == UInt64(before) + 1 else {
            throw Violation(
                invariant: "I4",
                description: "lane \(lane) has a hole or a repeat behind \(before): "
                    + "\(frame.sequences)")
        }
        for event in frame { stored[lane, default: []].append(event.payload.text) }
        attempted += frame.count
    }

    /// The publisher has come back with these events: all that were published must be among them,
    /// and there may be more that were stored and not published yet.
    mutating func checkStored(_ payloads: [String], lane: Int) throws(Violation) {
        let before = stored[lane] ?? []
        guard payloads.count >= before.count else {
            throw Violation(
                invariant: "I1",
                description: "lane \(lane) had \(before.count) confirmed events, and has "
                    + "\(payloads.count)")
        }
        guard payloads.starts(with: before) else {
            throw Violation(
                invariant: "I3", description: "confirmed events of lane \(lane) have changed")
        }
        attempted += payloads.count - before.count
        stored[lane] = payloads
    }

    /// After a heal and some time, every reader has all there is.
    func checkDurableLag(readers: Int, lanes: Int) throws(Violation) {
        for reader in 0..<readers {
            for lane in 0..<lanes {
                guard let count = stored[lane]?.count, count > 0 else { continue }
                let next = nextDue(reader: reader, lane: lane)
                guard next == UInt64(count) + 1 else {
                    throw Violation(
                        invariant: "I22",
                        description: "reader \(reader) lane \(lane) stands at "
                            + "\(next.map { "\($0)" } ?? "nowhere"), and \(count + 1) is due")
                }
            }
        }
    }
}
