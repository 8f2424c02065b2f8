import Testing

@testable import MartletDelivery

/// A subscription at one publisher, and several that share its session.
@Suite struct FanoutReaderTests {
    static let instance = Instance(node: FrameMaker.node, epoch: Epoch(start: 1, random: 1))
    static let me = Instance(node: NodeID(high: 8, low: 8), epoch: Epoch(start: 1, random: 1))

    static func peer(_ start: FanoutReader.Start) -> PublisherPeer {
        var peer = PublisherPeer(me, named: "reader")
        peer.add(FanoutReader(number: 1, to: ["orders"], from: start), numbered: 1)
        _ = peer.connected(nonce: 1, at: .seconds(1))
        return peer
    }

    static func welcome(
        _ channels: [(String, Int, UInt64, UInt64)], nonce: UInt64 = 1,
        _ instance: Instance = instance
    ) throws -> Multipart {
        let states = try channels.map { stream, lane, first, next in
            Welcome.ChannelState(
                stream: try StreamName(stream), lane: lane, first: first, next: next)
        }
        let welcome = Welcome(
            nonce: nonce, instance: instance, name: "p", dataEndpoint: "", pushEndpoint: "",
            eventBytesMax: 1, channels: states, peers: [])
        return SessionMessage.welcome(session: 7, welcome).multipart
    }

    /// What is done, in short.
    static func words(_ effects: [PublisherPeer.Effect]) -> [String] {
        effects.compactMap { effect in
            switch effect {
            case .send(let message):
                guard case .fetch(_, let fetch)? = SessionMessage(message) else {
                    return "message"
                }
                return
                    "\(fetch.stream)/\(fetch.lane) \(SubscriberChannel.Effect.fetch(fetch).words)"
            case .began, .work, .echoed: return nil
            case .reconnect: return "reconnect"
            case .fail: return "fail"
            case .peers(let peers): return "peers \(peers.count)"
            case .itself: return "itself"
            case .reader(let number, .inForce): return "\(number): in force"
            case .reader(let number, .deliver(let frame, let from)):
                return "\(number): deliver \(from)..<\(frame.sequences.upperBound)"
            case .reader(let number, .lost(let gap)):
                return "\(number): " + SubscriberChannel.Effect.lost(gap).words
            case .reader(let number, .started(_, _, let next)): return "\(number): started \(next)"
            case .reader: return "other"
            }
        }
    }

    static let position = Position(
        channel: Channel(node: FrameMaker.node, stream: "orders", lane: 1),
        epoch: Epoch(start: 1, random: 1), sequence: 20)

    @Test(arguments: [
        (FanoutReader.Start.first, "fetch 1/16"), (.now, "fetch 1/41"),
        (.time(.earliest), "fetch time"), (.behind([position]), "fetch 1/20"),
        (.behind([]), "fetch 1/16"),
    ])
    func channelsBeginWhereTheWelcomeSays(start: FanoutReader.Start, words: String) throws {
        var peer = Self.peer(start)
        let message = try Self.welcome([("orders", 1, 17, 42), ("other", 1, 1, 5)])
        #expect(Self.words(peer.receive(message, at: .seconds(1))) == ["orders/1 \(words)"])
    }

    /// All channels together ask for half of what may wait, and each for one turn at least.
    @Test(arguments: [(1, 4), (2, 2), (4, 1), (16, 1)])
    func channelsShareWhatIsAskedForAtOnce(count: Int, turns: Int) throws {
        var reader = FanoutReader(to: ["orders"], from: .first)
        let states = (0..<count).map {
            Welcome.ChannelState(stream: "orders", lane: $0, first: 1, next: 9)
        }
        let welcome = Welcome(
            nonce: 1, instance: Self.instance, name: "p", dataEndpoint: "", pushEndpoint: "",
            eventBytesMax: 1, channels: states, peers: [])
        for _ in 0..<2 {
            let effects = reader.attached(welcome, at: .seconds(1))
            let budgets = effects.compactMap { effect -> UInt64? in
                if case .fetch(let fetch) = effect { fetch.byteBudget } else { nil }
            }
            #expect(budgets.count == count)
            #expect(budgets.allSatisfy { $0 == UInt64(turns * Limits.fetchBytes) })
        }
    }

