import MartletCore
import MartletSockets
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite(.timeLimit(.minutes(5))) struct MonitorTests {
    @Test func tellsTheLifeOfAConnection() async throws {
        let context = try Context()
        let server = try context.socket(Pull.self)
        let monitor = try server.monitor()
        let bound = try server.bind(to: "tcp://127.0.0.1:*")
        let client = try context.socket(Push.self)
        let clientMonitor = try client.monitor()
        try client.connect(to: bound)
        var events = monitor.makeAsyncIterator()
        var seen: [MonitorEvent.Kind] = []
        while let event = try await events.next() {
            seen.append(event.kind)
            if event.kind == .listening { #expect(event.endpoint == "\(bound)") }
            if event.kind == .handshakeSucceeded { break }
        }
        #expect(seen == [.listening, .accepted, .handshakeSucceeded])
        client.close()
        #expect(try await first(of: monitor) { $0.kind == .disconnected } != nil)
        server.close()
        // The sequence ends with its socket.
        while try await events.next() != nil {}
        while try await first(of: clientMonitor, where: { _ in true }) != nil {}
    }

    @Test func tellsOfAPeerThatIsNotThere() async throws {
        let context = try Context()
        let socket = try context.socket(Push.self)
        let monitor = try socket.monitor()
        // Port 1 is reserved and below those that the system hands out.
        try socket.connect(to: "tcp://127.0.0.1:1")
        let event = try await first(of: monitor) {
            if case .connectRetried = $0.kind { true } else { false }
        }
        #expect(event?.advice?.contains("Nothing listens") == true)
        #expect(event?.endpoint == "tcp://127.0.0.1:1")
    }

    @Test func tellsOfGarbageOnThePort() async throws {
        let context = try Context()
        let server = try context.socket(Pull.self)
        try server.beImpatientReceiving()
        let monitor = try server.monitor()
        let bound = try server.bind(to: "tcp://127.0.0.1:*")
        let stranger = try PlainConnection(to: bound.port ?? 0)
        stranger.write(Array("GET / HTTP/1.1\r\nHost: here\r\n\r\n".utf8))
        stranger.write([UInt8](repeating: 0xFF, count: 200))
        let event = try await first(of: monitor) { event in
            switch event.kind {
            case .handshakeFailedProtocol, .handshakeFailed, .disconnected: true
            default: false
            }
        }
        #expect(event?.advice != nil)
        // The socket goes on serving others.
        let client = try context.socket(Push.self)
        try client.connect(to: bound)
        try client.send(Multipart(pattern(10)))
        #expect(try server.receiveMultipart() == Multipart(pattern(10)))
    }

    @Test func tellsOfAMessageThatIsTooLarge() async throws {
        let context = try Context()
        let server = try context.socket(Pull.self)
        try server.set(.maxMessageBytes, to: 1_000)
        try server.beImpatientReceiving()
        let monitor = try server.monitor()
        let bound = try server.bind(to: "tcp://127.0.0.1:*")
        let client = try context.socket(Push.self)
        try client.connect(to: bound)
        try client.send(Multipart(pattern(1_001)))
        let event = try await first(of: monitor) { $0.kind == .disconnected }
        #expect(event?.advice?.contains("maxMessageBytes") == true)
        let other = try context.socket(Push.self)
        try other.connect(to: bound)
        try other.send(Multipart(pattern(1_000)))
        #expect(try server.receiveMultipart() == Multipart(pattern(1_000)))
    }

    /// Nobody reads the sequence; the I/O thread must not care.
    @Test func anUnreadMonitorHoldsUpNobody() throws {
        let context = try Context()
        let server = try context.socket(Pull.self)
        let monitor = try server.monitor()
        let bound = try server.bind(to: "tcp://127.0.0.1:*")
        for _ in 0..<Limits.monitorEvents / 2 {
            let stranger = try PlainConnection(to: bound.port ?? 0)
            stranger.write([UInt8](repeating: 0xFF, count: 64))
        }
        #expect(eventually { monitor.dropped > 0 })
        try server.beImpatientReceiving()
        let client = try context.socket(Push.self)
        try client.connect(to: bound)
        try client.send(Multipart(pattern(10)))
        #expect(try server.receiveMultipart() == Multipart(pattern(10)))
    }

    @Test func leavingTheSequenceLosesNothing() async throws {
        let socket = try Context().socket(Pull.self)
        let monitor = try socket.monitor()
        let bound = try (0..<5).map { _ in "\(try socket.bind(to: "tcp://127.0.0.1:*"))" }
        var seen: [String] = []
        while seen.count < bound.count,
            let event = try await first(of: monitor, where: { _ in true })
        {
            seen.append(event.endpoint)
        }
        #expect(seen == bound)
        #expect(monitor.dropped == 0)
    }

    @Test func aNewMonitorEndsTheFormer() async throws {
        let context = try Context()
        let socket = try context.socket(Pull.self)
        let former = try socket.monitor()
        let newer = try socket.monitor()
        #expect(try await first(of: former) { _ in true } == nil)
        let bound = try socket.bind(to: "tcp://127.0.0.1:*")
        #expect(try await first(of: newer) { _ in true }?.endpoint == "\(bound)")
    }

    @Test func kindsOfANewerLibraryAreKept() {
        let event = MonitorEvent(kind: .other(event: 1 << 16, value: 3), endpoint: "tcp://x:1")
        #expect("\(event)".contains("tcp://x:1"))
        #expect(event.advice == nil)
    }
}

/// The first event of a kind, or nil at the end.
func first(
    of monitor: SocketMonitor, where isWanted: (MonitorEvent) -> Bool
) async throws -> MonitorEvent? {
    for try await event in monitor where isWanted(event) { return event }
    return nil
}

/// A TCP connection that does not speak ZMTP.
final class PlainConnection {
    private let descriptor: Int32

    init(to port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw MartletError(.failed, "connect: errno \(errno)") }
    }

    deinit { close(descriptor) }

    func write(_ bytes: [UInt8]) {
        _ = send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }
}
