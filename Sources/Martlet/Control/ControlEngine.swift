internal import MartletDelivery
internal import MartletSockets

/// What somebody who asks does on its loop's thread: it dials the node, and asks.
final class ControlEngine: LoopDriver {
    private let book: AnswerBook
    private var machine: ControlClient
    private let dialer: NodeDialer
    private var nextTick = MonotonicTime(microseconds: 0)

    init(_ book: AnswerBook, _ machine: ControlClient, _ endpoints: [Endpoint]) {
        self.book = book
        self.machine = machine
        dialer = NodeDialer(endpoints)
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
        let inquiries = book.takeInquiries()
        for request in inquiries.forget { machine.forget(request) }
        for inquiry in inquiries.ask { carryOut(machine.ask(inquiry)) }
        if now >= nextTick {
            nextTick = now + NodeEngine.tickInterval
            carryOut(machine.tick(at: now))
            book.expire(at: now)
        }
        let due = dialer.due.map { min($0, nextTick) } ?? nextTick
        return .now + now.duration(to: due)
    }

    private func carryOut(_ effects: [ControlClient.Effect]) {
        for effect in effects {
            switch effect {
            // What finds no room is not answered, and its time passes.
            case .send(let message): dialer.send(message)
            case .reconnect(let pause): dialer.reconnect(after: pause)
            case .answered(let answer): book.take(answer)
            case .lost(let requests): book.lose(requests)
            case .fail(let error): book.fail(error)
            }
        }
    }

    /// Says goodbye.
    func close() { carryOut(machine.close()) }
}
