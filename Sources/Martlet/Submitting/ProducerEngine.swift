internal import MartletDelivery
internal import MartletSockets

/// What a producer does on its loop's thread: it dials its node, and sends what is to be submitted.
final class ProducerEngine: LoopDriver {
    private let buffer: SubmissionBuffer
    private var machine: ProducerClient
    /// Addresses of the node with numbers; one is used until it fails.
    private var endpoints: [Endpoint] = []
    private var place = 0
    private var service: ZeroMQLink<Dealer>?
    /// Whether the present socket has led to a session.
    private var hasBegun = false
    /// When a fresh socket is due.
    private var connectsAt: MonotonicTime?
    private var end: ChangeSignal?
    private var nextTick = MonotonicTime(microseconds: 0)

    init(_ buffer: SubmissionBuffer, _ machine: ProducerClient) {
        self.buffer = buffer
        self.machine = machine
    }

    /// The addresses of the node's name, as they are now. Who looks them up waits for a time, or
    /// for the end.
    func use(_ endpoints: [Endpoint], until end: ChangeSignal) {
        self.end = end
        guard !endpoints.isEmpty, endpoints != self.endpoints else { return }
        let isFirst = self.endpoints.isEmpty
        self.endpoints = endpoints
        place = 0
        if isFirst { connectsAt = NodeClock.now }
    }

    func deliver(on loop: isolated SocketLoop) {
        for message in service?.takeReceived() ?? [] {
            hasBegun = true
            carryOut(machine.receive(message, at: NodeClock.now))
        }
    }

    func turn(on loop: isolated SocketLoop) -> ContinuousClock.Instant {
        let now = NodeClock.now
        if let due = connectsAt, now >= due { connect(at: now, on: loop) }
        // Asked before the events go, so that the node watches them from the start: those that are
        // numbered meanwhile are asked for in the next turn, and sent in it too.
        let frames = buffer.takeFrames()
        let awaited = buffer.takeAwaited()
        for event in awaited.ask { carryOut(machine.await(event.number, by: event.group)) }
        for event in awaited.forget { machine.forget(event.number, by: event.group) }
        for frame in frames {
            carryOut(machine.add(frame.bytes, frame.sequences, at: now))
        }
        if now >= nextTick || machine.deadline.map({ now >= $0 }) ?? false {
            nextTick = now + NodeEngine.tickInterval
            carryOut(machine.tick(at: now))
            buffer.expire(at: now)
            end?.expire(at: now)
        }
        let dues = [connectsAt, machine.deadline].compactMap { $0 }
        return .now + now.duration(to: dues.reduce(nextTick, min))
    }

    private func connect(at now: MonotonicTime, on loop: isolated SocketLoop) {
        connectsAt = nil
        if let service {
            loop.abandon(service)
            if !hasBegun { place = (place + 1) % endpoints.count }
        }
        hasBegun = false
        do throws(MartletError) {
            let fresh = try loop.link(Dealer.self)
            service = fresh
            try loop.connect(fresh, to: endpoints[place])
            carryOut(machine.connected(nonce: .random(in: 1 ... .max), at: now))
        } catch {
            // Too many descriptors, say: it may be better in a moment.
            connectsAt = now + Limits.reconnectIntervalMax
        }
    }

    private func carryOut(_ effects: [ProducerClient.Effect]) {
        for effect in effects {
            switch effect {
            case .send(let message):
                // What finds no room is lost, and will be sent again.
                _ = try? service?.offer(message)
            case .reconnect(let pause): connectsAt = NodeClock.now + pause
            case .opened(let epoch, let next, let streams):
                buffer.open(epoch, next: next, streams)
            case .stored(let next, let node, let runs):
                buffer.stored(before: next, at: node, runs)
            case .ended(let outcome): tell(outcome)
            case .fail(let error): buffer.fail(error)
            }
        }
    }

    private func tell(_ outcome: ProducerOutcome) {
        let event = AwaitedEvent(number: outcome.awaiting.number, group: outcome.awaiting.group)
        switch outcome.answer {
        case .ended(let fate): buffer.outcomes.tell(Outcome(fate), of: event)
        case .forgotten: buffer.outcomes.tell(.forgotten, of: event)
        case .unknownGroup:
            buffer.outcomes.fail(
                MartletError(
                    .wrongState,
                    "The node knows no group `\(event.group)`: no worker of it has come yet. The "
                        + "event is stored, and the group gets it if it begins with the first."),
                of: event)
        }
    }

    /// Says goodbye.
    func close() { carryOut(machine.close()) }
}
