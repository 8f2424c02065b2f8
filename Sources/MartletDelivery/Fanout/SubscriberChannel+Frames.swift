/// What comes, in its order or not.
extension SubscriberChannel {
    mutating func take(
        published frame: Frame, at now: MonotonicTime, _ effects: inout [Effect]
    ) {
        // The numbers of a slice have holes that nothing would tell of.
        guard !frame.header.isSlice else { return }
        if silentSince != nil { silentSince = now }
        guard let epoch, phase == .following else {
            // The answer to the first request says what they are worth.
            if !frame.isBeat { held.insert(.init(frame: frame, isFetched: false)) }
            return
        }
        if frame.header.epoch < epoch {
            stale += 1
            return
        }
        guard frame.header.epoch == epoch else {
            // A later epoch. Its frames are fetched once the publisher has confirmed it.
            if request == nil { ask(at: now, &effects) }
            return
        }
        if frame.isBeat {
            heardNext = max(heardNext, frame.header.firstSequence)
        } else {
            accept(.init(frame: frame, isFetched: false), &effects)
        }
        fill(at: now, &effects)
    }

    /// Takes a frame that came over PUB if all that is to be done about it is to hand it on from
    /// its first event: almost always. It does what `handle` would.
    mutating func pass(_ frame: Frame) -> Bool {
        guard phase == .following, frame.header.epoch == epoch,
            frame.header.firstSequence == expected, !frame.isBeat, !frame.header.isSlice,
            !isBehind, request == nil, silentSince == nil, held.isEmpty,
            heardNext <= frame.sequences.upperBound,
            buffered == 0 || buffered + frame.bytes.count <= bufferByteCountMax
        else { return false }
        buffered += frame.bytes.count
        expected = frame.sequences.upperBound
        heardNext = expected
        return true
    }

    mutating func take(fetched frame: Frame, _ effects: inout [Effect]) {
        guard !frame.isBeat, !frame.header.isSlice, frame.channel == channel else { return }
        if phase == .connecting, case .behind(let epoch, let sequence) = start,
            epoch == frame.header.epoch || isDurable
        {
            begin(epoch, at: sequence + 1, &effects)
        }
        adopt(frame.header.epoch)
        // What is on disk is one history, of which the publisher has said that it has all before.
        guard phase == .following, frame.header.epoch == epoch || isDurable else { return }
        accept(.init(frame: frame, isFetched: true), &effects)
    }

    /// A durable channel goes on in a later epoch.
    mutating func adopt(_ later: Epoch) {
        guard isDurable, phase == .following, let epoch, later > epoch else { return }
        self.epoch = later
    }

    mutating func begin(_ epoch: Epoch, at next: UInt64, _ effects: inout [Effect]) {
        self.epoch = epoch
        expected = next
        heardNext = max(heardNext, next)
        phase = .following
        effects.append(.started(epoch: epoch, next: next))
        keepHeld(of: epoch)
        deliverHeld(&effects)
    }

    /// What was held before the epoch was known may be of others.
    private mutating func keepHeld(of epoch: Epoch) {
        for entry in held.removeAll() where entry.frame.header.epoch == epoch {
            held.insert(entry)
            heardNext = max(heardNext, entry.frame.sequences.upperBound)
        }
    }

    private mutating func accept(_ entry: HeldFrames.Entry, _ effects: inout [Effect]) {
        let frame = entry.frame
        heardNext = max(heardNext, frame.sequences.upperBound)
        guard frame.sequences.upperBound > expected else {
            duplicates += 1
            return
        }
        guard frame.sequences.lowerBound <= expected else {
            held.insert(entry)
            return
        }
        guard !isBehind, hasRoom(for: frame) else { return }
        deliver(entry, &effects)
        deliverHeld(&effects)
    }

    /// Whether a frame may be delivered; if not, that is noted. One larger than the buffer goes
    /// alone.
    private mutating func hasRoom(for frame: Frame) -> Bool {
        isBehind = buffered > 0 && buffered + frame.bytes.count > bufferByteCountMax
        return !isBehind
    }

    private mutating func deliver(_ entry: HeldFrames.Entry, _ effects: inout [Effect]) {
        let frame = entry.frame
        buffered += frame.bytes.count
        if entry.isFetched { fetched += frame.sequences.upperBound - expected }
        effects.append(.deliver(frame, from: expected))
        expected = frame.sequences.upperBound
    }

    mutating func deliverHeld(_ effects: inout [Effect]) {
        while !isBehind, let entry = held.first, entry.frame.sequences.lowerBound <= expected {
            if entry.frame.sequences.upperBound > expected {
                guard hasRoom(for: entry.frame) else { return }
                deliver(entry, &effects)
            }
            held.removeFirst()
        }
    }

    /// Nobody will fill the holes: they are reported, and what is held behind them is delivered,
    /// whatever room there is. It has been within bounds all the time.
    mutating func releaseHeld(because reason: Gap.Reason, _ effects: inout [Effect]) {
        guard phase == .following else { return }
        while let entry = held.first {
            let frame = entry.frame
            held.removeFirst()
            guard frame.sequences.upperBound > expected else { continue }
            if frame.sequences.lowerBound > expected {
                lose(upTo: frame.sequences.lowerBound, reason, &effects)
            }
            deliver(entry, &effects)
        }
    }

    /// Nothing has come for so long that nobody knows whether anything will: said once. What comes
    /// after all is delivered.
    mutating func reportSilence(at now: MonotonicTime, _ effects: inout [Effect]) {
        guard let silentSince, now >= silentSince + Limits.publisherPatience else { return }
        self.silentSince = nil
        guard !isEndKnown else { return lose(upTo: heardNext, .unreachable, &effects) }
        guard let gap = loss(withEndKnown: false, because: .unreachable) else { return }
        effects.append(.lost(gap))
    }

    /// Reports what is missing before this number.
    mutating func lose(
        upTo next: UInt64, _ reason: Gap.Reason, _ effects: inout [Effect]
    ) {
        guard let epoch, next > expected else { return }
        effects.append(
            .lost(
                Gap(
                    channel: channel, epoch: epoch, first: expected, last: next - 1,
                    reason: reason)))
        expected = next
    }
}