    /// Several publishers have lanes of one stream; each goes on behind its own position.
    @Test func positionsOfOtherNodesMeanNothing() throws {
        var peer = Self.peer(.behind([Self.position]))
        let other = Instance(node: NodeID(high: 5, low: 5), epoch: Epoch(start: 1, random: 1))
        let message = try Self.welcome([("orders", 1, 17, 42)], other)
        #expect(
            Self.words(peer.receive(message, at: .seconds(1))) == ["orders/1 fetch 1/16"])
    }

    /// A node that went out of sight is gone on with where it was, also in channels that are new.
    @Test func whoComesBackIsGoneOnWith() throws {
        var resumed = ResumedPositions()
        resumed.add([
            Position(
                channel: Channel(node: Self.instance.node, stream: "orders", lane: 1),
                epoch: Self.instance.epoch, sequence: 30)
        ])
        var peer = PublisherPeer(
            Instance(node: NodeID(high: 2, low: 2), epoch: Epoch(start: 1, random: 1)), named: "r")
        peer.add(FanoutReader(to: ["orders"], from: .first, resuming: resumed), numbered: 0)
        _ = peer.connected(nonce: 1, at: .seconds(1))
        let message = try Self.welcome([("orders", 1, 17, 42), ("orders", 2, 5, 9)])
        #expect(
            Self.words(peer.receive(message, at: .seconds(1))) == [
                "orders/1 fetch 1/30", "orders/2 fetch 1/0",
            ])
    }

    @Test func aSubscriptionIsInForceWhenAllItsChannelsHaveBegun() throws {
        var peer = Self.peer(.now)
        let message = try Self.welcome([("orders", 1, 1, 1), ("orders", 2, 1, 1)])
        let effects = peer.receive(message, at: .seconds(1))
        var answers: [String] = []
        for case .send(let message) in effects {
            guard case .fetch(_, let fetch)? = SessionMessage(message) else { continue }
            let end = FetchEnd(
                request: fetch.request, reason: .done, epoch: Self.instance.epoch, next: 1)
            answers += Self.words(
                peer.receive(SessionMessage.end(session: 7, end).multipart, at: .seconds(1)))
        }
        #expect(answers == ["1: started 1", "1: started 1", "1: in force"])
        // Nothing is there yet: it is in force at once.
        var other = Self.peer(.now)
        let inForce = other.receive(try Self.welcome([]), at: .seconds(1))
        #expect(Self.words(inForce) == ["1: in force"])
    }

    @Test func whatComesLaterBeginsWithItsFirstEvent() throws {
        var peer = Self.peer(.now)
        _ = peer.receive(try Self.welcome([]), at: .seconds(1))
        var maker = FrameMaker()
        _ = try maker.frame(3)
        let effects = peer.receive(published: try maker.frame(1).bytes, at: .seconds(1))
        #expect(Self.words(effects) == ["orders/1 fetch 1/0"])
    }

    @Test func framesOfOthersAreRefused() throws {
        var peer = Self.peer(.now)
        var maker = FrameMaker()
        // Before any session, and what is no frame.
        #expect(peer.receive(published: try maker.frame(1).bytes, at: .seconds(1)).isEmpty)
        #expect(peer.receive(published: Bytes([1, 2, 3]), at: .seconds(1)).isEmpty)
        #expect(peer.refused == 2)
        let other = Instance(node: NodeID(high: 5, low: 5), epoch: Epoch(start: 1, random: 1))
        _ = peer.receive(try Self.welcome([], nonce: 1, other), at: .seconds(1))
        #expect(peer.receive(published: try maker.frame(1).bytes, at: .seconds(1)).isEmpty)
        #expect(peer.refused == 3)
    }

    /// A publisher without a memory of its own is another node each time it starts.
    @Test func anotherNodeAtTheAddressIsFollowedFromItsFirstEvent() throws {
        var peer = Self.peer(.behind([Self.position]))
        var maker = FrameMaker()
        maker.next = 21
        _ = peer.receive(try Self.welcome([("orders", 1, 17, 22)]), at: .seconds(1))
        let frame = SessionMessage.frames(
            session: 7, request: 1 << 48 | 1, [try maker.frame(1).bytes])
        #expect(
            Self.words(peer.receive(frame.multipart, at: .seconds(1)))
                == ["other", "1: started 21", "1: in force", "1: deliver 21..<22"])
        _ = peer.connected(nonce: 2, at: .seconds(2))
        let other = Instance(node: NodeID(high: 5, low: 5), epoch: Epoch(start: 1, random: 1))
        let effects = peer.receive(
            try Self.welcome([("orders", 1, 3, 9)], nonce: 2, other), at: .seconds(2))
        #expect(Self.words(effects) == ["1: lost 1/22-? instanceGone", "orders/1 fetch 1/0"])
    }

    /// A second subscription greets anew, and each has its own requests.
    @Test func subscriptionsShareASession() throws {
        var peer = Self.peer(.now)
        _ = peer.receive(try Self.welcome([("orders", 1, 1, 5)]), at: .seconds(1))
        peer.add(FanoutReader(number: 2, to: ["orders", "a"], from: .first), numbered: 2)
        #expect(peer.streams == ["a", "orders"])
        _ = peer.connected(nonce: 2, at: .seconds(2))
        let message = try Self.welcome([("orders", 1, 1, 5)], nonce: 2)
        let fetches = peer.receive(message, at: .seconds(2)).compactMap { effect -> Fetch? in
            guard case .send(let message) = effect,
                case .fetch(_, let fetch)? = SessionMessage(message)
            else { return nil }
            return fetch
        }
        #expect(fetches.map { $0.request >> 48 } == [1, 2])
        peer.remove(reader: 1)
        let end = FetchEnd(
            request: fetches[1].request, reason: .done, epoch: Self.instance.epoch, next: 1)
        #expect(
            Self.words(
                peer.receive(SessionMessage.end(session: 7, end).multipart, at: .seconds(2)))
                == ["2: started 1", "2: in force"])
    }
}
