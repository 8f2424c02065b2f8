internal import MartletDelivery
internal import MartletSockets

/// What a producer does on its loop's thread: it dials its node, and sends what is to be submitted.
final class ProducerEngine: LoopDriver {
    private let buffer: SubmissionBuffer
    private var machine: ProducerClient
    private let dialer = NodeDialer()
    private var end: ChangeSignal?
    private var nextTick = MonotonicTime(microseconds: 0)

    init(_ buffer: SubmissionBuffer, _ machine: ProducerClient) {
        self.buffer = buffer
        self.machine = machine
    }

    /// Whether the node answers.
    var isOpen: Bool { machine.isOpen }

    /// The addresses of the node's name, as they are now. Who looks them up waits for a time, or
    /// for the end.
    func use(_ endpoints: [Endpoint], until end: ChangeSignal) {
        self.end = end
        dialer.use(endpoints)
    }

    func deliver(on loop: isolated SocketLoop) {
        for message in dialer.takeReceived() {
            carryOut(machine.receive(message, at: NodeClock.now))
        }
    }

    func turn(on loop: isolated SocketLoop) -> ContinuousClock.Instant {
        let now = NodeClock.now
        if dialer.connectIfDue(at: now, on: loop) {
            carryOut(machine.connected(nonce: .random(in: 1 ... .max), at: now))
        }
        // Asked before the events go, so that the node watches them from the start: those that are
        // numbered meanwhile are asked for in the next turn, and sent in it too.
        let frames = buffer.takeFrames()
        let awaited = buffer.takeAwaited()
        for event in awaited.ask { carryOut(machine.await(event.number, by: event.group)) }
        for event in awaited.forget { machine.forget(event.number, by: event.group) }
        for frame in frames {
            carryOut(machine.add(frame.bytes, frame.sequences, at: now))
        }
        if now >= min(nextTick, machine.deadline ?? nextTick) {
            nextTick = now + NodeEngine.tickInterval
            carryOut(machine.tick(at: now))
            buffer.expire(at: now)
            end?.expire(at: now)
        }
        let due = min(nextTick, machine.deadline ?? nextTick, dialer.due ?? nextTick)
        return .now + now.duration(to: due)
    }

    private func carryOut(_ effects: [ProducerClient.Effect]) {
        for effect in effects {
            switch effect {
            // What finds no room will be sent again.
            case .send(let message): dialer.send(message)
            case .reconnect(let pause): dialer.reconnect(after: pause)
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
