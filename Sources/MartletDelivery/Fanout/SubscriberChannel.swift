/// A channel at a reader: what comes next, what is missing, and what is done about it.
///
/// The one truth is `expected`, the number of the next event to deliver. What comes early is held
/// while the hole before it is fetched; what comes again is dropped; where a hole cannot be filled,
/// it is reported. A frame of a later epoch counts only once its publisher has said, in answer to a
/// request behind the last event delivered, that this history has ended.
package struct SubscriberChannel {
    /// What happens to it.
    package enum Input: Sendable {
        /// A frame, or a beat, came over PUB.
        case published(Frame)
        /// A session with the publisher is there, of this epoch.
        case attached(Epoch)
        /// The session has gone.
        case detached
        /// A frame came in answer to a request.
        case fetched(request: UInt64, Frame)
        /// An answer is complete.
        case answered(FetchEnd)
        /// The consumer has taken frames of so many bytes.
        case consumed(byteCount: Int)
        /// Time has passed.
        case tick
    }

    /// What is to be done about it.
    package enum Effect: Sendable {
        /// The subscription is in force: every event from this number on will come, or be reported.
        case started(epoch: Epoch, next: UInt64)
        /// Hand the events of the frame from this number on to the consumer.
        case deliver(Frame, from: UInt64)
        /// Ask the publisher.
        case fetch(Fetch)
        /// Tell the consumer that events are lost.
        case lost(Gap)
        /// It cannot go on.
        case fail(MartletError)
    }

    private enum Phase {
        case connecting, following, failed
    }

    private struct Request {
        let number: UInt64
        let timesOutAt: MonotonicTime
        /// Whether it asks for all there are, and its answer tells where the channel ends.
        let isOpen: Bool
        /// What was expected when it was asked.
        let from: UInt64
    }

    private let channel: Channel
    private var start: Fetch.Start
    /// How many bytes may wait for the consumer.
    var bufferByteCountMax: Int
    private var phase = Phase.connecting
    private var epoch: Epoch?
    private var expected: UInt64 = 0
    /// The highest next sequence that was heard of in this epoch.
    private var heardNext: UInt64 = 0
    private var attached: Epoch?
    private var detachedSince: MonotonicTime?
    /// The epoch of the first session.
    private var firstAttached: Epoch?
    private var request: Request?
    /// The number of the last request.
    private var requests: UInt64
    private var held: HeldFrames
    /// What was delivered and not yet taken.
    private var buffered = 0
    /// The buffer was full when a frame came: the rest is fetched when there is room.
    package private(set) var isBehind = false
    /// It could not ask where it stands, for it was behind.
    private var asksWhenThereIsRoom = false

    /// Frames that came again, and were dropped.
    package private(set) var duplicates: UInt64 = 0
    /// Frames of epochs that have ended, and were dropped.
    package private(set) var stale: UInt64 = 0
    /// Events that were delivered from an answer.
    private(set) var fetched: UInt64 = 0

    /// A channel to be followed from some point on.
    package init(
        _ channel: Channel, from start: Fetch.Start, bufferBytes: Int = Limits.bufferBytes,
        heldBytes: Int = Limits.heldBytes, requestsAfter lastRequest: UInt64 = 0
    ) {
        self.channel = channel
        requests = lastRequest
        self.start = start
        bufferByteCountMax = bufferBytes
        held = HeldFrames(byteCountMax: heldBytes)
    }

    /// The last event that was delivered, and where it stands; nil before the start.
    package var delivered: (epoch: Epoch, sequence: UInt64)? {
        epoch.flatMap { phase == .following ? ($0, expected - 1) : nil }
    }

    /// What is lost if the publisher never comes back. With `isKnown` it has said where it ends.
    func loss(withEndKnown isKnown: Bool) -> Gap? {
        guard let epoch, phase == .following, !isKnown || expected < heardNext else { return nil }
        return Gap(
            channel: channel, epoch: epoch, first: expected, last: isKnown ? heardNext - 1 : nil,
            reason: .instanceGone)
    }

    /// How many bytes of frames may wait for a hole to be filled.
    var heldByteCountMax: Int {
        get { held.byteCountMax }
        set { held.byteCountMax = newValue }
    }

    /// How many bytes of frames the consumer has, or will get.
    var bufferedBytes: Int { buffered }

    /// How many bytes of frames wait for a hole to be filled.
    var heldBytes: Int { held.byteCount }

    /// How many bytes of frames it keeps or has handed out.
    package var byteCount: Int { held.byteCount + buffered }

    /// Takes note of what happened, and says what is to be done.
    package mutating func handle(_ input: Input, at now: MonotonicTime) -> [Effect] {
        guard phase != .failed else { return [] }
        var effects: [Effect] = []
        switch input {
        case .published(let frame): take(published: frame, at: now, &effects)
        case .attached(let epoch):
            pinStart(to: epoch)
            attached = epoch
            detachedSince = nil
            request = nil
            ask(at: now, &effects)
        case .detached:
            if attached != nil { detachedSince = now }
            attached = nil
            request = nil
        case .fetched(let number, let frame):
            guard number == request?.number else { break }
            take(fetched: frame, &effects)
        case .answered(let end):
            guard let request, end.request == request.number else { break }
            self.request = nil
            take(end, to: request, at: now, &effects)
        case .consumed(let byteCount):
            buffered = max(0, buffered - byteCount)
            if isBehind, buffered == 0 || buffered <= bufferByteCountMax / 2 {
                catchUp(at: now, &effects)
            }
        case .tick:
            if let request, now >= request.timesOutAt {
                self.request = nil
                ask(at: now, &effects)
            }
            if let detachedSince, now >= detachedSince + Limits.publisherPatience {
                releaseHeld(because: .unreachable, &effects)
            }
        }
        return effects
    }

    /// There is room again.
    private mutating func catchUp(at now: MonotonicTime, _ effects: inout [Effect]) {
        isBehind = false
        deliverHeld(&effects)
        guard !isBehind else { return }
        if asksWhenThereIsRoom {
            asksWhenThereIsRoom = false
            request = nil
            ask(at: now, &effects)
        } else {
            fill(at: now, &effects)
        }
    }
}

