import MartletCore
import MartletSockets
import Testing

@Suite(.timeLimit(.minutes(5)), .enabled(if: Context.hasCurve, "libzmq without CURVE"))
struct CurveTests {
    @Test func keysAreReadAndWritten() throws {
        let pair = try CurveKeyPair()
        #expect(try CurvePublicKey(pair.publicKey.text) == pair.publicKey)
        #expect(try CurvePublicKey(pair.publicKey.bytes) == pair.publicKey)
        #expect(pair.publicKey.bytes.count == 32)
        let text = pair.secretKey.withSecretText { $0 }
        #expect(try CurveKeyPair(CurveSecretKey(text)).publicKey == pair.publicKey)
        #expect(!"\(pair.secretKey) \(String(reflecting: pair))".contains(text))
        var dumped = ""
        dump(pair, to: &dumped)
        #expect(!dumped.contains(text))
    }

    @Test(arguments: [
        "", "short", String(repeating: "\"", count: 40), String(repeating: "é", count: 20),
        String(repeating: "A", count: 35) + String(repeating: "\0", count: 5),
    ])
    func badKeysAreRefused(text: String) {
        let error = #expect(throws: MartletError.self) { try CurvePublicKey(text) }
        #expect(error?.code == .invalidArgument)
        #expect(throws: MartletError.self) { try CurveSecretKey(text) }
        #expect(throws: MartletError.self) { try CurvePublicKey(Bytes([1, 2, 3])) }
    }

    @Test func letsInThoseOnTheListAndNobodyElse() async throws {
        try await withSocketLoop { loop in
            let context = try await loop.openContext()
            let serverKeys = try CurveKeyPair()
            let friendKeys = try CurveKeyPair()
            let handler = try await ZAPResponder(admitting: [friendKeys.publicKey], on: loop)
            defer { handler.stop() }

            let server = try context.socket(Pull.self)
            try server.useCurve(asServer: serverKeys, lettingIn: .authenticated(domain: "test"))
            try server.beImpatientReceiving()
            let monitor = try server.monitor()
            let bound = try server.bind(to: "tcp://127.0.0.1:*")

            let friend = try context.socket(Push.self)
            try friend.useCurve(asClient: friendKeys, of: serverKeys.publicKey)
            try friend.connect(to: bound)
            try friend.send(Message([42]))
            let message = try server.receive()
            #expect(message.array() == [42])
            #expect(message.property("User-Id") == friendKeys.publicKey.text)

            let stranger = try context.socket(Push.self)
            try stranger.useCurve(asClient: CurveKeyPair(), of: serverKeys.publicKey)
            let refusals = try stranger.monitor()
            try stranger.connect(to: bound)
            let refused = try await first(of: refusals) {
                if case .handshakeFailedAuthentication = $0.kind { true } else { false }
            }
            #expect(refused?.kind == .handshakeFailedAuthentication(status: 400))
            #expect(refused?.advice?.contains("not on the list") == true)
            #expect(try await first(of: monitor) { $0.kind == .handshakeSucceeded } != nil)
        }
    }

    @Test func aWrongServerKeyFailsTheHandshake() async throws {
        let advice = try await adviceAbout { client in
            try client.useCurve(asClient: CurveKeyPair(), of: CurveKeyPair().publicKey)
        }
        #expect(advice?.contains("key") == true)
    }

    @Test func aPlainClientIsToldApart() async throws {
        let advice = try await adviceAbout { _ in }
        #expect(advice?.contains("CURVE") == true)
    }

    /// What a CURVE server's monitor advises about the failed handshake of a client.
    private func adviceAbout(
        _ prepare: (borrowing Socket<Push>) throws -> Void
    ) async throws -> String? {
        let context = try Context()
        let server = try context.socket(Pull.self)
        try server.useCurve(asServer: CurveKeyPair(), lettingIn: .anyWithServerKey)
        let monitor = try server.monitor()
        let bound = try server.bind(to: "tcp://127.0.0.1:*")
        let client = try context.socket(Push.self)
        try prepare(client)
        try client.connect(to: bound)
        let event = try await first(of: monitor) {
            if case .handshakeFailedProtocol = $0.kind { true } else { false }
        }
        return event?.advice
    }

    /// Without a handler libzmq alone would let everybody in.
    @Test func withoutAHandlerNobodyGetsIn() async throws {
        let context = try Context()
        let serverKeys = try CurveKeyPair()
        let server = try context.socket(Pull.self)
        try server.useCurve(asServer: serverKeys, lettingIn: .authenticated(domain: "test"))
        let monitor = try server.monitor()
        let bound = try server.bind(to: "tcp://127.0.0.1:*")
        let client = try context.socket(Push.self)
        try client.useCurve(asClient: CurveKeyPair(), of: serverKeys.publicKey)
        try client.connect(to: bound)
        let event = try await first(of: monitor) { event in
            switch event.kind {
            case .handshakeSucceeded, .handshakeFailed, .handshakeFailedProtocol,
                .handshakeFailedAuthentication, .disconnected:
                true
            default: false
            }
        }
        #expect(event?.kind != .handshakeSucceeded)
        #expect(throws: MartletError.self) {
            try server.useCurve(asServer: serverKeys, lettingIn: .authenticated(domain: ""))
        }
    }
}

/// Answers libzmq's questions about clients (RFC 27) from a list of keys.
private final class ZAPResponder: Sendable {
    private let task: Task<Void, any Error>

    init(admitting keys: Set<CurvePublicKey>, on loop: SocketLoop) async throws {
        let link = try await loop.link(Router.self)
        try await link.bind(to: "inproc://zeromq.zap.01")
        task = Task {
            for try await question in link.messages {
                // The asker's routing id, a delimiter, then version, request, domain, address,
                // identity, mechanism, key.
                let parts = Array(question)
                let key = try CurvePublicKey(parts[8])
                let isKnown = keys.contains(key)
                let answer = [
                    parts[2], parts[3], Bytes(utf8: isKnown ? "200" : "400"),
                    Bytes(utf8: isKnown ? "OK" : "unknown key"),
                    Bytes(utf8: isKnown ? key.text : ""), Bytes(),
                ]
                try await link.send(Multipart(first: parts[0], rest: [parts[1]] + answer))
            }
        }
    }

    func stop() { task.cancel() }
}
