import MartletSockets
import Testing

/// Sockets that other threads use while their loop sleeps.
@Suite(.timeLimit(.minutes(5))) struct LendingTests {
    /// Messages go both ways over the same sockets, handed over by tasks of Swift's pool and
    /// received by loops that sleep most of the time. News that such a task takes off a socket's
    /// descriptor must wake the loop all the same, and not wait for its next look.
    @Test(arguments: [1, 7]) func newsIsNeverTakenAway(underWay: Int) async throws {
        let count = 5_000
        try await withSocketLoop { left in
            try await withSocketLoop { right in
                let router = try await left.link(Router.self)
                let endpoint = try await router.bind(to: "tcp://127.0.0.1:*")
                let dealer = try await right.link(Dealer.self)
                try await dealer.connect(to: endpoint)
                let echo = Task {
                    var seen = 0
                    for try await message in router.messages {
                        #expect(try router.offer([message]) == 1)
                        seen += 1
                        if seen == count { return }
                    }
                }
                var sent = 0
                var received = 0
                for number in 0..<underWay { sent += try dealer.offer([Self.message(number)]) }
                for try await message in dealer.messages {
                    #expect(message == Self.message(received))
                    received += 1
                    if received == count { break }
                    if sent < count { sent += try dealer.offer([Self.message(sent)]) }
                }
                try await echo.value
                #expect(sent == count)
                // One may have come in the very moment in which the loop looks by itself.
                #expect(await left.untoldCount + right.untoldCount <= 2)
            }
        }
    }

    private static func message(_ number: Int) -> Multipart { Multipart(Bytes(utf8: "\(number)")) }

    /// What is queued before goes out before, whoever hands it over.
    @Test func theOrderIsKept() async throws {
        try await withSocketLoop { loop in
            let push = try await loop.link(Push.self)
            let pull = try await loop.link(Pull.self)
            let endpoint = try await pull.bind(to: "tcp://127.0.0.1:*")
            try await push.connect(to: endpoint)
            let count = 5_000
            let sending = Task {
                for number in 0..<count {
                    if number.isMultiple(of: 3) {
                        try await push.send(Self.message(number))
                    } else {
                        while try push.offer([Self.message(number)]) == 0 { await Task.yield() }
                    }
                }
            }
            var expected = 0
            for try await message in pull.messages {
                #expect(message == Self.message(expected))
                expected += 1
                if expected == count { break }
            }
            try await sending.value
        }
    }

    /// A link that is closed refuses, as with any other way of sending.
    @Test func aClosedLinkRefuses() async throws {
        try await withSocketLoop { loop in
            let push = try await loop.link(Push.self)
            await push.close(drainingFor: .zero)
            #expect(throws: MartletError.self) { try push.offer([Self.message(1)]) }
        }
    }
}
