import MartletCore
import MartletSockets
import Testing

@Suite struct OptionTests {
    @Test func socketsBeginWithSafeDefaults() throws {
        let socket = try Context().socket(Dealer.self)
        #expect(try socket.value(of: .linger) == .zero)
        #expect(try socket.value(of: .maxMessageBytes) == Limits.messageBytesMax)
        #expect(try socket.value(of: .sendHighWaterMark) == Limits.highWaterMark)
        #expect(try socket.value(of: .receiveHighWaterMark) == Limits.highWaterMark)
        #expect(try socket.value(of: .handshakeInterval) == Limits.handshakeInterval)
        // While a receiver is full, heartbeats would cost it the messages of its connection.
        #expect(try socket.value(of: .heartbeatInterval) == .zero)
        #expect(try socket.value(of: .tcpKeepAlive) == 1)
        #expect(try socket.value(of: .tcpKeepAliveIdle) == Limits.keepAliveIdle)
        #expect(try socket.value(of: .tcpKeepAliveInterval) == Limits.keepAliveInterval)
        #expect(try socket.value(of: .tcpKeepAliveProbes) == Limits.keepAliveProbes)
        #expect(try socket.value(of: .reconnectInterval) == Limits.reconnectInterval)
        #expect(try socket.value(of: .reconnectIntervalMax) == Limits.reconnectIntervalMax)
        #expect(try socket.value(of: .immediate))
        #expect(try socket.value(of: .sendTimeout) == nil)
        #expect(try socket.value(of: .receiveTimeout) == nil)
    }

    @Test func valuesComeBackAsTheyWereSet() throws {
        let socket = try Context().socket(Dealer.self)
        try socket.set(.linger, to: .seconds(2))
        #expect(try socket.value(of: .linger) == .seconds(2))
        try socket.set(.linger, to: nil)
        #expect(try socket.value(of: .linger) == nil)
        try socket.set(.receiveTimeout, to: .milliseconds(15))
        #expect(try socket.value(of: .receiveTimeout) == .milliseconds(15))
        try socket.set(.maxMessageBytes, to: 5_000_000_000)
        #expect(try socket.value(of: .maxMessageBytes) == 5_000_000_000)
        try socket.set(.heartbeatTTL, to: .seconds(60))
        #expect(try socket.value(of: .heartbeatTTL) == .seconds(60))
        try socket.set(.heartbeatTTL, to: .milliseconds(10))
        #expect(try socket.value(of: .heartbeatTTL) == .milliseconds(100))
        try socket.set(.routingID, to: Bytes(utf8: "me"))
        #expect(try socket.value(of: .routingID) == Bytes(utf8: "me"))
        try socket.set(.tcpKeepAlive, to: 0)
        #expect(try socket.value(of: .tcpKeepAlive) == 0)
        try socket.set(.tcpKeepAliveIdle, to: .milliseconds(2_500))
        #expect(try socket.value(of: .tcpKeepAliveIdle) == .seconds(3))
        try socket.set(.heartbeatInterval, to: .seconds(1))
        #expect(try socket.value(of: .heartbeatInterval) == .seconds(1))
        try socket.set(.heartbeatTimeout, to: .seconds(2))
        #expect(try socket.value(of: .heartbeatTimeout) == .seconds(2))
        try socket.set(.tcpUserTimeout, to: .seconds(9))
        #expect(try socket.value(of: .tcpUserTimeout) == .seconds(9))
        try socket.set(.connectTimeout, to: .seconds(3))
        #expect(try socket.value(of: .connectTimeout) == .seconds(3))
        try socket.set(.backlog, to: 7)
        #expect(try socket.value(of: .backlog) == 7)
        try socket.set(.typeOfService, to: 8)
        #expect(try socket.value(of: .typeOfService) == 8)
        try socket.set(.sendBufferBytes, to: 65_536)
        #expect(try socket.value(of: .sendBufferBytes) == 65_536)
        try socket.set(.receiveBufferBytes, to: 65_536)
        #expect(try socket.value(of: .receiveBufferBytes) == 65_536)
    }

    @Test func refusesWhatIsOutOfBoundsAndSaysTheBounds() throws {
        let socket = try Context().socket(Dealer.self)
        let refusals: [(String, () throws -> Void)] = [
            ("zero or more", { try socket.set(.linger, to: .milliseconds(-1)) }),
            ("60", { try socket.set(.heartbeatTTL, to: .seconds(61)) }),
            ("from 0 to", { try socket.set(.sendHighWaterMark, to: -1) }),
            ("no limit", { try socket.set(.maxMessageBytes, to: -2) }),
            ("1 to 255 bytes", { try socket.set(.routingID, to: Bytes()) }),
            ("1 to 255 bytes", { try socket.set(.routingID, to: Bytes([0, 1])) }),
            ("1 to 127", { try socket.set(.tcpKeepAliveProbes, to: 128) }),
            ("32,767 seconds", { try socket.set(.tcpKeepAliveIdle, to: .zero) }),
            ("0 to 255", { try socket.set(.typeOfService, to: 256) }),
        ]
        for (reason, refused) in refusals {
            let error = #expect(throws: MartletError.self) { try refused() }
            #expect(error?.code == .invalidArgument)
            #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
        }
    }

    @Test func switchesThatCannotBeReadSaySo() throws {
        let socket = try Context().socket(Router.self)
        try socket.set(.isRouterMandatory, to: false)
        let error = #expect(throws: MartletError.self) {
            _ = try socket.value(of: .isRouterMandatory)
        }
        #expect(error?.code == .notSupported)
    }

    @Test func everyRoleTakesTheOptionsThatItOffers() throws {
        let context = try Context()
        try context.socket(Pub.self).set(.isLossless, to: true)
        let xpub = try context.socket(XPub.self)
        try xpub.set(.isLossless, to: true)
        try xpub.set(.showsRepeatedSubscriptions, to: true)
        try context.socket(Stream.self).set(.announcesConnections, to: false)
        let req = try context.socket(Req.self)
        try req.set(.isRelaxed, to: true)
        try req.set(.matchesReplies, to: true)
        let sub = try context.socket(Sub.self)
        try sub.subscribe(to: Bytes(utf8: "orders"))
        try sub.unsubscribe(from: Bytes(utf8: "orders"))
        #expect(throws: MartletError.self) { try sub.subscribe(to: pattern(246)) }
        try sub.subscribe(to: pattern(245))
    }

    @Test func contextsHaveBounds() throws {
        #expect(throws: MartletError.self) { try Context(ioThreads: 0) }
        #expect(throws: MartletError.self) { try Context(socketsMax: 65_536) }
        let context = try Context(ioThreads: 2, socketsMax: 1)
        let socket = try context.socket(Pull.self)
        let error = #expect(throws: MartletError.self) { _ = try context.socket(Pull.self) }
        #expect(error?.code == .resourceExhausted)
        socket.close()
        #expect(Context.libraryVersion.split(separator: ".").count == 3)
    }
}