extension SubscriberChannel {
    /// A subscription is in force from its first session on. If the publisher starts anew before it
    /// has said where that session begins, the new history is followed from its first event.
    private mutating func pinStart(to epoch: Epoch) {
        if phase == .connecting, let firstAttached, epoch > firstAttached {
            if case .behind = start {} else { start = .behind(epoch: epoch, sequence: 0) }
        }
        firstAttached = firstAttached ?? epoch
    }
}

// MARK: - Frames

extension SubscriberChannel {
    private mutating func take(
        published frame: Frame, at now: MonotonicTime, _ effects: inout [Effect]
    ) {
        // The numbers of a slice have holes that nothing would tell of.
        guard !frame.header.isSlice else { return }
        guard let epoch, phase == .following else {
            // The answer to the first request says what they are worth.
            if !frame.isBeat { held.insert(frame) }
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
            accept(frame, &effects)
        }
        fill(at: now, &effects)
    }

    private mutating func take(fetched frame: Frame, _ effects: inout [Effect]) {
        guard !frame.isBeat, !frame.header.isSlice, frame.channel == channel else { return }
        if phase == .connecting, case .behind(let epoch, let sequence) = start,
            epoch == frame.header.epoch
        {
            begin(epoch, at: sequence + 1, &effects)
        }
        guard phase == .following, frame.header.epoch == epoch else { return }
        let before = max(expected, frame.sequences.lowerBound)
        accept(frame, &effects)
        let after = min(expected, frame.sequences.upperBound)
        if after > before { fetched += after - before }
    }

    private mutating func begin(_ epoch: Epoch, at next: UInt64, _ effects: inout [Effect]) {
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
        let frames = held.removeAll()
        for frame in frames where frame.header.epoch == epoch {
            held.insert(frame)
            heardNext = max(heardNext, frame.sequences.upperBound)
        }
    }

    private mutating func accept(_ frame: Frame, _ effects: inout [Effect]) {
        heardNext = max(heardNext, frame.sequences.upperBound)
        guard frame.sequences.upperBound > expected else {
            duplicates += 1
            return
        }
        guard frame.sequences.lowerBound <= expected else {
            held.insert(frame)
            return
        }
        guard !isBehind, hasRoom(for: frame) else { return }
        deliver(frame, &effects)
        deliverHeld(&effects)
    }

