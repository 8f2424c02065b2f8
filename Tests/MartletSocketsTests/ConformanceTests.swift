import MartletSockets
import MartletTestKit
import Testing

/// The promises of `Link`, for real sockets and for the simulated ones that stand in for them.
@Suite(.timeLimit(.minutes(5))) struct ConformanceTests {
    @Test func simulatedLinksConform() async throws {
        try await LinkConformance {
            let (left, right) = SimulatedLink.pair(bound: 8)
            return .init(sender: left, receiver: right) { left.close() }
        }.check()
    }

    @Test(arguments: Place.available) func socketsConform(place: Place) async throws {
        try await withSocketLoop(drainingFor: .zero) { loop in
            try await LinkConformance {
                let receiver = try await loop.link(Pull.self, messages: 8)
                let sender = try await loop.link(Push.self, messages: 8)
                let endpoint = try await receiver.bind(to: place.endpoint())
                try await sender.connect(to: endpoint)
                return .init(sender: sender, receiver: receiver) {
                    await receiver.close(drainingFor: .zero)
                    removeFile(of: endpoint)
                }
            }.check()
        }
    }

    /// A dealer sends and receives: a closed one accepts nothing.
    @Test func dealersConform() async throws {
        try await withSocketLoop(drainingFor: .zero) { loop in
            try await LinkConformance {
                let receiver = try await loop.link(Dealer.self, messages: 8)
                let sender = try await loop.link(Dealer.self, messages: 8)
                try await sender.connect(to: receiver.bind(to: "tcp://127.0.0.1:*"))
                return .init(sender: sender, receiver: receiver) {
                    await receiver.close(drainingFor: .zero)
                }
            }.check()
        }
    }

    /// A link that breaks a promise is found out.
    @Test func whatDoesNotConformIsFound() async throws {
        await #expect(throws: LinkConformance.Violation.self) {
            try await LinkConformance {
                let (left, right) = SimulatedLink.pair(bound: 8)
                return .init(sender: Boundless(link: left), receiver: right) { left.close() }
            }.check()
        }
    }

    private struct Boundless: SendingLink {
        let link: SimulatedLink

        func send(_ message: Multipart) async throws(MartletError) { try await link.send(message) }

        func offer(_ message: Multipart) throws(MartletError) -> Bool { true }
    }
}
