/// A channel at the node that publishes it: what was sealed last, and what is to be said of it.
package struct PublisherChannel {
    /// The channel.
    package let channel: Channel
    /// The epoch in which its events are numbered.
    package let epoch: Epoch
    /// The number of the next event.
    package private(set) var next: UInt64 = 1
    private var ring = FrameRing()
    /// When something of the channel was last published.
    private var lastPublished: MonotonicTime?

    /// A live channel in a new epoch.
    package init(_ channel: Channel, _ epoch: Epoch) {
        self.channel = channel
        self.epoch = epoch
    }

    /// The first sequence that can be fetched; the next to come if none can.
    package var first: UInt64 { ring.first ?? next }

    /// How many bytes of frames are kept.
    package var ringByteCount: Int { ring.byteCount }

    /// A frame has been sealed, which must follow the last one. It is to be published.
    package mutating func seal(_ frame: SealedFrame, at now: MonotonicTime) {
        precondition(
            frame.lane == channel.lane && frame.sequences.lowerBound == next
                && !frame.sequences.isEmpty,
            "the frame does not follow the last one of its channel")
        next = frame.sequences.upperBound
        ring.append(frame)
        lastPublished = now
    }

    /// Forgets the oldest frame that is kept, and returns its size.
    mutating func forgetOldest() -> Int { ring.removeFirst() }

    /// All that had been published up to and with this event.
    func total(upTo sequence: UInt64) -> FrameTotal { ring.total(upTo: sequence) }

    /// When the next beat is due, if nothing is published before. A channel without events has
    /// none.
    package var beatDue: MonotonicTime? { lastPublished.map { $0 + Limits.beatInterval } }

    /// The beat that is due now, if one is: it tells the next sequence, so that the loss of the
    /// very last frame is noticed.
    package mutating func beat(at now: MonotonicTime) -> Bytes? {
        guard let beatDue, now >= beatDue else { return nil }
        lastPublished = now
        var builder = FrameBuilder(channel: channel, epoch: epoch, nextSequence: next)
        return builder.seal()
    }

    /// What is answered to a request: frames, and why there are no more. The budget allows one at
    /// least; the room may be too small for any, and then it is later.
    func answer(
        _ fetch: Fetch, budget: Int = .max, room: Int = .max
    ) -> (frames: [SealedFrame], end: FetchEnd) {
        switch fetch.start {
        // Where it begins is said, and the frames asked for from there: who loses some of them
        // knows what it has lost.
        case .first: return ([], end(fetch, .more, first))
        case .now: return ([], end(fetch, .done, next))
        case .time(let time): return ([], end(fetch, .more, ring.sequence(at: time) ?? next))
        case .behind(let epoch, let sequence):
            guard epoch == self.epoch, sequence < next else {
                return ([], end(fetch, .truncated, first))
            }
            guard sequence + 1 >= first else { return ([], end(fetch, .expired, first)) }
            return send(sequence + 1, fetch, budget, room)
        }
    }

    private func send(
        _ from: UInt64, _ fetch: Fetch, _ budget: Int, _ room: Int
    ) -> (frames: [SealedFrame], end: FetchEnd) {
        let limit = min(fetch.upTo.map { $0 == .max ? .max : $0 + 1 } ?? .max, next)
        let budget = min(fetch.byteBudget, UInt64(max(0, budget)))
        let room = UInt64(max(0, room))
        var frames: [SealedFrame] = []
        var spent: UInt64 = 0
        var reached = from
        for frame in ring.frames(from: from) {
            guard frame.sequences.lowerBound < limit else { break }
            let size = UInt64(frame.bytes.count)
            guard spent + size <= room else {
                return (frames, end(fetch, frames.isEmpty ? .busy : .more, reached))
            }
            guard frames.isEmpty || spent + size <= budget, frames.count < Limits.fetchFrames else {
                return (frames, end(fetch, .more, reached))
            }
            frames.append(frame)
            spent += size
            reached = frame.sequences.upperBound
        }
        return (frames, end(fetch, .done, max(reached, from)))
    }

    private func end(_ fetch: Fetch, _ reason: FetchEnd.Reason, _ next: UInt64) -> FetchEnd {
        FetchEnd(request: fetch.request, reason: reason, epoch: epoch, next: next)
    }
}
