/// The sessions of a publisher's service socket: who has greeted, who is still heard from.
///
/// Ordered by number, so that a run with the same inputs is the same run.
package struct SessionTable {
    /// What happens to it.
    package enum Input: Sendable {
        /// A message came from this routing id; nil if it is none of ours.
        case received(from: Bytes, SessionMessage?)
        /// Time has passed.
        case tick
    }

    /// What is to be done about it.
    package enum Effect: Sendable {
        /// Send the message to this routing id.
        case send(to: Bytes, SessionMessage)
        /// A peer has greeted: answer with what there is, under this session.
        case welcome(to: Bytes, session: UInt64, Hello)
        /// A session asks for events.
        case fetch(to: Bytes, session: UInt64, Fetch)
        /// A producer wants to submit, or submits.
        case submit(ProducerRequest)
        /// A worker says something.
        case worker(WorkerNews)
        /// A peer says how far it is with what it pulls.
        case pulled(Instance, PullReport)
        /// A peer asks something.
        case ask(session: UInt64, Inquiry)
        /// A session's consumers have got so far.
        case reached(session: UInt64, [Reached])
        /// A session is over.
        case closed(session: UInt64, Instance)
    }

    private struct Session {
        let number: UInt64
        let peer: Instance
        let name: String
        let route: Bytes
        var lastHeard: MonotonicTime
        var lastBeat: MonotonicTime
        var peerClock: MonotonicTime?
    }

    private let instance: Instance
    /// In the order of their beginnings.
    private var sessions: [Session] = []
    private var places: [UInt64: Int] = [:]
    private var lastNumber: UInt64
    /// The upper half of the nonces by which this node greets itself, to read its own events.
    package var ownNonces: UInt32?

    /// Messages that belonged to no session, or were none.
    package private(set) var ignored: UInt64 = 0

    /// The sessions of an instance. The first number should be random, so that those of an instance
    /// before mean nothing here.
    package init(of instance: Instance, firstNumber: UInt64) {
        self.instance = instance
        lastNumber = firstNumber
    }

    /// The sessions, and where their peers are.
    package var routes: [(session: UInt64, route: Bytes)] {
        sessions.map { ($0.number, $0.route) }
    }

    /// Where the peer of a session is; nil if there is no such session.
    package func route(of session: UInt64) -> Bytes? { places[session].map { sessions[$0].route } }

    /// How many sessions there are.
    package var count: Int { sessions.count }

    /// Takes note of what happened, and says what is to be done.
    package mutating func handle(_ input: Input, at now: MonotonicTime) -> [Effect] {
        switch input {
        case .received(let route, .hello(let hello)?): return greet(hello, route, now)
        case .received(let route, let message?): return hear(message, route, now)
        case .received(let route, nil):
            ignored += 1
            return [.send(to: route, bye(0, .protocolError, "This is no message of Martlet."))]
        case .tick: return tick(now)
        }
    }

    private func bye(_ session: UInt64, _ code: Goodbye.Code, _ text: String) -> SessionMessage {
        .bye(session: session, Goodbye(code: code, text: text))
    }

    private mutating func greet(
        _ hello: Hello, _ route: Bytes, _ now: MonotonicTime
    ) -> [Effect] {
        guard hello.versions.contains(SessionMessage.version) else {
            let version = SessionMessage.version
            return [.send(to: route, bye(0, .version, "Version \(version) is spoken here."))]
        }
        guard hello.instance.node != instance.node || isOwn(hello) else {
            return [.send(to: route, bye(0, .itself, "You have reached yourself."))]
        }
        var effects: [Effect] = []
        if let before = sessions.first(where: { $0.peer.node == hello.instance.node }) {
            let (old, new) = (before.peer.epoch, hello.instance.epoch)
            guard new >= old, new == old || new.start > old.start else {
                let text = "A node of this identity is connected, of another start."
                return [.send(to: route, bye(0, .duplicateIdentity, text))]
            }
            effects += remove(before.number)
        }
        // A socket speaks for one node: who greets under another name there has given up the first.
        if let before = sessions.first(where: { $0.route == route }) {
            effects += remove(before.number)
        }
        guard sessions.count < Limits.sessionsMax else {
            return effects + [.send(to: route, bye(0, .full, "There are too many sessions."))]
        }
        lastNumber &+= 1
        if lastNumber == 0 { lastNumber = 1 }
        places[lastNumber] = sessions.count
        sessions.append(
            Session(
                number: lastNumber, peer: hello.instance, name: hello.name, route: route,
                lastHeard: now, lastBeat: now))
        return effects + [.welcome(to: route, session: lastNumber, hello)]
    }

    private func isOwn(_ hello: Hello) -> Bool {
        ownNonces == UInt32(truncatingIfNeeded: hello.nonce >> 32)
    }

    private mutating func hear(
        _ message: SessionMessage, _ route: Bytes, _ now: MonotonicTime
    ) -> [Effect] {
        // A session belongs to the socket that began it.
        guard let place = places[message.session], sessions[place].route == route else {
            ignored += 1
            // Who only says goodbye needs no answer.
            if case .bye = message { return [] }
            let text = "This session is not known here. Say HELLO."
            return [.send(to: route, bye(message.session, .unknownSession, text))]
        }
        sessions[place].lastHeard = now
        switch message {
        case .beat(let session, let beat):
            sessions[place].peerClock = max(sessions[place].peerClock ?? beat.clock, beat.clock)
            let alive = Effect.worker(.beat(session: session))
            return beat.reached.isEmpty
                ? [alive] : [alive, .reached(session: session, beat.reached)]
        case .fetch(let session, let fetch):
            return [.fetch(to: route, session: session, fetch)]
        case .bye(let session, _): return remove(session, isGoodbye: true)
        case .open(let session, let opening):
            return [.submit(ProducerRequest(session: session, .open(opening)))]
        case .submit(let session, let submission):
            return [.submit(ProducerRequest(session: session, .submit(submission)))]
        case .await(let session, let awaiting):
            return [.submit(ProducerRequest(session: session, .await(awaiting)))]
        case .join(let session, _), .results(let session, _), .resize(let session, _),
            .leave(let session, _):
            let (peer, name) = (sessions[place].peer, sessions[place].name)
            return [.worker(.said(session: session, peer, named: name, message))]
        case .pulled(_, let report): return [.pulled(sessions[place].peer, report)]
        case .ask(let session, let inquiry): return [.ask(session: session, inquiry)]
        case .hello, .welcome, .peers, .frames, .end, .opened, .submitted, .outcome, .joined, .work,
            .settled, .recall, .tell:
            ignored += 1
            let text = "A peer does not send this."
            return [.send(to: route, bye(message.session, .protocolError, text))]
                + remove(message.session)
        }
    }

    private mutating func remove(_ number: UInt64, isGoodbye: Bool = false) -> [Effect] {
        guard let place = places.removeValue(forKey: number) else {
            preconditionFailure("there is no such session")
        }
        let gone = sessions.remove(at: place)
        for later in place..<sessions.count { places[sessions[later].number] = later }
        return [
            .closed(session: number, gone.peer),
            .worker(.closed(session: number, isGoodbye: isGoodbye)),
        ]
    }

    private mutating func tick(_ now: MonotonicTime) -> [Effect] {
        let dead = sessions.filter { now >= $0.lastHeard + PeerSession.silence }
        var effects = dead.flatMap { remove($0.number) }
        for place in sessions.indices where now >= sessions[place].lastBeat + Limits.beatInterval {
            sessions[place].lastBeat = now
            let beat = Beat(clock: now, echo: sessions[place].peerClock)
            effects.append(
                .send(
                    to: sessions[place].route,
                    .beat(session: sessions[place].number, beat)))
        }
        return effects
    }
}
