/// A session from the side of the peer that dials: greeting, being heard from, and beginning anew
/// when it is not.
///
/// Neither libzmq's reconnecting nor its routing ids are trusted: whoever falls silent gets a fresh
/// socket and a new HELLO, and what belongs to another session changes nothing.
package struct PeerSession {
    /// What happens to it.
    package enum Input: Sendable {
        /// A fresh socket is there, or what is read has changed. The number is one that no other
        /// HELLO of this node has.
        case connected(nonce: UInt64, reading: StreamSelection)
        /// A message came; nil if it is none of ours.
        case received(SessionMessage?)
        /// Time has passed; consumers have got so far since the last beat.
        case tick([Reached])
        /// Consumers have got so far, which cannot wait for the next beat.
        case reached([Reached])
    }

    /// What is to be done about it.
    package enum Effect: Sendable {
        /// Send the message.
        case send(SessionMessage)
        /// The session has begun.
        case began(Welcome)
        /// A message of the session for the layers above.
        case forward(SessionMessage)
        /// The session is over, if there was one. Take a fresh socket after this time.
        case reconnect(after: Duration)
        /// A message of this node that it had sent at this moment has come back.
        case echoed(MonotonicTime)
        /// The peer knows of other nodes.
        case peers([String])
        /// The peer is this node itself.
        case itself
        /// It makes no sense to try again.
        case fail(MartletError)
    }

    private enum State {
        case idle
        case greeting(nonce: UInt64, since: MonotonicTime)
        case live(session: UInt64, Instance)
        case failed
    }

    private let hello: (instance: Instance, name: String, endpoint: String)
    /// Whether the node reads its own events here.
    private let isOwn: Bool
    private var state = State.idle
    private var lastHeard = MonotonicTime(microseconds: 0)
    private var lastBeat = MonotonicTime(microseconds: 0)
    private var peerClock: MonotonicTime?
    /// When the message was sent that has come back last.
    private(set) var lastEchoed: MonotonicTime?
    /// Attempts in a row that came to nothing.
    private var failures = 0

    /// Whether the peer has said that it closes, and has not come back.
    private(set) var hasLeft = false

    /// Messages that belonged to no session of this one, or were none.
    package private(set) var ignored: UInt64 = 0

    /// A session of this node with a publisher.
    package init(
        _ instance: Instance, named name: String, listeningAt endpoint: String = "",
        isOwn: Bool = false
    ) {
        self.isOwn = isOwn
        hello = (instance, name, endpoint)
    }

    /// The session's number and whose it is; nil while there is none.
    package var live: (session: UInt64, instance: Instance)? {
        if case .live(let session, let instance) = state { (session, instance) } else { nil }
    }

    /// Whether a beat is due, which may say how far consumers have got.
    package func isBeatDue(at now: MonotonicTime) -> Bool {
        live != nil && now >= lastBeat + Limits.beatInterval
    }

    /// The time without a sign of life after which a session is dead.
    static let silence = Limits.beatInterval * Limits.silentBeatsMax

    /// Takes note of what happened, and says what is to be done.
    package mutating func handle(_ input: Input, at now: MonotonicTime) -> [Effect] {
        switch (input, state) {
        case (_, .failed): return []
        case (.connected(let nonce, let streams), _):
            state = .greeting(nonce: nonce, since: now)
            let message = Hello(
                instance: hello.instance, nonce: nonce,
                versions: SessionMessage.version...SessionMessage.version, name: hello.name,
                endpoint: hello.endpoint, streams: streams)
            return [.send(.hello(message))]
        case (.received(let message), .greeting(let nonce, let since)):
            return greeted(message, nonce, since, now)
        case (.received(let message), .live(let session, _)):
            return heard(message, session, now)
        case (.received, .idle):
            ignored += 1
            return []
        case (.tick(let reached), _): return tick(reached, now)
        case (.reached(let reached), .live(let session, _)):
            return [beat(session, reached, now)]
        case (.reached, _): return []
        }
    }

    private mutating func greeted(
        _ message: SessionMessage?, _ nonce: UInt64, _ since: MonotonicTime,
        _ now: MonotonicTime
    ) -> [Effect] {
        switch message {
        case .welcome(let session, let welcome) where welcome.nonce == nonce:
            guard (welcome.instance.node == hello.instance.node) == isOwn else {
                // Another node at this one's own address takes its place before long.
                if isOwn { return [again()] }
                return fail(.duplicateIdentity, "It has the identity of this node.")
            }
            state = .live(session: session, welcome.instance)
            lastHeard = now
            lastBeat = now
            peerClock = nil
            hasLeft = false
            // The answer to a HELLO shows as well as a beat that the peer has heard of it.
            lastEchoed = since
            return [.began(welcome), .echoed(since)]
        case .bye(_, let goodbye) where goodbye.code != .unknownSession:
            return farewell(goodbye)
        default:
            ignored += 1
            return []
        }
    }

    private mutating func heard(
        _ message: SessionMessage?, _ session: UInt64, _ now: MonotonicTime
    ) -> [Effect] {
        guard let message, message.session == session else {
            ignored += 1
            return []
        }
        lastHeard = now
        switch message {
        case .beat(_, let beat):
            failures = 0
            peerClock = max(peerClock ?? beat.clock, beat.clock)
            guard let echo = beat.echo, echo > lastEchoed ?? MonotonicTime(microseconds: 0) else {
                return []
            }
            lastEchoed = echo
            return [.echoed(echo)]
        case .frames, .end, .opened, .submitted, .outcome, .joined, .work, .settled, .recall, .tell:
            return [.forward(message)]
        case .peers(_, let peers): return [.peers(peers)]
        case .bye(_, let goodbye): return farewell(goodbye)
        case .hello, .welcome, .fetch, .open, .submit, .await, .join, .results, .resize, .leave,
            .pulled,
            .ask:
            ignored += 1
            return []
        }
    }

    /// Some farewells mean that the same would happen again.
    private mutating func farewell(_ goodbye: Goodbye) -> [Effect] {
        switch goodbye.code {
        case .itself:
            state = .failed
            return [.itself]
        case .version, .duplicateIdentity: return fail(goodbye.code, goodbye.text)
        case .closing, .protocolError, .unknownSession, .full:
            hasLeft = goodbye.code == .closing
            return [again()]
        }
    }

    /// The more often in a row, the longer the pause.
    private mutating func again() -> Effect {
        state = .idle
        let pause = min(
            Limits.reconnectInterval * (1 << min(failures, 10)), Limits.greetingIntervalMax)
        failures += 1
        return .reconnect(after: pause)
    }

    private mutating func fail(_ code: Goodbye.Code, _ text: String) -> [Effect] {
        state = .failed
        let advice =
            code == .version
            ? "It speaks another version of the protocol. Bring both nodes to one version."
            : "Two nodes have one identity. Give one of them a journal folder of its own."
        return [
            .fail(MartletError(.wrongState, "The peer refuses this node: \(text) \(advice)"))
        ]
    }

    private mutating func beat(
        _ session: UInt64, _ reached: [Reached], _ now: MonotonicTime
    ) -> Effect {
        lastBeat = now
        let beat = Beat(clock: now, echo: peerClock, reached: reached)
        return .send(.beat(session: session, beat))
    }

    private mutating func tick(_ reached: [Reached], _ now: MonotonicTime) -> [Effect] {
        switch state {
        case .idle, .failed: return []
        case .greeting(_, let since):
            guard now >= since + PeerSession.silence else { return [] }
            return [again()]
        case .live(let session, _):
            guard now < lastHeard + PeerSession.silence else {
                return [again()]
            }
            guard now >= lastBeat + Limits.beatInterval else { return [] }
            return [beat(session, reached, now)]
        }
    }
}
