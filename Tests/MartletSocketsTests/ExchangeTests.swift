import MartletCore
import MartletSockets
import Testing

/// Every compatible pair of roles, over every transport, with messages of every interesting size.
@Suite struct ExchangeTests {
    static let sizes = [0, 1, 33, 34, 100, 2_048, 2_049, 65_536, 1_048_576, 16_777_216]
    static let burst = 200

    @Test(.timeLimit(.minutes(5)), arguments: Place.available)
    func oneWay(place: Place) throws {
        try oneWay(Push.self, Pull.self, place)
        try oneWay(Pair.self, Pair.self, place)
        try oneWay(Dealer.self, Dealer.self, place)
    }

    @Test(.timeLimit(.minutes(5)), arguments: Place.available)
    func publishing(place: Place) throws {
        try publishing(Pub.self, Sub.self, place) { try $0.subscribe() }
        try publishing(XPub.self, Sub.self, place) { try $0.subscribe() }
        let subscribeByMessage: (borrowing Socket<XSub>) throws -> Void = { socket in
            try socket.send(Message([1]))
        }
        try publishing(Pub.self, XSub.self, place, subscribeByMessage)
        try publishing(XPub.self, XSub.self, place, subscribeByMessage)
    }

    /// A request that is answered with what it said. The envelope is what a DEALER must add.
    @Test(.timeLimit(.minutes(5)), arguments: Place.available)
    func requests(place: Place) throws {
        try requests(Req.self, Rep.self, place, requestEnvelope: [], replyParts: 0)
        try requests(Dealer.self, Rep.self, place, requestEnvelope: [Bytes()], replyParts: 0)
        try requests(Req.self, Router.self, place, requestEnvelope: [], replyParts: 2)
        try requests(Dealer.self, Router.self, place, requestEnvelope: [], replyParts: 1)
    }

    @Test(.timeLimit(.minutes(5)), arguments: Place.available)
    func routers(place: Place) throws {
        let context = try Context()
        let left = try context.socket(Router.self)
        let right = try context.socket(Router.self)
        try left.set(.routingID, to: Bytes(utf8: "left"))
        try right.set(.routingID, to: Bytes(utf8: "right"))
        try left.beImpatientReceiving()
        try right.beImpatientReceiving()
        let bound = try left.bind(to: place.endpoint())
        defer { removeFile(of: bound) }
        try right.connect(to: bound)
        // A ROUTER does not know its peer before the handshake is over.
        let isSent = eventually {
            (try? right.trySend(Multipart(Bytes(utf8: "left"), pattern(100)))) == true
        }
        #expect(isSent)
        #expect(try left.receiveMultipart() == Multipart(Bytes(utf8: "right"), pattern(100)))
        try left.send(Multipart(Bytes(utf8: "right"), pattern(50)))
        #expect(try right.receiveMultipart() == Multipart(Bytes(utf8: "left"), pattern(50)))
    }

    // MARK: The three conversations

    private func oneWay<From: SendingRole, To: ReceivingRole>(
        _ from: From.Type, _ to: To.Type, _ place: Place
    ) throws {
        let context = try Context()
        let sender = try context.socket(from)
        let receiver = try context.socket(to)
        let bound = try connect(receiver, sender, place)
        defer { removeFile(of: bound) }
        try check(sender, receiver)
    }

    private func publishing<From: SendingRole, To: ReceivingRole>(
        _ from: From.Type, _ to: To.Type, _ place: Place,
        _ subscribe: (borrowing Socket<To>) throws -> Void
    ) throws {
        let context = try Context()
        let sender = try context.socket(from)
        let receiver = try context.socket(to)
        let bound = try connect(sender, receiver, place)
        defer { removeFile(of: bound) }
        // An XSUB's subscription is a message, which needs a connection.
        try receiver.beImpatientReceiving()
        try subscribe(receiver)
        let probe = Multipart(Bytes(utf8: "probe"))
        let hasJoined = try eventually {
            try sender.send(probe)
            // One probe at a time, so that what follows finds room in the publisher's queue.
            return try receiver.wait(for: .readable, atMost: .milliseconds(10)) == .readable
        }
        #expect(hasJoined)
        try sender.send(Multipart(Bytes(utf8: "go")))
        while try receiver.receiveMultipart() == probe {}
        try check(sender, receiver)
    }

