/// A producer from its own side: it dials a node, opens, and sends what it has until it knows that
/// it is stored.
///
/// It decides and does nothing. What it has sent and not heard of is sent again, in its order: the
/// node knows what it has.
package struct ProducerClient {
    /// What is to be done.
    package enum Effect: Sendable {
        /// Send the message.
        case send(Multipart)
        /// Take a fresh socket after this time.
        case reconnect(after: Duration)
        /// It may number its events from here on; these streams take them.
        case opened(Epoch, next: UInt64, [StreamName])
        /// All events before this one are stored; of these it is known where.
        case stored(before: UInt64, at: NodeID, [SubmittedRun])
        /// A group is done with an event.
        case ended(ProducerOutcome)
        /// It makes no sense to try again.
        case fail(MartletError)
    }

    private struct Frame {
        let sequences: Range<UInt64>
        let bytes: Bytes
    }

    private let producer: String
    private let random: UInt32
    private var session: PeerSession
    /// The node that has opened it, and the epoch there.
    private var opened: (node: NodeID, epoch: Epoch)?
    /// Whether it is open in the present session.
    package private(set) var isOpen = false
    private var hasFailed = false
    /// What is not known to be stored.
    private var frames: [Frame] = []
    /// How many of them have been sent in this attempt.
    private var sent = 0
    /// What begins anew sends one message, and the others when that has been answered: a line that
    /// is slow must not be filled with what has been sent before.
    private var isProbing = false
    /// All before this one were confirmed.
    private var confirmed: UInt64 = 1
    /// The number behind the last that was added.
    private var end: UInt64 = 1
    /// How often in a row the node was busy.
    private var refusals = 0
    private var attempt: UInt64 = 0
    /// When there was an answer last, or nothing to be answered.
    private var lastProgress = MonotonicTime(microseconds: 0)
    /// Events of which it wants to know what becomes of them.
    private var awaiting: [ProducerAwaiting] = []
    private var lastAsked = MonotonicTime(microseconds: 0)
    /// When it wants to be called at the latest, beside the beats: it begins to send anew then.
    package private(set) var deadline: MonotonicTime?

    /// The node cannot take more: the first pause, and the longest.
    private static let busyPause = Duration.milliseconds(50)
    private static let busyPauseMax = Duration.seconds(1)
    /// What was sent behind something that did not arrive is answered first.
    private static let behindPause = Duration.milliseconds(5)

    /// A producer of this name. The number tells those of one name from each other.
    package init(_ producer: String, _ instance: Instance, random: UInt32) {
        self.producer = producer
        self.random = random
        session = PeerSession(instance, named: producer)
    }

    /// How many events are not known to be stored.
    package var pendingCount: Int { frames.reduce(0) { $0 + $1.sequences.count } }

    // MARK: What happens

    /// A fresh socket is there.
    package mutating func connected(nonce: UInt64, at now: MonotonicTime) -> [Effect] {
        isOpen = false
        return carryOut(
            session.handle(.connected(nonce: nonce, reading: StreamSelection([])), at: now), now)
    }

    /// A message has come.
    package mutating func receive(_ message: Multipart, at now: MonotonicTime) -> [Effect] {
        carryOut(session.handle(.received(SessionMessage(message)), at: now), now)
    }

    /// Time has passed.
    package mutating func tick(at now: MonotonicTime) -> [Effect] {
        guard !hasFailed else { return [] }
        var effects = carryOut(session.handle(.tick([]), at: now), now)
        if isOpen, !awaiting.isEmpty, now >= lastAsked + Limits.fetchTimeout {
            // A question or its answer may have found no room.
            lastAsked = now
            effects += ask(awaiting)
        }
        if let deadline, now >= deadline {
            effects += sendAnew(now)
        } else if now >= lastProgress + Limits.fetchTimeout {
            lastProgress = now
            effects += isOpen && sent > 0 ? sendAnew(now) : open(now)
        }
        return effects
    }

    /// Events are to be submitted, which follow the last ones.
    package mutating func add(
        _ bytes: Bytes, _ sequences: Range<UInt64>, at now: MonotonicTime
    ) -> [Effect] {
        if frames.isEmpty { lastProgress = now }
        frames.append(Frame(sequences: sequences, bytes: bytes))
        end = sequences.upperBound
        return send()
    }

    /// What a group makes of an event is wanted, which is to be submitted or has been.
    package mutating func await(_ number: UInt64, by group: String) -> [Effect] {
        let wanted = ProducerAwaiting(producer: producer, number: number, group: group)
        awaiting.append(wanted)
        return isOpen ? ask([wanted]) : []
    }

    /// Nobody wants to know it any more.
    package mutating func forget(_ number: UInt64, by group: String) {
        awaiting.removeAll { $0.number == number && $0.group == group }
    }

    private func ask(_ wanted: [ProducerAwaiting]) -> [Effect] {
        guard let live = session.live else { return [] }
        return wanted.map { .send(SessionMessage.await(session: live.session, $0).multipart) }
    }

    /// What is said before it goes.
    package func close() -> [Effect] {
        guard let live = session.live else { return [] }
        let goodbye = Goodbye(code: .closing, text: "The producer closes.")
        return [.send(SessionMessage.bye(session: live.session, goodbye).multipart)]
    }

    // MARK: Sending

    private func open(_ now: MonotonicTime) -> [Effect] {
        guard let live = session.live, !isOpen else { return [] }
        let opening = ProducerOpening(producer: producer, random: random, epoch: opened?.epoch)
        return [.send(SessionMessage.open(session: live.session, opening).multipart)]
    }

    private mutating func send() -> [Effect] {
        guard isOpen, deadline == nil, let live = session.live else { return [] }
        var effects: [Effect] = []
        while sent < frames.count, !isProbing || sent == 0 {
            let some = nextMessage()
            sent += some.count
            let submission = Submission(
                producer: producer, attempt: attempt, frames: some.map(\.bytes))
            effects.append(
                .send(SessionMessage.submit(session: live.session, submission).multipart))
        }
        return effects
    }

    /// As many small frames as make a large one: a message arrives whole or not at all.
    private func nextMessage() -> ArraySlice<Frame> {
        var byteCount = 0
        return frames[sent...].prefix(Limits.messageFrames).prefix { frame in
            defer { byteCount += frame.bytes.count }
            return byteCount == 0 || byteCount + frame.bytes.count <= Limits.frameBytes
        }
    }

    private mutating func sendAnew(_ now: MonotonicTime) -> [Effect] {
        deadline = nil
        sent = 0
        isProbing = true
        attempt += 1
        lastProgress = now
        return send()
    }

    // MARK: Answers

    private mutating func carryOut(
        _ effects: [PeerSession.Effect], _ now: MonotonicTime
    ) -> [Effect] {
        var result: [Effect] = []
        for effect in effects {
            switch effect {
            case .send(let message): result.append(.send(message.multipart))
            case .began(let welcome): result += begin(welcome, now)
            case .forward(.opened(_, let answer)) where answer.producer == producer:
                result += take(answer, now)
            case .forward(.submitted(_, let answer)) where answer.producer == producer:
                result += take(answer, now)
            case .forward(.outcome(_, let outcome)) where awaiting.contains(outcome.awaiting):
                awaiting.removeAll { $0 == outcome.awaiting }
                result.append(.ended(outcome))
            case .forward, .peers, .echoed: break
            case .reconnect(let pause):
                isOpen = false
                result.append(.reconnect(after: pause))
            case .itself:
                result += fail(
                    MartletError(.wrongState, "A node does not submit events to itself."))
            case .fail(let error): result += fail(error)
            }
        }
        return result
    }

    private mutating func fail(_ error: MartletError) -> [Effect] {
        guard !hasFailed else { return [] }
        hasFailed = true
        isOpen = false
        deadline = nil
        sent = 0
        frames = []
        return [.fail(error)]
    }

    private mutating func begin(_ welcome: Welcome, _ now: MonotonicTime) -> [Effect] {
        if let opened, opened.node != welcome.instance.node {
            return fail(
                MartletError(
                    .wrongState,
                    "Another node answers in the place of the one that has the events of the "
                        + "producer `\(producer)`, and would store some of them again. Bring the "
                        + "first one back, or begin with a producer of another name."))
        }
        lastProgress = now
        return open(now)
    }

    private mutating func take(_ answer: ProducerOpened, _ now: MonotonicTime) -> [Effect] {
        guard let live = session.live, !hasFailed else { return [] }
        if let refusal = answer.refusal { return fail(error(refusal)) }
        guard let known = opened else {
            opened = (live.instance.node, answer.epoch)
            (confirmed, end) = (answer.next, answer.next)
            isOpen = true
            lastProgress = now
            return [.opened(answer.epoch, next: answer.next, answer.streams)]
        }
        guard answer.epoch == known.epoch else { return fail(error(.replaced)) }
        guard !isOpen else { return [] }
        guard answer.next >= confirmed else { return fail(lost(answer.next)) }
        let effects = acknowledge(answer.next, answer.runs, known.node)
        isOpen = true
        lastAsked = now
        return effects + ask(awaiting) + (hasFailed ? [] : sendAnew(now))
    }

    private mutating func take(_ answer: Submitted, _ now: MonotonicTime) -> [Effect] {
        guard let opened, isOpen else { return [] }
        // What is stored is stored, whoever asked; the rest is of what was sent last.
        if case .stored(let runs) = answer.outcome {
            lastProgress = now
            refusals = 0
            let effects = acknowledge(answer.next, runs, opened.node)
            guard isProbing, sent == 0, !hasFailed else { return effects }
            isProbing = false
            return effects + send()
        }
        guard answer.attempt == attempt else { return [] }
        switch answer.outcome {
        case .stored: return []
        case .behind:
            guard answer.next >= confirmed else { return fail(lost(answer.next)) }
            lastProgress = now
            deadline = deadline ?? now + ProducerClient.behindPause
            return acknowledge(answer.next, [], opened.node)
        case .busy:
            lastProgress = now
            let pause = ProducerClient.busyPause * (1 << min(refusals, 10))
            refusals += 1
            deadline = now + min(pause, ProducerClient.busyPauseMax)
            return []
        case .refused(let refusal): return fail(error(refusal))
        }
    }

    private mutating func acknowledge(
        _ next: UInt64, _ runs: [SubmittedRun], _ node: NodeID
    ) -> [Effect] {
        guard next <= end else {
            return fail(
                MartletError(
                    .wrongState,
                    "The node has events of the producer `\(producer)` that it never submitted: it "
                        + "expects \(next), and \(end) comes next."))
        }
        confirmed = max(confirmed, next)
        let done = frames.prefix { $0.sequences.upperBound <= next }.count
        frames.removeFirst(done)
        sent -= min(sent, done)
        return [.stored(before: next, at: node, runs)]
    }

    private func lost(_ next: UInt64) -> MartletError {
        MartletError(
            .wrongState,
            "The node has lost events of the producer `\(producer)` that it had confirmed: it "
                + "expects \(next), and all before \(confirmed) were stored. Its journal is an "
                + "older copy, it seems.")
    }

    private func error(_ refusal: SubmissionRefusal) -> MartletError {
        switch refusal.code {
        case .replaced:
            MartletError(
                .wrongState,
                "The producer `\(producer)` goes on elsewhere: \(refusal.text) Give each process "
                    + "that runs at the same time a name of its own.")
        case .full:
            MartletError(
                .resourceExhausted,
                "The node takes no new producer: \(refusal.text) Use fewer names, again and again.")
        case .unavailable:
            MartletError(
                .wrongState,
                "The node takes no events: \(refusal.text) Start it with `journal:` and durable "
                    + "streams.")
        case .invalid:
            MartletError(
                .invalidArgument, "The node cannot store what was submitted: \(refusal.text)")
        }
    }
}
