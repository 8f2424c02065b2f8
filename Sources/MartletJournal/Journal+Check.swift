public import MartletCore

extension Journal {
    /// What is read at a time.
    private static let checkBytes = 4 * 1_048_576

    /// Reads everything, and names what is damaged.
    public func check(
        _ progress: (UInt64) -> Void
    ) throws(MartletError) -> [StorageDamage] {
        var damage: [StorageDamage] = []
        var byteCount: UInt64 = 0
        for stored in channels {
            var expected = stored.first
            while expected < stored.next {
                let events = try read(
                    stored.channel, from: expected, byteCountMax: Journal.checkBytes)
                byteCount += events.frames.reduce(0) { $0 + UInt64($1.bytes.count) }
                progress(byteCount)
                expected = max(expected, events.frames.last?.sequences.upperBound ?? 0)
                guard let range = events.damaged else {
                    guard !events.frames.isEmpty else { break }
                    continue
                }
                damage.append(
                    StorageDamage(
                        stored.channel, max(range.lowerBound, expected)..<range.upperBound,
                        "the frames are damaged, or not there"))
                expected = range.upperBound
            }
        }
        return damage
    }
}