    private func requests<
        Asking: SendingRole & ReceivingRole, Answering: SendingRole & ReceivingRole
    >(
        _ asking: Asking.Type, _ answering: Answering.Type, _ place: Place,
        requestEnvelope: [Bytes], replyParts: Int
    ) throws {
        let context = try Context()
        let client = try context.socket(asking)
        let server = try context.socket(answering)
        let bound = try connect(server, client, place)
        defer { removeFile(of: bound) }
        try client.beImpatientReceiving()
        try server.beImpatientSending()
        for (seed, size) in Self.sizes.enumerated() {
            let body = [pattern(size, seed: seed), pattern(10, seed: seed)]
            let parts = requestEnvelope + body
            try client.send(Multipart(first: parts[0], rest: Array(parts.dropFirst())))
            let request = try server.receiveMultipart()
            #expect(Array(request.dropFirst(replyParts)) == body)
            try server.send(request)
            #expect(Array(try client.receiveMultipart()) == parts)
        }
    }

    /// Binds the first, connects the second, and lets both carry 16 MiB.
    private func connect<First, Second>(
        _ first: borrowing Socket<First>, _ second: borrowing Socket<Second>, _ place: Place
    ) throws -> Endpoint {
        try first.set(.maxMessageBytes, to: 17 * 1_048_576)
        try second.set(.maxMessageBytes, to: 17 * 1_048_576)
        let bound = try first.bind(to: place.endpoint())
        try second.connect(to: bound)
        return bound
    }

    /// Single parts and multipart messages of every size, then a burst in order.
    private func check<From: SendingRole, To: ReceivingRole>(
        _ sender: borrowing Socket<From>, _ receiver: borrowing Socket<To>
    ) throws {
        try sender.beImpatientSending()
        try receiver.beImpatientReceiving()
        for (seed, size) in Self.sizes.enumerated() {
            let content = pattern(size, seed: seed)
            try sender.send(content.withBytes { Message(copying: $0) })
            #expect(try receiver.receive().bytes() == content)
            let message = Multipart(pattern(5), content, Bytes(), content)
            try sender.send(message)
            #expect(try receiver.receiveMultipart() == message)
        }
        for number in 0..<Self.burst { try sender.send(Multipart(pattern(100, seed: number))) }
        for number in 0..<Self.burst {
            #expect(try receiver.receiveMultipart() == Multipart(pattern(100, seed: number)))
        }
    }
}

@Suite struct SubscriptionTests {
    /// Above its send mark a subscriber would forget its own subscriptions.
    @Test(.timeLimit(.minutes(5)))
    func allSubscriptionsArrive() throws {
        let context = try Context()
        let publisher = try context.socket(XPub.self)
        try publisher.beImpatientReceiving()
        try publisher.set(.receiveHighWaterMark, to: 10_000)
        let bound = try publisher.bind(to: "tcp://127.0.0.1:*")
        let sub = try context.socket(Sub.self)
        let xsub = try context.socket(XSub.self)
        let count = 3_000
        for number in 0..<count {
            try sub.subscribe(to: Bytes(utf8: "s\(number)"))
            try xsub.send(Message(Array("\u{1}x\(number)".utf8)))
        }
        try sub.connect(to: bound)
        try xsub.connect(to: bound)
        var seen: Set<Bytes> = []
        while seen.count < 2 * count { seen.insert(try publisher.receive().bytes()) }
    }
}

@Suite struct StreamTests {
    @Test(.timeLimit(.minutes(5)))
    func speaksPlainTCP() throws {
        let context = try Context()
        let server = try context.socket(Stream.self)
        let client = try context.socket(Stream.self)
        try server.beImpatientReceiving()
        try client.beImpatientReceiving()
        let bound = try server.bind(to: "tcp://127.0.0.1:*")
        try client.connect(to: bound)
        // Each side announces the connection with an empty part behind its name.
        let peer = try client.receiveMultipart()
        #expect(peer.map(\.isEmpty) == [false, true])
        #expect(try server.receiveMultipart().last?.isEmpty == true)

        let content = pattern(100_000)
        try client.send(Multipart(peer.first, content))
        var received: [UInt8] = []
        while received.count < content.count {
            received += try server.receiveMultipart().last?.array() ?? []
        }
        #expect(Bytes(received) == content)
    }
}