    /// Whether a frame may be delivered; if not, that is noted. One larger than the buffer goes
    /// alone.
    private mutating func hasRoom(for frame: Frame) -> Bool {
        isBehind = buffered > 0 && buffered + frame.bytes.count > bufferByteCountMax
        return !isBehind
    }

    private mutating func deliver(_ frame: Frame, _ effects: inout [Effect]) {
        buffered += frame.bytes.count
        effects.append(.deliver(frame, from: expected))
        expected = frame.sequences.upperBound
    }

    private mutating func deliverHeld(_ effects: inout [Effect]) {
        while !isBehind, let frame = held.first, frame.sequences.lowerBound <= expected {
            if frame.sequences.upperBound > expected {
                guard hasRoom(for: frame) else { return }
                deliver(frame, &effects)
            }
            held.removeFirst()
        }
    }

    /// Nobody will fill the holes: they are reported, and what is held behind them is delivered,
    /// whatever room there is. It has been within bounds all the time.
    private mutating func releaseHeld(because reason: Gap.Reason, _ effects: inout [Effect]) {
        guard phase == .following else { return }
        while let frame = held.first {
            held.removeFirst()
            guard frame.sequences.upperBound > expected else { continue }
            if frame.sequences.lowerBound > expected {
                lose(upTo: frame.sequences.lowerBound, reason, &effects)
            }
            deliver(frame, &effects)
        }
    }

    /// Reports what is missing before this number.
    private mutating func lose(
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

// MARK: - Requests

extension SubscriberChannel {
    /// Asks for the hole before what is held, or before the end that was heard of.
    private mutating func fill(at now: MonotonicTime, _ effects: inout [Effect]) {
        guard phase == .following, request == nil, attached != nil, !isBehind, let epoch,
            expected < heardNext
        else { return }
        let end = held.first.map { max($0.sequences.lowerBound, expected + 1) } ?? heardNext
        ask(
            .behind(epoch: epoch, sequence: expected - 1), upTo: end - 1, at: now, &effects)
    }

    /// Asks where it stands: for the start, or for whatever follows the last event delivered.
    private mutating func ask(at now: MonotonicTime, _ effects: inout [Effect]) {
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

    private mutating func ask(
        _ start: Fetch.Start, upTo last: UInt64?, at now: MonotonicTime, _ effects: inout [Effect]
    ) {
        waitForAnswer(isOpen: last == nil, at: now)
        effects.append(
            .fetch(
                Fetch(
                    request: requests, stream: channel.stream, lane: channel.lane, start: start,
                    upTo: last, byteBudget: UInt64(Limits.fetchBytes))))
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

    private mutating func take(
        _ end: FetchEnd, to request: Request, at now: MonotonicTime, _ effects: inout [Effect]
    ) {
        switch end.reason {
        case .busy: waitForAnswer(isOpen: true, at: now)
        case .truncated: takeTruncated(end, at: now, &effects)
        case .unknown: takeUnknown(end, at: now, &effects)
        case .expired: takeExpired(end, at: now, &effects)
        case .done, .more: takeDone(end, to: request, at: now, &effects)
        }
    }

    private mutating func takeDone(
        _ end: FetchEnd, to request: Request, at now: MonotonicTime, _ effects: inout [Effect]
    ) {
        let isFirst = phase == .connecting
        if isFirst { begin(end.epoch, at: beginning(end), &effects) }
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
            heardNext = max(held.last?.sequences.upperBound ?? expected, end.next)
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
        takeTruncated(end, at: now, &effects)
    }

    private mutating func takeExpired(
        _ end: FetchEnd, at now: MonotonicTime, _ effects: inout [Effect]
    ) {
        if phase == .connecting, case .behind(let epoch, let sequence) = start {
            begin(epoch, at: sequence + 1, &effects)
        }
        guard let epoch, phase == .following, end.epoch == epoch else {
            waitForAnswer(isOpen: true, at: now)
            return
        }
        // What is held is not lost.
        lose(upTo: min(end.next, held.first?.sequences.lowerBound ?? .max), .expired, &effects)
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
        guard end.epoch.start > ended.start else {
            phase = .failed
            effects.append(
                .fail(
                    MartletError(
                        .failed,
                        "The publisher of \(channel) does not have what it has sent before: two "
                            + "nodes share its identity, or an old copy of it was restored. Give "
                            + "one of them another identity, and subscribe anew.")))
            return
        }
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
}
