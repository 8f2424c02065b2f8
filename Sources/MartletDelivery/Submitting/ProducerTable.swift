/// Who submits events to a node, and what waits of theirs.
///
/// An event is appended to its channel, and counted as its producer's, in one turn, and both are
/// committed together: after that, and only then, the answers leave.
package struct ProducerTable {
    /// What became of an event that was to be appended.
    package enum Appended {
        /// It has this number in this channel.
        case appended(Channel, UInt64)
        /// There is no room; later.
        case full
    }

    private struct Waiting {
        let request: ProducerRequest
        var frames: [Frame]?
        /// Where its events stand that have been appended.
        var runs: [StoredProducer.Run] = []
    }

    private enum Reply {
        case opened
        case stored(before: UInt64, [StoredProducer.Run])
        case behind
        case refused(SubmissionRefusal)
    }

    /// Producers that change in one commit: what is committed together has its bounds.
    private static let changesMax = 1_024
    /// Producers that are opened in one commit; each may look for room among all.
    private static let openingsMax = 64

    private var producers: [String: StoredProducer]
    private var changed: Set<String> = []
    private var waiting: [Waiting] = []
    private var replies: [(request: ProducerRequest, reply: Reply)] = []
    /// Who waits for what becomes of events that have not come yet, by producer and number.
    private var awaiting: [String: [UInt64: [(session: UInt64, group: String)]]] = [:]
    private var awaitingCount = 0
    private var watches: [ProducerWatch] = []
    /// The next one may hold the same kind of events, which then need not be read again.
    private var lastFrame: Frame?
    /// The streams that take events.
    package var streams: [StreamName] = []

    /// The producers that are stored.
    package init(_ stored: [String: StoredProducer]) { producers = stored }

    /// A producer as it is, also what is not committed yet.
    package func producer(_ name: String) -> StoredProducer? { producers[name] }

    /// Bytes of the requests that wait for room.
    package var waitingBytes: Int { waiting.reduce(0) { $0 + $1.request.byteCount } }

    /// A request has come.
    package mutating func add(_ request: ProducerRequest) {
        if case .await(let awaiting) = request.body { return wait(awaiting, request.session) }
        waiting.append(Waiting(request: request))
    }

    // MARK: Awaiting

    /// Somebody wants to know what becomes of an event, before it comes or after.
    private mutating func wait(_ wanted: ProducerAwaiting, _ session: UInt64) {
        if let producer = producers[wanted.producer], wanted.number < producer.next {
            let run = producer.runs.last { $0.first <= wanted.number && wanted.number < $0.end }
            let event = run.map { run in
                WatchedEvent(
                    group: wanted.group, channel: run.channel,
                    sequence: run.sequences.lowerBound + (wanted.number - run.first))
            }
            watches.append(ProducerWatch(session: session, awaiting: wanted, event: event))
            return
        }
        // It asks again.
        guard awaitingCount < Limits.awaitingMax else { return }
        var known = awaiting[wanted.producer]?[wanted.number] ?? []
        let before = known.count
        known.removeAll { $0.group == wanted.group }
        known.append((session, wanted.group))
        awaitingCount += known.count - before
        awaiting[wanted.producer, default: [:]][wanted.number] = known
    }

    /// An event has come, for which somebody may wait.
    private mutating func noteAppended(
        _ number: UInt64, of producer: String, in channel: Channel, as sequence: UInt64
    ) {
        guard awaitingCount > 0,
            let known = awaiting[producer]?.removeValue(forKey: number)
        else { return }
        awaitingCount -= known.count
        if awaiting[producer]?.isEmpty == true { awaiting[producer] = nil }
        for (session, group) in known {
            watches.append(
                ProducerWatch(
                    session: session,
                    awaiting: ProducerAwaiting(producer: producer, number: number, group: group),
                    event: WatchedEvent(group: group, channel: channel, sequence: sequence)))
        }
    }

    /// Those who wait, and where their events stand. They must be watched before the next commit.
    package mutating func takeWatches() -> [ProducerWatch] {
        guard !watches.isEmpty else { return [] }
        defer { watches = [] }
        return watches
    }

    // MARK: Admitting

    /// Takes what there is room for. The events that `append` has taken must be in the next commit,
    /// together with `takeChanges`. What it throws refuses the event for ever.
    package mutating func admit(
        at time: Timestamp, _ append: (RecordedEvent) throws(MartletError) -> Appended
    ) {
        guard !waiting.isEmpty else { return }
        var left: [Waiting] = []
        // Who waits keeps the order of what it has sent.
        var blocked: Set<String> = []
        var opened = 0
        for var next in waiting {
            var reply: Reply?
            let producer = next.request.producer
            if changed.count < ProducerTable.changesMax, !blocked.contains(producer) {
                switch next.request.body {
                case .open(let opening) where opened < ProducerTable.openingsMax:
                    opened += 1
                    reply = open(opening, at: time)
                case .open: break
                case .submit(let submission):
                    reply = take(submission, &next, at: time, append)
                case .await: break
                }
            }
            if reply == nil { blocked.insert(producer) }
            if let reply { replies.append((next.request, reply)) } else { left.append(next) }
        }
        waiting = left
    }

    /// What is to be committed with the events: producers as they are now.
    package mutating func takeChanges() -> [String: StoredProducer?] {
        guard !changed.isEmpty else { return [:] }
        var changes: [String: StoredProducer?] = [:]
        for name in changed { changes.updateValue(producers[name], forKey: name) }
        changed = []
        return changes
    }

    /// Whether something is to be said once that is committed.
    package var hasAnswers: Bool { !replies.isEmpty }

    /// What is to be said once that is committed.
    package func answers(_ epoch: (Channel, UInt64) -> Epoch?) -> [ProducerAnswer] {
        replies.map { answer($0.request, $0.reply, epoch) }
    }

    /// It has been said.
    package mutating func forgetAnswers() { replies = [] }

    // MARK: Opening

    private mutating func open(_ opening: ProducerOpening, at time: Timestamp) -> Reply {
        guard var known = producers[opening.producer] else {
            guard opening.epoch == nil else {
                return .refused(.forgotten)
            }
            guard makeRoom(at: time) else {
                return .refused(
                    SubmissionRefusal(
                        .full, "The node remembers \(Limits.producersMax) others already."))
            }
            producers[opening.producer] = StoredProducer(
                epoch: Epoch(start: 1, random: opening.random), next: 1, usedAt: time)
            changed.insert(opening.producer)
            return .opened
        }
        if known.epoch.random == opening.random {
            if time.microseconds > known.usedAt.microseconds + ProducerTable.refreshed {
                producers[opening.producer]?.usedAt = time
                changed.insert(opening.producer)
            }
        } else {
            guard opening.epoch == nil, known.epoch.start < .max else {
                return .refused(.replaced)
            }
            known.epoch = Epoch(start: known.epoch.start + 1, random: opening.random)
            known.usedAt = time
            producers[opening.producer] = known
            changed.insert(opening.producer)
        }
        return .opened
    }

    /// How old a note of when a producer was heard of may become, in microseconds.
    private static let refreshed: Int64 = 3_600_000_000

    /// False if all that are known have been heard of lately.
    private mutating func makeRoom(at time: Timestamp) -> Bool {
        guard producers.count >= Limits.producersMax else { return true }
        let oldest = producers.lazy.filter { _, producer in
            // One that has never submitted anything loses nothing.
            let memory =
                producer.next == 1 ? Limits.openingMemory : Limits.producerMemory
            let age = time.microseconds - producer.usedAt.microseconds
            return age > memory.components.seconds * 1_000_000
        }.min { ($0.value.usedAt, $0.key) < ($1.value.usedAt, $1.key) }
        guard let oldest else { return false }
        producers[oldest.key] = nil
        changed.insert(oldest.key)
        return true
    }

    // MARK: Submitting

    /// Nil if some of it must wait for room.
    private mutating func take(
        _ submission: Submission, _ next: inout Waiting, at time: Timestamp,
        _ append: (RecordedEvent) throws(MartletError) -> Appended
    ) -> Reply? {
        guard var producer = producers[submission.producer] else { return .refused(.forgotten) }
        let frames: [Frame]
        do throws(MartletError) {
            if let read = next.frames {
                frames = read
            } else {
                frames = try read(submission.frames)
            }
        } catch { return .refused(SubmissionRefusal(.invalid, error.message)) }
        next.frames = frames
        guard frames.allSatisfy({ $0.header.epoch == producer.epoch }) else {
            return .refused(.replaced)
        }
        guard let first = frames.first, let last = frames.last,
            first.sequences.lowerBound <= producer.next
        else { return .behind }
        let before = producer.next
        defer {
            if producer.next != before {
                producer.usedAt = time
                if producer.runs.count > Limits.producerRunsMax {
                    producer.runs = producer.runs.suffix(Limits.producerRunsMax)
                }
                producers[submission.producer] = producer
                changed.insert(submission.producer)
            }
        }
        do throws(MartletError) {
            for frame in frames where frame.sequences.upperBound > producer.next {
                let start = Int(producer.next - frame.sequences.lowerBound)
                for place in start..<frame.count {
                    let event = frame[place]
                    guard case .appended(let channel, let sequence) = try append(event) else {
                        return nil
                    }
                    next.runs.append(event.sequence, in: channel, as: sequence)
                    producer.runs.append(event.sequence, in: channel, as: sequence)
                    producer.next += 1
                    noteAppended(
                        event.sequence, of: submission.producer, in: channel, as: sequence)
                }
            }
        } catch {
            return .refused(SubmissionRefusal(.invalid, error.message))
        }
        let range = first.sequences.lowerBound..<last.sequences.upperBound
        let runs = known(range, of: producer, beside: next.runs)
        return .stored(
            before: range.upperBound, Array(runs.prefix(Limits.submittedRunsMax)))
    }

    /// Frames of lane 0 that follow each other.
    private mutating func read(_ bytes: [Bytes]) throws(MartletError) -> [Frame] {
        var frames: [Frame] = []
        for bytes in bytes {
            let frame = try Frame(bytes, like: lastFrame)
            lastFrame = frame
            guard frame.channel.lane == 0, !frame.isBeat, !frame.header.isSlice,
                frame.header.epoch == frames.last?.header.epoch ?? frame.header.epoch,
                frame.sequences.lowerBound
                    == frames.last?.sequences.upperBound ?? frame.sequences.lowerBound
            else {
                throw MartletError(.invalidFrame, "The frames that were submitted are no row.")
            }
            frames.append(frame)
        }
        return frames
    }

    /// Where events stand: what was appended now, and what is remembered from before.
    private func known(
        _ range: Range<UInt64>, of producer: StoredProducer, beside new: [StoredProducer.Run]
    ) -> [StoredProducer.Run] {
        // A row that goes on with what was appended now is in both.
        let end = min(new.first?.first ?? .max, range.upperBound)
        return producer.runs.compactMap { run in
            guard run.first < end, run.end > range.lowerBound else { return nil }
            let count = min(run.end, end) - run.first
            guard run.first + count > range.lowerBound else { return nil }
            let first = run.sequences.lowerBound
            return StoredProducer.Run(
                first: run.first, channel: run.channel, sequences: first..<first + count)
        } + new
    }

    // MARK: Answering

    private func answer(
        _ request: ProducerRequest, _ reply: Reply, _ epoch: (Channel, UInt64) -> Epoch?
    ) -> ProducerAnswer {
        switch (request.body, reply) {
        case (.open(let opening), .opened):
            // It may have been replaced within the same turn, and is told when it submits.
            guard let known = producers[opening.producer], known.epoch.random == opening.random
            else { return request.refused(.replaced) }
            return request.answer(
                ProducerOpened(
                    producer: opening.producer, epoch: known.epoch, next: known.next,
                    runs: rows(known.runs, epoch), streams: streams))
        case (_, .refused(let refusal)): return request.refused(refusal)
        case (.submit(let submission), _):
            var next = producers[submission.producer]?.next ?? 1
            var outcome = Submitted.Outcome.behind
            if case .stored(let before, let runs) = reply {
                // What was submitted behind these has an answer of its own, with their places.
                (next, outcome) = (before, .stored(rows(runs, epoch)))
            }
            return request.answer(
                Submitted(
                    producer: submission.producer, attempt: submission.attempt, next: next,
                    outcome: outcome))
        case (.open, _), (.await, _): return request.refused(.replaced)
        }
    }

    private func rows(
        _ runs: [StoredProducer.Run], _ epoch: (Channel, UInt64) -> Epoch?
    ) -> [SubmittedRun] {
        runs.compactMap { run in
            // A row may have been numbered in two epochs: where its first event was counts, and the
            // others are not told.
            guard let first = epoch(run.channel, run.sequences.lowerBound) else { return nil }
            let isWhole = epoch(run.channel, run.sequences.upperBound - 1) == first
            let end = isWhole ? run.sequences.upperBound : run.sequences.lowerBound + 1
            return SubmittedRun(
                first: run.first, stream: run.channel.stream, lane: run.channel.lane, epoch: first,
                sequences: run.sequences.lowerBound..<end)
        }
    }
}
