import MartletCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Carries the bytes of all connections of a proxy, on one thread.
// Sound to share: after it is made, only its thread touches it, and whoever drops it last is alone.
final class ProxyLoop: @unchecked Sendable {
    /// What is wanted of it at present.
    struct Orders: Sendable {
        let faults: NetworkFaults
        let cuts: Int
        let freezes: Int
    }

    private let listener: SystemSocket
    private let target: Endpoint
    private let alarm: ProxyAlarm
    private var connections: [ProxyConnection] = []
    private var random: SimulationGenerator
    private var cuts = 0
    private var freezes = 0

    init(
        _ listener: consuming SystemSocket, to target: Endpoint, wokenBy alarm: ProxyAlarm,
        seed: UInt64
    ) {
        self.listener = listener
        self.target = target
        self.alarm = alarm
        random = SimulationGenerator(seed: seed)
    }

    /// Until nobody wants anything any more.
    func run(_ orders: () -> Orders?) {
        let clock = ContinuousClock()
        let began = clock.now
        while let orders = orders() {
            if orders.cuts != cuts {
                cuts = orders.cuts
                connections = []
            }
            if orders.freezes != freezes {
                freezes = orders.freezes
                for connection in connections { connection.isFrozen = true }
            }
            accept()
            let now = clock.now - began
            for connection in connections { connection.carry(orders.faults, at: now) }
            connections.removeAll(where: \.hasEnded)
            wait(orders.faults, at: now)
        }
    }

    private func accept() {
        while let client = listener.acceptNext() {
            guard let server = try? SystemSocket.connecting(to: target) else { continue }
            connections.append(
                ProxyConnection(client, server, seeds: (random.next(), random.next())))
        }
    }

    /// Sleeps until something can be done.
    private func wait(_ faults: NetworkFaults, at now: Duration) {
        var polled = [
            pollfd(fd: listener.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: alarm.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        for connection in connections { polled += connection.polled(faults, at: now) }
        let due = connections.compactMap { $0.due(faults, after: now) }.min()
        // At least once a second, should a wake-up be lost.
        let pause = due.map { max(.zero, min($0 - now, .seconds(1))) } ?? .seconds(1)
        let milliseconds = Int32((pause / .milliseconds(1)).rounded(.up))
        // Sound: the array has as many elements as it says.
        _ = unsafe poll(&polled, nfds_t(polled.count), milliseconds)
        alarm.clear()
    }
}

/// A connection that goes through a proxy: two sockets, and a pipe in each direction.
private final class ProxyConnection {
    private let client: SystemSocket
    private let server: SystemSocket
    private var forth: FaultyPipe
    private var back: FaultyPipe
    private var hasFailed = false
    /// It carries nothing any more.
    var isFrozen = false

    init(
        _ client: consuming SystemSocket, _ server: consuming SystemSocket,
        seeds: (UInt64, UInt64)
    ) {
        self.client = client
        self.server = server
        forth = FaultyPipe(seed: seeds.0)
        back = FaultyPipe(seed: seeds.1)
    }

    /// Whether it is over: both sides have ended, and what they had said has gone.
    var hasEnded: Bool { hasFailed || forth.isDone && back.isDone }

    /// Takes what has come, and sends what is due.
    func carry(_ faults: NetworkFaults, at now: Duration) {
        guard !faults.isSilent, !isFrozen else { return }
        take(from: client, into: &forth, faults, now)
        take(from: server, into: &back, faults, now)
        send(&forth, to: server, now)
        send(&back, to: client, now)
        // One that was cut in the middle ends both ways; one that ended by itself, one way.
        if forth.isCut || back.isCut { hasFailed = hasFailed || forth.isDone || back.isDone }
        if forth.isDone { server.endSending() }
        if back.isDone { client.endSending() }
    }

    private func take(
        from socket: borrowing SystemSocket, into pipe: inout FaultyPipe, _ faults: NetworkFaults,
        _ now: Duration
    ) {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while pipe.hasRoom {
            switch socket.receive(into: &buffer) {
            case .done(0): pipe.close()
            case .done(let count): pipe.take(Array(buffer[..<count]), faults, at: now)
            case .later: return
            case .failed:
                hasFailed = true
                return
            }
        }
    }

    private func send(
        _ pipe: inout FaultyPipe, to socket: borrowing SystemSocket, _ now: Duration
    ) {
        while let bytes = pipe.ready(at: now) {
            // A piece that was cut at its beginning.
            guard !bytes.isEmpty else {
                pipe.sent(0)
                continue
            }
            switch socket.send(bytes) {
            case .done(let count): pipe.sent(count)
            case .later: return
            case .failed:
                hasFailed = true
                return
            }
        }
    }

    /// What the system is to tell of.
    func polled(_ faults: NetworkFaults, at now: Duration) -> [pollfd] {
        guard !faults.isSilent, !isFrozen else { return [] }
        return [
            entry(client.descriptor, events(forth, back, now)),
            entry(server.descriptor, events(back, forth, now)),
        ]
    }

    /// Where nothing is wanted, the system is not asked: it would tell of the end again and again.
    private func entry(_ descriptor: Int32, _ events: Int16) -> pollfd {
        pollfd(fd: events == 0 ? -1 : descriptor, events: events, revents: 0)
    }

    private func events(_ incoming: FaultyPipe, _ outgoing: FaultyPipe, _ now: Duration) -> Int16 {
        (incoming.hasRoom ? Int16(POLLIN) : 0)
            | (outgoing.hasReady(at: now) ? Int16(POLLOUT) : 0)
    }

    /// When something of what has come may go that may not yet.
    func due(_ faults: NetworkFaults, after now: Duration) -> Duration? {
        faults.isSilent || isFrozen
            ? nil : [forth.due(after: now), back.due(after: now)].compactMap { $0 }.min()
    }
}
