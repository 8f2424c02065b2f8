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
    }

    private let channel: Channel
    private var start: Fetch.Start
    private let bufferByteCountMax: Int
    private var phase = Phase.connecting
    private var epoch: Epoch?
    private var expected: UInt64 = 0
    /// The highest next sequence that was heard of in this epoch.
    private var heardNext: UInt64 = 0
    private var attached: Epoch?
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

    /// Frames that came again, and were dropped.
    package private(set) var duplicates: UInt64 = 0
    /// Frames of epochs that have ended, and were dropped.
    package private(set) var stale: UInt64 = 0

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
            request = nil
            ask(at: now, &effects)
        case .detached:
            attached = nil
            request = nil
        case .fetched(let number, let frame):
            guard number == request?.number else { break }
            take(fetched: frame, &effects)
        case .answered(let end):
            guard end.request == request?.number else { break }
            request = nil
            take(end, at: now, &effects)
        case .consumed(let byteCount):
            buffered -= byteCount
            if isBehind, buffered <= bufferByteCountMax / 2 {
                isBehind = false
                deliverHeld(&effects)
                fill(at: now, &effects)
            }
        case .tick:
            if let request, now >= request.timesOutAt {
                self.request = nil
                ask(at: now, &effects)
            }
        }
        return effects
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
        guard let epoch, phase == .following else {
            // The answer to the first request says what they are worth.
            if !frame.isBeat { _ = held.insert(frame) }
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
        guard !frame.isBeat, frame.channel == channel else { return }
        if phase == .connecting {
            guard epoch == nil || epoch == frame.header.epoch else { return }
            if epoch == nil { begin(frame.header.epoch, at: firstWanted(in: frame), &effects) }
        }
        guard frame.header.epoch == epoch else { return }
        accept(frame, &effects)
    }

    /// The number of the first event of the first frame of an answer that was asked for.
    private func firstWanted(in frame: Frame) -> UInt64 {
        switch start {
        case .behind(_, let sequence): sequence + 1
        case .time(let time):
            frame.first { $0.time >= time }?.sequence ?? frame.sequences.upperBound
        case .first, .now: frame.sequences.lowerBound
        }
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
        let frames = held.frames
        held.removeAll()
        for frame in frames where frame.header.epoch == epoch {
            _ = held.insert(frame)
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
            _ = held.insert(frame)
            return
        }
        guard !isBehind else { return }
        deliver(frame, &effects)
        deliverHeld(&effects)
    }

    /// Delivers, or notes that there is no room. A frame larger than the buffer goes alone.
    private mutating func deliver(_ frame: Frame, _ effects: inout [Effect]) {
        let byteCount = frame.bytes.count
        guard buffered == 0 || buffered + byteCount <= bufferByteCountMax else {
            isBehind = true
            return
        }
        buffered += byteCount
        effects.append(.deliver(frame, from: expected))
        expected = frame.sequences.upperBound
    }

    private mutating func deliverHeld(_ effects: inout [Effect]) {
        while !isBehind, let frame = held.take(upTo: expected) {
            guard frame.sequences.upperBound > expected else { continue }
            deliver(frame, &effects)
        }
    }
}

// MARK: - Requests

extension SubscriberChannel {
    /// Asks for the hole before what is held, or before the end that was heard of.
    private mutating func fill(at now: MonotonicTime, _ effects: inout [Effect]) {
        guard phase == .following, request == nil, attached != nil, !isBehind, let epoch,
            expected < heardNext
        else { return }
        let end = held.firstSequence.map { max($0, expected + 1) } ?? heardNext
        ask(
            .behind(epoch: epoch, sequence: expected - 1), upTo: end - 1, at: now, &effects)
    }

    /// Asks where it stands: for the start, or for whatever follows the last event delivered.
    private mutating func ask(at now: MonotonicTime, _ effects: inout [Effect]) {
        guard attached != nil, !isBehind else { return }
        guard phase == .following, let epoch else {
            ask(start, upTo: nil, at: now, &effects)
            return
        }
        ask(.behind(epoch: epoch, sequence: expected - 1), upTo: nil, at: now, &effects)
    }

    private mutating func ask(
        _ start: Fetch.Start, upTo last: UInt64?, at now: MonotonicTime, _ effects: inout [Effect]
    ) {
        countRequest()
        request = Request(number: requests, timesOutAt: now + Limits.fetchTimeout)
        effects.append(
            .fetch(
                Fetch(
                    request: requests, stream: channel.stream, lane: channel.lane, start: start,
                    upTo: last, byteBudget: UInt64(Limits.fetchBytes))))
    }

    /// The next number, of which the lower bits count and the others stay.
    private mutating func countRequest() {
        let mask: UInt64 = (1 << 28) - 1
        requests = requests & ~mask | (requests &+ 1) & mask
    }

    private mutating func take(
        _ end: FetchEnd, at now: MonotonicTime, _ effects: inout [Effect]
    ) {
        switch end.reason {
        case .busy:
            // Asked again when the time of this request would have been up; nothing answers it.
            countRequest()
            request = Request(number: requests, timesOutAt: now + Limits.fetchTimeout)
            return
        case .truncated:
            takeTruncated(end, at: now, &effects)
            return
        case .expired: takeExpired(end, &effects)
        case .unknown where phase == .connecting: begin(end.epoch, at: 1, &effects)
        case .unknown:
            // A new instance that has not published here yet.
            if let epoch, end.epoch > epoch { takeTruncated(end, at: now, &effects) }
            return
        case .done, .more:
            if phase == .connecting { begin(end.epoch, at: beginning(end), &effects) }
            guard end.epoch == epoch else { return }
            if end.reason == .more {
                heardNext = max(heardNext, end.next + 1)
            } else {
                // The publisher knows best where its channel ends.
                heardNext = max(held.frames.last?.sequences.upperBound ?? expected, end.next)
            }
        }
        deliverHeld(&effects)
        fill(at: now, &effects)
    }

    /// Where an answer without frames lets a reader begin.
    private func beginning(_ end: FetchEnd) -> UInt64 {
        if case .behind(_, let sequence) = start { return sequence + 1 }
        return end.next
    }

    private mutating func takeExpired(_ end: FetchEnd, _ effects: inout [Effect]) {
        if phase == .connecting, case .behind(let epoch, let sequence) = start {
            begin(epoch, at: sequence + 1, &effects)
        }
        guard let epoch, end.epoch == epoch, end.next > expected else { return }
        effects.append(
            .lost(
                Gap(
                    channel: channel, epoch: epoch, first: expected, last: end.next - 1,
                    reason: .expired)))
        expected = end.next
        heardNext = max(heardNext, expected)
    }

    /// The history that was followed has ended, or never had what was delivered.
    private mutating func takeTruncated(
        _ end: FetchEnd, at now: MonotonicTime, _ effects: inout [Effect]
    ) {
        // The history of the start has ended before anything of it was followed.
        if phase == .connecting, case .behind(let epoch, let sequence) = start {
            begin(epoch, at: sequence + 1, &effects)
        }
        guard let ended = epoch, end.epoch > ended else {
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
