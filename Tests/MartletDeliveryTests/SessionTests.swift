import Testing

@testable import MartletDelivery

/// Sessions from both sides.
@Suite struct SessionTests {
    static let publisher = Instance(
        node: NodeID(high: 1, low: 1), epoch: Epoch(start: 1, random: 1))
    static let peer = Instance(node: NodeID(high: 2, low: 2), epoch: Epoch(start: 1, random: 5))
    static let route = Bytes(utf8: "a")

    static func hello(
        _ instance: Instance = peer, nonce: UInt64 = 9, versions: ClosedRange<UInt8> = 1...1
    ) -> SessionMessage {
        .hello(
            Hello(
                instance: instance, nonce: nonce, versions: versions, name: "peer",
                endpoint: "", streams: ["orders"]))
    }

    static func words(_ effects: [SessionTable.Effect]) -> [String] {
        effects.compactMap { effect -> String? in
            switch effect {
            case .worker: nil
            case .send(_, .bye(_, let goodbye)): "bye \(goodbye.code)"
            case .send(_, .beat): "beat"
            case .send: "send"
            case .welcome(_, let session, _): "welcome \(session)"
            case .fetch(_, let session, _): "fetch \(session)"
            case .submit(let request): "submit \(request.session)"
            case .pulled(_, let report): "pulled \(report.stream)"
            case .ask(let session, let inquiry): "ask \(session) \(inquiry.verb)"
            case .reached(let session, let reached): "reached \(session) \(reached.count)"
            case .closed(let session, _): "closed \(session)"
            }
        }
    }

    static func words(_ effects: [PeerSession.Effect]) -> [String] {
        effects.compactMap { effect -> String? in
            switch effect {
            case .echoed: nil
            case .send(.hello): "hello"
            case .send(.beat(_, let beat)): "beat \(beat.echo.map { "\($0.microseconds)" } ?? "-")"
            case .send: "send"
            case .began: "began"
            case .forward: "forward"
            case .reconnect(let pause):
                "reconnect \(pause.components.attoseconds / 1_000_000_000_000_000)"
            case .peers(let peers): "peers \(peers.count)"
            case .itself: "itself"
            case .fail: "fail"
            }
        }
    }

    // MARK: The publisher's side

