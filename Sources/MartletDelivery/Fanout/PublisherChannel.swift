/// A channel at the node that publishes it: what was sealed last, and what is to be said of it.
package struct PublisherChannel {
    /// What a request is answered with.
    enum Answer {
        /// Frames, and why there are no more.
        case frames([SealedFrame], FetchEnd)
        /// What the storage says of it.
        case stored(StoredAnswer.Question)
    }

    /// The channel.
    package let channel: Channel
    /// The epoch in which its events are numbered now.
    package private(set) var epoch: Epoch
    /// The number of the next event.
    package private(set) var next: UInt64 = 1
    private var ring = FrameRing()
    /// What the storage has; nil for a live channel.
    private var stored: StoredChannel?
    /// When something of the channel was last published.
    private var lastPublished: MonotonicTime?

    /// A live channel in a new epoch.
    package init(_ channel: Channel, _ epoch: Epoch) {
        self.channel = channel
        self.epoch = epoch
    }

    /// A durable channel that goes on in a new epoch.
    package init(_ stored: StoredChannel, _ epoch: Epoch) {
        channel = stored.channel
        self.epoch = epoch
        next = stored.next
        self.stored = stored
        self.stored?.raise(epoch)
    }

    /// Whether it is on disk.
    package var isDurable: Bool { stored != nil }

    /// The first sequence that can be fetched; the next to come if none can.
    package var first: UInt64 { stored?.first ?? ring.first ?? next }

    /// How many bytes of frames are kept.
    package var ringByteCount: Int { ring.byteCount }

    /// A frame has been sealed, and stored if the channel is durable, which must follow the last
    /// one. It is to be published.
    package mutating func seal(_ frame: SealedFrame, at now: MonotonicTime) {
        precondition(
            frame.lane == channel.lane && frame.sequences.lowerBound == next
                && !frame.sequences.isEmpty,
            "the frame does not follow the last one of its channel")
        next = frame.sequences.upperBound
        ring.append(frame)
        lastPublished = now
        guard stored != nil else { return }
        stored?.append(
            StoredFrame(
                channel: channel, epoch: epoch, sequences: frame.sequences, latest: frame.latest,
                bytes: frame.bytes))
    }

    /// The epoch was raised.
    mutating func raise(_ epoch: Epoch) {
        self.epoch = epoch
        stored?.raise(epoch)
    }

    /// What comes before this event is stored no more.
    mutating func forget(before first: UInt64) { stored?.first = min(first, next) }

    /// Forgets the oldest frame that is kept, and returns its size.
    mutating func forgetOldest() -> Int { ring.removeFirst() }

    /// The frames that are kept in memory.
    var ringFrames: [SealedFrame] { Array(ring.frames(from: 0)) }

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
        var builder = FrameBuilder(
            channel: channel, epoch: epoch, nextSequence: next, isDurable: isDurable)
        return builder.seal()
    }

    /// What is answered to a request. The budget allows one frame at least; the room may be too
    /// small for any, and then it is later.
    func answer(_ fetch: Fetch, budget: Int = .max, room: Int = .max) -> Answer {
        switch fetch.start {
        // Where it begins is said, and the frames asked for from there: who loses some of them
        // knows what it has lost.
        case .first: return .frames([], end(fetch, .more, first))
        case .now: return .frames([], end(fetch, .done, next))
        case .time(let time):
            guard stored == nil else { return .stored(.time(time)) }
            return .frames([], end(fetch, .more, ring.sequence(at: time) ?? next))
        case .behind(let epoch, let sequence):
            guard reaches(sequence, in: epoch) else {
                return .frames([], end(fetch, isDurable ? .diverged : .truncated, first))
            }
            guard sequence + 1 >= first else { return .frames([], end(fetch, .expired, first)) }
            let wanted = sequence + 1
            guard !isDurable || wanted >= ring.first ?? next else {
                let budget = min(Int(clamping: fetch.byteBudget), budget, room)
                return .stored(.events(from: wanted, byteCountMax: budget))
            }
            return send(wanted, fetch, budget, room)
        }
    }

    /// Whether the position is one of this history.
    private func reaches(_ sequence: UInt64, in epoch: Epoch) -> Bool {
        guard epoch != self.epoch else { return sequence < next }
        return stored?.reaches(sequence, in: epoch) ?? false
    }

    private func send(
        _ from: UInt64, _ fetch: Fetch, _ budget: Int, _ room: Int
    ) -> Answer {
        answer(with: ring.frames(from: from), from: from, to: fetch, next: next, budget, room)
    }

    /// What a request is answered with that the storage was asked about.
    func answer(
        _ fetch: Fetch, with answer: StoredAnswer, budget: Int, room: Int
    ) -> Answer {
        switch answer {
        case .sequence(let sequence):
            // What is stored may not be published yet.
            return .frames([], end(fetch, .more, min(max(sequence, first), next)))
        case .failed: return .frames([], end(fetch, .busy, next))
        case .events(let events):
            let sealed = events.frames.filter { $0.sequences.lowerBound < next }.map {
                SealedFrame(
                    lane: channel.lane, sequences: $0.sequences, latest: $0.latest, bytes: $0.bytes)
            }
            guard let first = sealed.first else {
                // It may have expired since it was asked for.
                guard events.frames.isEmpty else { return .frames([], end(fetch, .busy, next)) }
                let next = min(
                    max(events.damaged?.upperBound ?? self.first, self.first), self.next)
                return .frames([], end(fetch, events.damaged == nil ? .expired : .corrupt, next))
            }
            let end = sealed.last?.sequences.upperBound ?? next
            return self.answer(
                with: sealed, from: first.sequences.lowerBound, to: fetch, next: end, budget, room,
                isAll: end == next)
        }
    }

    private func answer(
        with source: some Sequence<SealedFrame>, from: UInt64, to fetch: Fetch, next: UInt64,
        _ budget: Int, _ room: Int, isAll: Bool = true
    ) -> Answer {
        let limit = min(fetch.upTo.map { $0 == .max ? .max : $0 + 1 } ?? .max, next)
        let budget = min(fetch.byteBudget, UInt64(max(0, budget)))
        let room = UInt64(max(0, room))
        var frames: [SealedFrame] = []
        var spent: UInt64 = 0
        var reached = from
        for frame in source {
            guard frame.sequences.lowerBound < limit else { break }
            let size = UInt64(frame.bytes.count)
            guard spent + size <= room else {
                return .frames(frames, end(fetch, frames.isEmpty ? .busy : .more, reached))
            }
            guard frames.isEmpty || spent + size <= budget, frames.count < Limits.fetchFrames else {
                return .frames(frames, end(fetch, .more, reached))
            }
            frames.append(frame)
            spent += size
            reached = frame.sequences.upperBound
        }
        let isDone = isAll || fetch.upTo.map { reached > $0 } ?? false
        return .frames(frames, end(fetch, isDone ? .done : .more, max(reached, from)))
    }

    private func end(_ fetch: Fetch, _ reason: FetchEnd.Reason, _ next: UInt64) -> FetchEnd {
        FetchEnd(request: fetch.request, reason: reason, epoch: epoch, next: next)
    }
}

/// What a storage says when a publisher has asked it.
package enum StoredAnswer: Sendable {
    /// What it is asked.
    package enum Question: Sendable, Hashable {
        /// The frames from an event on.
        case events(from: UInt64, byteCountMax: Int)
        /// The first event of a time or later.
        case time(Timestamp)
    }

    case events(StoredEvents)
    case sequence(UInt64)
    /// It could not be read just now.
    case failed
}
