/// A frame that its publisher has sealed: the bytes, and what is asked about them.
package struct SealedFrame: Sendable {
    /// The channel's lane in its stream.
    package let lane: Int
    /// The numbers of its events.
    package let sequences: Range<UInt64>
    /// The latest time of an event of the channel, up to the end of this frame.
    package let latest: Timestamp
    /// The frame.
    package let bytes: Bytes

    /// What a builder has just sealed.
    package init(lane: Int, sequences: Range<UInt64>, latest: Timestamp, bytes: Bytes) {
        self.lane = lane
        self.sequences = sequences
        self.latest = latest
        self.bytes = bytes
    }

    /// The number of its first event of this time or later.
    func sequence(at time: Timestamp) -> UInt64? {
        // It was made here: whole, and not to be checked again.
        let frame = try? Frame(bytes, verifyingChecksum: false)
        return frame?.first { $0.time >= time }?.sequence
    }
}
