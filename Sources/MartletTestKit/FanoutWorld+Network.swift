internal import MartletDelivery

/// What happens between the nodes.
extension FanoutWorld {
    /// Messages that a SUB socket holds for a reader that does not read; others are dropped.
    private static let highWaterMark = 20

    // MARK: The publisher

    mutating func publish() throws(Violation) {
        guard !isHealing else { return }
        schedule.plan(.publish, at: now + generator.milliseconds(1...60))
        guard isPublisherAwake else { return }
        let lane = generator.number(0...plan.lanes - 1)
        let count = generator.number(1...4)
        guard !publisher.isHeldUp(at: clock) else {
            sometimes("publishing was held up")
            return
        }
        let sealed: Frame
        do throws(MartletError) {
            sealed = try publisher.seal(lane: lane, count: count, at: clock)
        } catch { throw Violation(invariant: "I4", description: error.message) }
        if plan.isDurable, plan.flaw != .publishesBeforeCommit { return }
        try checker.publish(sealed, at: now, isDurable: plan.isDurable)
        for reader in readers.indices { send(published: sealed.bytes, to: reader) }
    }

    /// What waits is stored, and then published.
    mutating func commit() throws(Violation) {
        schedule.plan(.commit, at: now + generator.milliseconds(1...30))
        guard isPublisherAwake else { return }
        for stored in publisher.commit(&generator, at: clock) {
            for entry in stored.entries where plan.flaw != .publishesBeforeCommit {
                let frame: Frame
                do throws(MartletError) { frame = try Frame(entry.frame.bytes) } catch {
                    throw Violation(invariant: "I3", description: error.message)
                }
                try checker.publish(frame, at: now, isDurable: true)
                for reader in readers.indices { send(published: frame.bytes, to: reader) }
            }
        }
        if publisher.isDoubtful { sometimes("a commit failed") }
    }

    /// I1: what was published, and so confirmed, is there after the publisher has come back; what
    /// was stored and not yet published may be.
    mutating func checkStored() throws(Violation) {
        guard let storage = publisher.storage else { return }
        for lane in 0..<plan.lanes {
            try checker.checkStored(publisher.payloads(of: lane, in: storage), lane: lane)
        }
    }

    /// The publisher's storage is asked.
    func askLater(_ request: StoredRequest) -> (Step, UInt64) {
        (.stored(link: publisher.link, request), now + 2_000)
    }

    mutating func answer(_ request: StoredRequest, _ link: Int) {
        guard link == publisher.link, isPublisherAwake else { return }
        sometimes("the journal was read for a reader")
        carryOut(publisher.answer(request))
    }

    var isPublisherAwake: Bool {
        !wounds.contains(.publisherDown) && !wounds.contains(.publisherPaused)
    }

    mutating func tickPublisher() {
        schedule.plan(.publisherTick, at: now + 100_000)
        if isPublisherAwake { carryOut(publisher.tick(at: clock)) }
    }

    mutating func arrive(_ message: Multipart, fromReader reader: Int, _ link: Int) {
        guard !wounds.contains(.publisherDown) else { return }
        guard !wounds.contains(.publisherPaused) else {
            // A paused process finds it in its socket when it goes on.
            schedule.plan(
                .toPublisher(reader: reader, link: link, message), at: now + 200_000)
            return
        }
        let message = plan.flaw == .truncatedAnsweredFromNewHistory ? redated(message) : message
        carryOut(
            publisher.receive(message, from: route(reader, link), at: clock))
    }

    private func route(_ reader: Int, _ link: Int) -> Bytes { Bytes(utf8: "\(reader)/\(link)") }

    /// A request behind an older history becomes one behind the present.
    private func redated(_ message: Multipart) -> Multipart {
        guard case .fetch(let session, let fetch)? = SessionMessage(message),
            case .behind(_, let sequence) = fetch.start
        else { return message }
        let present = Fetch(
            request: fetch.request, stream: fetch.stream, lane: fetch.lane,
            start: .behind(epoch: publisher.instance.epoch, sequence: sequence),
            upTo: fetch.upTo, byteBudget: fetch.byteBudget)
        return SessionMessage.fetch(session: session, present).multipart
    }

