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
        /// The session has gone. After a goodbye nothing more will come of this history.
        case detached(afterGoodbye: Bool)
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

    enum Phase {
        case connecting, following, failed
    }

    struct Request {
        let number: UInt64
        /// When it is asked again, if nothing of its answer has come for so long.
        var timesOutAt: MonotonicTime
        /// Whether it asks for all there are, and its answer tells where the channel ends.
        let isOpen: Bool
        /// What was expected when it was asked.
        let from: UInt64
    }

    let channel: Channel
    /// Whether its publisher has it on disk: its numbers go on through all epochs, and nothing is
    /// lost because the publisher is away.
    let isDurable: Bool
    var start: Fetch.Start
    /// How many bytes may wait for the consumer.
    var bufferByteCountMax: Int
    /// How many bytes it asks for at once, if there is room.
    var fetchByteCount = Limits.fetchBytes
    var phase = Phase.connecting
    var epoch: Epoch?
    var expected: UInt64 = 0
    /// The highest next sequence that was heard of in this epoch.
    var heardNext: UInt64 = 0
    var attached: Epoch?
    var detachedSince: MonotonicTime?
    /// When it was heard of last, while there is no session and until that has been reported.
    var silentSince: MonotonicTime?
    /// The publisher has said goodbye: where its history ends is known.
    var isEndKnown = false
    /// The epoch of the first session.
    var firstAttached: Epoch?
    var request: Request?
    /// The number of the last request.
    var requests: UInt64
    var held: HeldFrames
    /// What was delivered and not yet taken.
    var buffered = 0
    /// The buffer was full when a frame came: the rest is fetched when there is room.
    package internal(set) var isBehind = false
    /// It could not ask where it stands, for it was behind.
    var asksWhenThereIsRoom = false

    /// Frames that came again, and were dropped.
    package internal(set) var duplicates: UInt64 = 0
    /// Frames of epochs that have ended, and were dropped.
    package internal(set) var stale: UInt64 = 0
    /// Events that were delivered from an answer.
    var fetched: UInt64 = 0

    /// A channel to be followed from some point on.
    package init(
        _ channel: Channel, from start: Fetch.Start, isDurable: Bool = false,
        bufferBytes: Int = Limits.bufferBytes,
        heldBytes: Int = Limits.heldBytes, requestsAfter lastRequest: UInt64 = 0
    ) {
        self.channel = channel
        self.isDurable = isDurable
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
    func loss(withEndKnown isKnown: Bool, because reason: Gap.Reason) -> Gap? {
        guard phase == .following, !isDurable, let epoch, !isKnown || expected < heardNext else {
            return nil
        }
        return Gap(
            channel: channel, epoch: epoch, first: expected, last: isKnown ? heardNext - 1 : nil,
            reason: reason)
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
            silentSince = nil
            isEndKnown = false
            request = nil
            ask(at: now, &effects)
        case .detached(let afterGoodbye):
            if attached != nil {
                detachedSince = now
                silentSince = now
            }
            isEndKnown = isEndKnown || afterGoodbye
            attached = nil
            request = nil
        case .fetched(let number, let frame):
            guard number == request?.number else { break }
            request?.timesOutAt = now + Limits.fetchTimeout
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
            if !isDurable, let detachedSince, now >= detachedSince + Limits.publisherPatience {
                releaseHeld(because: .unreachable, &effects)
                reportSilence(at: now, &effects)
            }
        }
        return effects
    }

    /// There is room again.
    mutating func catchUp(at now: MonotonicTime, _ effects: inout [Effect]) {
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
    mutating func pinStart(to epoch: Epoch) {
        if phase == .connecting, !isDurable, let firstAttached, epoch > firstAttached {
            if case .behind = start {} else { start = .behind(epoch: epoch, sequence: 0) }
        }
        firstAttached = firstAttached ?? epoch
    }
}
