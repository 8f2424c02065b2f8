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
        for frame in buffer.takeFrames() {
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
            case .fail(let error): buffer.fail(error)
            }
        }
    }

    /// Says goodbye.
    func close() { carryOut(machine.close()) }
}