    private mutating func carryOut(_ effects: [FanoutPublisher.Effect]) {
        for effect in effects {
            switch effect {
            case .publish(let bytes):
                if plan.flaw == .noTailBeat, (try? Frame(bytes))?.isBeat == true { continue }
                for reader in readers.indices { send(published: bytes, to: reader) }
            case .send(let route, let message):
                send(falsified(message), to: route)
            case .ask(let request):
                let (step, time) = askLater(request)
                schedule.plan(step, at: time)
            case .submit, .worker, .inquire, .pulled: break
            }
        }
    }

    /// An answer as a publisher with a flaw would give it.
    private func falsified(_ message: Multipart) -> Multipart {
        if plan.flaw == .answersSkipAFrame, message.count > 2 {
            return Multipart(first: message.first, rest: Array(message.rest.dropFirst()))
        }
        guard case .end(let session, let end)? = SessionMessage(message) else { return message }
        let reason: FetchEnd.Reason
        switch (plan.flaw, end.reason) {
        case (.expiredAnsweredAsDone, .expired): reason = .done
        case (.everythingExpires, .done), (.everythingExpires, .more): reason = .expired
        default: return message
        }
        let changed = FetchEnd(
            request: end.request, reason: reason, epoch: end.epoch, next: end.next)
        return SessionMessage.end(session: session, changed).multipart
    }

    private mutating func send(published bytes: Bytes, to reader: Int) {
        guard readers[reader].isSubscribed, !wounds.contains(.publishedCut(reader)) else { return }
        if !isHealing, generator.chance(oneIn: 25) {
            sometimes("a published message was lost")
            return
        }
        let copies = !isHealing && generator.chance(oneIn: 60) ? 2 : 1
        for _ in 0..<copies {
            let arrival = max(
                publisher.lastArrival[reader] ?? 0, now + generator.milliseconds(0...15))
            publisher.lastArrival[reader] = arrival
            schedule.plan(
                .published(reader: reader, link: publisher.link, bytes), at: arrival)
        }
    }

    private mutating func send(_ message: Multipart, to route: Bytes) {
        let parts = route.text.split(separator: "/").compactMap { Int($0) }
        guard parts.count == 2 else { return }
        let (reader, link) = (parts[0], parts[1])
        guard !wounds.contains(.toReaderCut(reader)) else { return }
        let arrival = max(readers[reader].lastToReader, now + generator.milliseconds(0...10))
        readers[reader].lastToReader = arrival
        schedule.plan(.toReader(reader: reader, link: link, message), at: arrival)
    }

    // MARK: The readers

    func isAwake(_ reader: Int) -> Bool {
        !wounds.contains(.readerDown(reader)) && !wounds.contains(.readerPaused(reader))
    }

    mutating func connect(_ reader: Int) throws(Violation) {
        guard isAwake(reader) else {
            schedule.plan(.connect(reader), at: now + 300_000)
            return
        }
        readers[reader].link += 1
        let nonce = generator.next()
        try carryOut(readers[reader].machine.connected(nonce: nonce, at: clock), of: reader)
    }

    mutating func tick(_ reader: Int) throws(Violation) {
        schedule.plan(.readerTick(reader), at: now + 100_000)
        guard isAwake(reader) else { return }
        try carryOut(readers[reader].machine.tick(at: clock), of: reader)
    }

    mutating func arrive(published bytes: Bytes, at reader: Int, _ link: Int) throws(Violation) {
        guard link == publisher.link, readers[reader].isSubscribed,
            !wounds.contains(.readerDown(reader))
        else { return }
        guard isAwake(reader) else {
            if readers[reader].waiting.count < FanoutWorld.highWaterMark {
                readers[reader].waiting.append(
                    .published(reader: reader, link: link, bytes))
            } else {
                sometimes("a paused reader lost a published message")
            }
            return
        }
        try carryOut(
            readers[reader].machine.receive(published: bytes, at: clock), of: reader)
    }

    mutating func arrive(
        _ message: Multipart, at reader: Int, _ link: Int
    ) throws(Violation) {
        guard link == readers[reader].link, !wounds.contains(.readerDown(reader)) else { return }
        guard isAwake(reader) else {
            readers[reader].waiting.append(.toReader(reader: reader, link: link, message))
            return
        }
        try carryOut(readers[reader].machine.receive(message, at: clock), of: reader)
    }

