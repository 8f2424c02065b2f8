/// What is asked, and what the answers mean.
extension SubscriberChannel {
    /// Asks for the hole before what is held, or before the end that was heard of.
    mutating func fill(at now: MonotonicTime, _ effects: inout [Effect]) {
        guard phase == .following, request == nil, attached != nil, !isBehind, let epoch,
            expected < heardNext
        else { return }
        let end = held.first.map { max($0.frame.sequences.lowerBound, expected + 1) } ?? heardNext
        ask(
            .behind(epoch: epoch, sequence: expected - 1), upTo: end - 1, at: now, &effects)
    }

    /// Asks where it stands: for the start, or for whatever follows the last event delivered.
    mutating func ask(at now: MonotonicTime, _ effects: inout [Effect]) {
        guard attached != nil else { return }
        guard !isBehind else {
            asksWhenThereIsRoom = true
            return
        }
        guard phase == .following, let epoch else {
            ask(start, upTo: nil, at: now, &effects)
            return
        }
        ask(.behind(epoch: epoch, sequence: expected - 1), upTo: nil, at: now, &effects)
    }

    mutating func ask(
        _ start: Fetch.Start, upTo last: UInt64?, at now: MonotonicTime, _ effects: inout [Effect]
    ) {
        waitForAnswer(isOpen: last == nil, at: now)
        // What finds no room would be sent in vain.
        let budget = min(fetchByteCount, max(Limits.fetchBytes, bufferByteCountMax - buffered))
        effects.append(
            .fetch(
                Fetch(
                    request: requests, stream: channel.stream, lane: channel.lane, start: start,
                    upTo: last, byteBudget: UInt64(budget))))
    }

    /// The next number, of which the lower bits count and the others stay. If nothing answers it,
    /// it is asked again.
    private mutating func waitForAnswer(isOpen: Bool, at now: MonotonicTime) {
        let mask: UInt64 = (1 << 28) - 1
        requests = requests & ~mask | (requests &+ 1) & mask
        request = Request(
            number: requests, timesOutAt: now + Limits.fetchTimeout, isOpen: isOpen,
            from: expected)
    }

    mutating func take(
        _ end: FetchEnd, to request: Request, at now: MonotonicTime, _ effects: inout [Effect]
    ) {
        // A history that is on disk never goes back.
        if isDurable, phase == .following, let epoch, end.epoch < epoch { return fail(&effects) }
        switch end.reason {
        case .busy: waitForAnswer(isOpen: true, at: now)
        case .truncated: takeTruncated(end, at: now, &effects)
        case .unknown: takeUnknown(end, at: now, &effects)
        case .expired: take(end, lostBecause: .expired, at: now, &effects)
        case .corrupt: take(end, lostBecause: .corrupt, at: now, &effects)
        case .diverged: fail(&effects)
        case .done, .more: takeDone(end, to: request, at: now, &effects)
        }
    }

    private mutating func takeDone(
        _ end: FetchEnd, to request: Request, at now: MonotonicTime, _ effects: inout [Effect]
    ) {
        let isFirst = phase == .connecting
        if isFirst { begin(end.epoch, at: beginning(end), &effects) }
        adopt(end.epoch)
        guard end.epoch == epoch else {
            // Of another history than was asked for, which no honest publisher does.
            waitForAnswer(isOpen: true, at: now)
            return
        }
        deliverHeld(&effects)
        if end.reason == .more {
            // Frames of an answer can be lost on their way. Where all are, there is no hurry.
            guard isFirst || expected > request.from || isBehind else {
                waitForAnswer(isOpen: true, at: now)
                return
            }
            ask(at: now, &effects)
            return
        }
        if request.isOpen {
            // The publisher knows best where its channel ends.
            heardNext = max(held.last?.frame.sequences.upperBound ?? expected, end.next)
        }
        fill(at: now, &effects)
    }

    /// Where an answer lets a reader begin.
    private func beginning(_ end: FetchEnd) -> UInt64 {
        if case .behind(_, let sequence) = start { return sequence + 1 }
        return end.next
    }

    /// Nothing has been published there in the publisher's present epoch.
    private mutating func takeUnknown(
        _ end: FetchEnd, at now: MonotonicTime, _ effects: inout [Effect]
    ) {
        if phase == .connecting {
            guard case .behind(let epoch, _) = start, epoch < end.epoch else {
                begin(end.epoch, at: 1, &effects)
                return
            }
        }
        guard end.epoch != epoch else { return }
        guard !isDurable else { return fail(&effects) }
        takeTruncated(end, at: now, &effects)
    }

    /// What comes before the next event of the answer cannot be had any more.
    private mutating func take(
        _ end: FetchEnd, lostBecause reason: Gap.Reason, at now: MonotonicTime,
        _ effects: inout [Effect]
    ) {
        if phase == .connecting, case .behind(let epoch, let sequence) = start {
            begin(epoch, at: sequence + 1, &effects)
        }
        adopt(end.epoch)
        guard let epoch, phase == .following, end.epoch == epoch else {
            waitForAnswer(isOpen: true, at: now)
            return
        }
        // What is held is not lost.
        lose(
            upTo: min(end.next, held.first?.frame.sequences.lowerBound ?? .max), reason, &effects)
        heardNext = max(heardNext, end.next)
        deliverHeld(&effects)
        ask(at: now, &effects)
    }

    /// The history that was followed has ended, or never had what was delivered.
    private mutating func takeTruncated(
        _ end: FetchEnd, at now: MonotonicTime, _ effects: inout [Effect]
    ) {
        // The history of the start has ended before anything of it was followed.
        if phase == .connecting, case .behind(let epoch, let sequence) = start {
            begin(epoch, at: sequence + 1, &effects)
        }
        guard let ended = epoch else {
            waitForAnswer(isOpen: true, at: now)
            return
        }
        guard end.epoch.start > ended.start else { return fail(&effects) }
        releaseHeld(because: .instanceGone, &effects)
        effects.append(
            .lost(
                Gap(
                    channel: channel, epoch: ended, first: expected, last: nil,
                    reason: .instanceGone)))
        heardNext = 0
        begin(end.epoch, at: 1, &effects)
        ask(at: now, &effects)
    }

    /// The publisher denies what it has sent before.
    private mutating func fail(_ effects: inout [Effect]) {
        phase = .failed
        effects.append(
            .fail(
                MartletError(
                    .failed,
                    "The publisher of \(channel) does not have what it has sent before: two "
                        + "nodes share its identity, or an old copy of it was restored. Give "
                        + "one of them another identity, and subscribe anew.")))
    }
}
