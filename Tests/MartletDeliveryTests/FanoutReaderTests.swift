import Testing

@testable import MartletDelivery

/// A reader of one publisher: where its channels begin.
@Suite struct FanoutReaderTests {
    static let instance = Instance(node: FrameMaker.node, epoch: Epoch(start: 1, random: 1))

    static func reader(_ start: Fetch.Start) -> FanoutReader {
        var reader = FanoutReader(
            Instance(node: .random(), epoch: Epoch(start: 1, random: 1)), named: "reader",
            to: ["orders"], from: start)
        _ = reader.connected(nonce: 1, at: .seconds(1))
        return reader
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

    /// The requests among effects, in short.
    static func fetches(_ effects: [FanoutReader.Effect]) -> [String] {
        effects.compactMap { effect in
            guard case .send(let message) = effect,
                case .fetch(_, let fetch)? = SessionMessage(message)
            else { return nil }
            let effect = SubscriberChannel.Effect.fetch(fetch)
            return "\(fetch.stream)/\(fetch.lane) \(effect.words)"
        }
    }

    @Test(arguments: [
        (Fetch.Start.first, "fetch 1/16"), (.now, "fetch 1/41"), (.time(.earliest), "fetch time"),
    ])
    func channelsBeginWhereTheWelcomeSays(start: Fetch.Start, words: String) throws {
        var reader = Self.reader(start)
        let message = try Self.welcome([("orders", 1, 17, 42), ("other", 1, 1, 5)])
        #expect(Self.fetches(reader.receive(message, at: .seconds(1))) == ["orders/1 \(words)"])
    }

    @Test func whatComesLaterBeginsWithItsFirstEvent() throws {
        var reader = Self.reader(.now)
        _ = reader.receive(try Self.welcome([]), at: .seconds(1))
        var maker = FrameMaker()
        _ = try maker.frame(3)
        let effects = reader.receive(published: try maker.frame(1).bytes, at: .seconds(1))
        #expect(Self.fetches(effects) == ["orders/1 fetch 1/0"])
    }

    @Test func framesOfOthersAreRefused() throws {
        var reader = Self.reader(.now)
        var maker = FrameMaker()
        // Before any session, and of streams that were not asked for.
        #expect(reader.receive(published: try maker.frame(1).bytes, at: .seconds(1)).isEmpty)
        #expect(reader.receive(published: Bytes([1, 2, 3]), at: .seconds(1)).isEmpty)
        #expect(reader.refused == 2)
        let other = Instance(node: NodeID(high: 5, low: 5), epoch: Epoch(start: 1, random: 1))
        _ = reader.receive(try Self.welcome([], nonce: 1, other), at: .seconds(1))
        #expect(reader.receive(published: try maker.frame(1).bytes, at: .seconds(1)).isEmpty)
        #expect(reader.refused == 3)
    }

    @Test func anotherNodeAtTheAddressIsAFailure() throws {
        var reader = Self.reader(.now)
        _ = reader.receive(try Self.welcome([]), at: .seconds(1))
        _ = reader.connected(nonce: 2, at: .seconds(2))
        let other = Instance(node: NodeID(high: 5, low: 5), epoch: Epoch(start: 1, random: 1))
        let effects = reader.receive(try Self.welcome([], nonce: 2, other), at: .seconds(2))
        #expect(effects.contains { if case .fail = $0 { true } else { false } })
    }
}