    private mutating func send(_ message: Multipart, from reader: Int) {
        if plan.flaw == .noRequestAfterReattach, readers[reader].sessions > 1,
            case .fetch? = SessionMessage(message)
        {
            return
        }
        guard !wounds.contains(.toPublisherCut(reader)) else { return }
        let arrival = max(readers[reader].lastToPublisher, now + generator.milliseconds(0...10))
        readers[reader].lastToPublisher = arrival
        schedule.plan(
            .toPublisher(reader: reader, link: readers[reader].link, message), at: arrival)
    }

    private mutating func carryOut(
        _ effects: [PublisherPeer.Effect], of reader: Int
    ) throws(Violation) {
        for effect in effects {
            switch effect {
            case .send(let message): send(message, from: reader)
            case .reconnect(let pause):
                sometimes("a session was given up")
                let due = (clock + pause).microseconds
                schedule.plan(.connect(reader), at: due + generator.milliseconds(0...50))
            case .began:
                readers[reader].sessions += 1
                checker.takeEffect(reader: reader, at: now)
                readers[reader].isSubscribed = true
            case .reader(_, let effect): try take(effect, of: reader)
            case .peers, .itself, .work, .echoed: break
            case .fail(let error):
                throw Violation(invariant: "I4", description: "reader \(reader): \(error.message)")
            }
        }
    }

    private mutating func take(
        _ effect: FanoutReader.Effect, of reader: Int
    ) throws(Violation) {
        switch effect {
        case .started(let channel, let epoch, let next):
            readers[reader].queue.append(.started(channel, epoch, next: next))
        case .deliver(let frame, let from): deliver(frame, from, to: reader)
        case .lost(let gap):
            sometimes("a gap: \(gap.reason.rawValue)")
            if plan.flaw != .gapNotReported { readers[reader].queue.append(.gap(gap)) }
        case .inForce: sometimes("a subscription came into force")
        case .fetched: sometimes("events had to be asked for")
        case .fetch: break
        case .fail(let error):
            throw Violation(invariant: "I4", description: "reader \(reader): \(error.message)")
        }
    }

    private mutating func deliver(_ frame: Frame, _ from: UInt64, to reader: Int) {
        let item = SimulatedReader.Item.frame(frame, from: from)
        switch plan.flaw {
        case .deliversTwice where generator.chance(oneIn: 50):
            readers[reader].queue += [item, item]
        case .cursorBeforeDelivery where generator.chance(oneIn: 50): return
        case .forgetsTheFirst:
            if case .started? = readers[reader].queue.last { return }
            readers[reader].queue.append(item)
        case .deliversOutOfOrder where generator.chance(oneIn: 20):
            let place = max(0, readers[reader].queue.count - 1)
            readers[reader].queue.insert(item, at: place)
        default: readers[reader].queue.append(item)
        }
    }

    mutating func consume(_ reader: Int) throws(Violation) {
        let pause = generator.chance(oneIn: 40) && !isHealing ? 200...2_000 : 2...40
        schedule.plan(.consume(reader), at: now + generator.milliseconds(pause))
        guard isAwake(reader) else { return }
        let count = min(readers[reader].queue.count, generator.number(1...6))
        for _ in 0..<count {
            switch readers[reader].queue.removeFirst() {
            case .started(let channel, let epoch, let next):
                let isPresent =
                    (epoch == publisher.instance.epoch || plan.isDurable)
                    && readers[reader].wantsAll
                try checker.start(
                    reader: reader, lane: channel.lane, epoch: epoch.rawValue, next: next,
                    atMost: isPresent ? publisher.firstKept(lane: channel.lane) : nil,
                    isDurable: plan.isDurable)
                note("start \(reader) \(channel.lane) \(next)")
            case .gap(let gap):
                guard !plan.isDurable else {
                    throw Violation(invariant: "I6", description: "\(gap), which is stored")
                }
                try checker.report(
                    gap, reader: reader, epoch: publisher.instance.epoch.rawValue,
                    firstKept: publisher.firstKept(lane: gap.channel.lane))
                note("gap \(reader) \(gap.channel.lane) \(gap.first)")
            case .frame(let frame, let from):
                for event in frame where event.sequence >= from {
                    try checker.deliver(event, reader: reader, isDurable: plan.isDurable)
                }
                note("frame \(reader) \(frame.channel.lane) \(from)")
                try carryOut(
                    readers[reader].machine.consumed(
                        frame, by: SimulatedReader.subscription, at: clock), of: reader)
            }
        }
    }
}