    @Test func aPeerGreetsAsksAndFallsSilent() {
        var table = SessionTable(of: Self.publisher, firstNumber: 40)
        #expect(
            Self.words(table.handle(.received(from: Self.route, Self.hello()), at: .seconds(1)))
                == ["welcome 41"])
        let fetch = Fetch(request: 1, stream: "s", lane: 0, start: .first, upTo: nil, byteBudget: 1)
        let ask = SessionMessage.fetch(session: 41, fetch)
        #expect(
            Self.words(table.handle(.received(from: Self.route, ask), at: .seconds(1.2))) == [
                "fetch 41"
            ])
        #expect(Self.words(table.handle(.tick, at: .seconds(1.4))) == [])
        #expect(Self.words(table.handle(.tick, at: .seconds(1.5))) == ["beat"])
        #expect(Self.words(table.handle(.tick, at: .seconds(3.7))) == ["closed 41"])
        #expect(table.count == 0)
        #expect(
            Self.words(table.handle(.received(from: Self.route, ask), at: .seconds(4))) == [
                "bye unknownSession"
            ])
    }

    @Test func sessionsBelongToTheirSockets() {
        var table = SessionTable(of: Self.publisher, firstNumber: 40)
        _ = table.handle(.received(from: Self.route, Self.hello()), at: .seconds(1))
        let beat = SessionMessage.beat(session: 41, Beat(clock: .seconds(1), echo: nil))
        let forged = table.handle(.received(from: Bytes(utf8: "b"), beat), at: .seconds(1))
        #expect(Self.words(forged) == ["bye unknownSession"])
        #expect(table.ignored == 1)
        let bye = SessionMessage.bye(session: 41, Goodbye(code: .closing, text: ""))
        #expect(table.handle(.received(from: Bytes(utf8: "b"), bye), at: .seconds(1)).isEmpty)
        #expect(table.count == 1)
        #expect(
            Self.words(table.handle(.received(from: Self.route, bye), at: .seconds(1))) == [
                "closed 41"
            ])
    }

    @Test func identitiesAreOneAtATime() {
        var table = SessionTable(of: Self.publisher, firstNumber: 40)
        func greet(_ start: UInt32, _ random: UInt32) -> [String] {
            let instance = Instance(
                node: Self.peer.node, epoch: Epoch(start: start, random: random))
            return Self.words(
                table.handle(.received(from: Self.route, Self.hello(instance)), at: .seconds(1)))
        }
        #expect(greet(2, 5) == ["welcome 41"])
        #expect(greet(2, 5) == ["closed 41", "welcome 42"])
        #expect(greet(2, 6) == ["bye duplicateIdentity"])
        #expect(greet(1, 9) == ["bye duplicateIdentity"])
        #expect(greet(3, 1) == ["closed 42", "welcome 43"])
        let own = table.handle(
            .received(from: Self.route, Self.hello(Self.publisher)), at: .seconds(1))
        #expect(Self.words(own) == ["bye itself"])
        let future = table.handle(
            .received(from: Self.route, Self.hello(versions: 2...3)), at: .seconds(1))
        #expect(Self.words(future) == ["bye version"])
    }

    /// Fuzzing found this: a socket that greeted under many names had as many sessions.
    @Test func aSocketSpeaksForOneNode() {
        var table = SessionTable(of: Self.publisher, firstNumber: 40)
        func greet(_ low: UInt64, from route: Bytes) -> [String] {
            let instance = Instance(node: NodeID(high: 3, low: low), epoch: Self.peer.epoch)
            return Self.words(
                table.handle(.received(from: route, Self.hello(instance)), at: .seconds(1)))
        }
        #expect(greet(1, from: Self.route) == ["welcome 41"])
        #expect(greet(2, from: Self.route) == ["closed 41", "welcome 42"])
        #expect(greet(1, from: Bytes(utf8: "b")) == ["welcome 43"])
        #expect(table.count == 2)
    }

    @Test func beatsSayWhatConsumersHaveReached() {
        var table = SessionTable(of: Self.publisher, firstNumber: 40)
        _ = table.handle(.received(from: Self.route, Self.hello()), at: .seconds(1))
        let reached = [Reached(stream: "orders", lane: 1, sequence: 4)]
        let beat = SessionMessage.beat(
            session: 41, Beat(clock: .seconds(1), echo: nil, reached: reached))
        #expect(
            Self.words(table.handle(.received(from: Self.route, beat), at: .seconds(1))) == [
                "reached 41 1"
            ])
    }

    @Test func strangersHearABye() {
        var table = SessionTable(of: Self.publisher, firstNumber: 40)
        #expect(
            Self.words(table.handle(.received(from: Self.route, nil), at: .seconds(1))) == [
                "bye protocolError"
            ])
        _ = table.handle(.received(from: Self.route, Self.hello()), at: .seconds(1))
        let end = FetchEnd(request: 1, reason: .done, epoch: Self.peer.epoch, next: 1)
        let wrong = table.handle(
            .received(from: Self.route, .end(session: 41, end)), at: .seconds(1))
        #expect(Self.words(wrong) == ["bye protocolError", "closed 41"])
    }

    @Test func thereIsAnEndToHowMany() {
        var table = SessionTable(of: Self.publisher, firstNumber: 0)
        for number in 0..<Limits.sessionsMax {
            let instance = Instance(
                node: NodeID(high: 7, low: UInt64(number)), epoch: Self.peer.epoch)
            _ = table.handle(
                .received(from: Bytes(utf8: "\(number)"), Self.hello(instance)), at: .seconds(1))
        }
        #expect(table.count == Limits.sessionsMax)
        #expect(
            Self.words(table.handle(.received(from: Self.route, Self.hello()), at: .seconds(1)))
                == ["bye full"])
    }

    // MARK: The peer's side

    static func welcome(nonce: UInt64 = 9, _ instance: Instance = publisher) -> SessionMessage {
        .welcome(
            session: 41,
            Welcome(
                nonce: nonce, instance: instance, name: "shop", dataEndpoint: "", pushEndpoint: "",
                eventBytesMax: 1, channels: [], peers: []))
    }

    @Test func aPeerGreetsBeatsAndBeginsAnew() {
        var session = PeerSession(Self.peer, named: "peer")
        #expect(
            Self.words(session.handle(.connected(nonce: 9, reading: []), at: .seconds(1))) == [
                "hello"
            ])
        #expect(session.handle(.received(Self.welcome(nonce: 8)), at: .seconds(1)).isEmpty)
        #expect(Self.words(session.handle(.received(Self.welcome()), at: .seconds(1))) == ["began"])
        #expect(session.live?.session == 41)
        #expect(session.handle(.tick([]), at: .seconds(1.4)).isEmpty)
        #expect(Self.words(session.handle(.tick([]), at: .seconds(1.5))) == ["beat -"])
        let beat = SessionMessage.beat(session: 41, Beat(clock: .seconds(7), echo: nil))
        #expect(session.handle(.received(beat), at: .seconds(2)).isEmpty)
        #expect(Self.words(session.handle(.tick([]), at: .seconds(2))) == ["beat 7000000"])
        let old = SessionMessage.beat(session: 40, Beat(clock: .seconds(9), echo: nil))
        #expect(session.handle(.received(old), at: .seconds(4)).isEmpty)
        #expect(session.ignored == 2)
        #expect(Self.words(session.handle(.tick([]), at: .seconds(4.5))) == ["reconnect 100"])
        #expect(session.live == nil)
        #expect(
            Self.words(session.handle(.connected(nonce: 10, reading: []), at: .seconds(5))) == [
                "hello"
            ])
        #expect(session.handle(.tick([]), at: .seconds(7)).isEmpty)
        // The more often in a row, the longer the pause.
        #expect(Self.words(session.handle(.tick([]), at: .seconds(7.5))) == ["reconnect 200"])
    }

    @Test(arguments: [
        (Goodbye.Code.version, "fail"), (.duplicateIdentity, "fail"), (.itself, "itself"),
        (.closing, "reconnect 100"),
        (.full, "reconnect 100"), (.protocolError, "reconnect 100"),
    ])
    func farewellsMeanDifferentThings(code: Goodbye.Code, effect: String) {
        var session = PeerSession(Self.peer, named: "peer")
        _ = session.handle(.connected(nonce: 9, reading: []), at: .seconds(1))
        let bye = SessionMessage.bye(session: 0, Goodbye(code: code, text: ""))
        #expect(Self.words(session.handle(.received(bye), at: .seconds(1))) == [effect])
    }

    /// A node that reads its own events is known by its nonces; every other HELLO of its identity
    /// has only reached it by another address.
    @Test func aNodeMayGreetItself() {
        var table = SessionTable(of: Self.publisher, firstNumber: 40)
        table.ownNonces = 5
        for (nonce, words) in [
            (5 << 32 | 1 as UInt64, ["welcome 41"]), (9, ["bye itself"]),
            (5 << 32 | 2, ["closed 41", "welcome 42"]), (6 << 32 | 2, ["bye itself"]),
        ] {
            let hello = Self.hello(Self.publisher, nonce: nonce)
            let effects = table.handle(.received(from: Self.route, hello), at: .seconds(1))
            #expect(Self.words(effects) == words)
        }
    }

    @Test func itsOwnIdentityIsRefused() {
        var session = PeerSession(Self.peer, named: "peer")
        _ = session.handle(.connected(nonce: 9, reading: []), at: .seconds(1))
        let own = session.handle(.received(Self.welcome(Self.peer)), at: .seconds(1))
        #expect(Self.words(own) == ["fail"])
        #expect(session.handle(.connected(nonce: 10, reading: []), at: .seconds(1)).isEmpty)
    }
}
