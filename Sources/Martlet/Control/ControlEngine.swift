internal import MartletDelivery
internal import MartletSockets

/// What somebody who asks does on its loop's thread: it dials the node, and asks.
final class ControlEngine: LoopDriver {
    private let book: AnswerBook
    private var machine: ControlClient
    /// Addresses of the node with numbers; one is used until it fails.
    private let endpoints: [Endpoint]
    private var place = 0
    private var service: ZeroMQLink<Dealer>?
    /// Whether the present socket has led to a session.
    private var hasBegun = false
    /// When a fresh socket is due.
    private var connectsAt: MonotonicTime?
    private var nextTick = MonotonicTime(microseconds: 0)

    init(_ book: AnswerBook, _ machine: ControlClient, _ endpoints: [Endpoint]) {
        self.book = book
        self.machine = machine
        self.endpoints = endpoints
        connectsAt = NodeClock.now
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
        let inquiries = book.takeInquiries()
        for request in inquiries.forget { machine.forget(request) }
        for inquiry in inquiries.ask { carryOut(machine.ask(inquiry)) }
        if now >= nextTick {
            nextTick = now + NodeEngine.tickInterval
            carryOut(machine.tick(at: now))
            book.expire(at: now)
        }
        let due = connectsAt.map { min($0, nextTick) } ?? nextTick
        return .now + now.duration(to: due)
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

    private func carryOut(_ effects: [ControlClient.Effect]) {
        for effect in effects {
            switch effect {
            case .send(let message):
                // What finds no room is not answered, and its time passes.
                _ = try? service?.offer(message)
            case .reconnect(let pause): connectsAt = NodeClock.now + pause
            case .answered(let answer): book.take(answer)
            case .lost(let requests): book.lose(requests)
            case .fail(let error): book.fail(error)
            }
        }
    }

    /// Says goodbye.
    func close() { carryOut(machine.close()) }
}
