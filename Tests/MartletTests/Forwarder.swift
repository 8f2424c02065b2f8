import Dispatch
import Martlet
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A second address of a TCP port, which can be taken away while the port stays.
final class Forwarder: Sendable {
    /// Where it listens.
    let endpoint: Endpoint
    private let target: UInt16
    private let sockets: Mutex<[Int32]>
    // Each direction of a connection blocks a thread of its own.
    private let threads = DispatchQueue(label: "forwarder", attributes: .concurrent)

    init(to target: UInt16) throws {
        self.target = target
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let (bound, port) = Forwarder.withAddress(port: 0) { address, size in
            var size = size
            let bound = unsafe bind(listener, address, size)
            unsafe getsockname(listener, address, &size)
            return bound
        }
        guard bound == 0, listen(listener, 8) == 0 else {
            close(listener)
            throw MartletError(.failed, "The forwarder found no port.")
        }
        endpoint = try Endpoint("tcp://127.0.0.1:\(port)")
        sockets = Mutex([listener])
        threads.async { self.accept(at: listener) }
    }

    deinit { stop() }

    /// Cuts what is connected. Whoever connects again is forwarded.
    func cut() {
        let open = sockets.withLock { sockets in
            defer { sockets = Array(sockets.prefix(1)) }
            return sockets.dropFirst()
        }
        for socket in open { shutdown(socket, Int32(SHUT_RDWR)) }
    }

    /// Takes the address away: what is connected is cut, and nobody can connect any more.
    func stop() {
        let open = sockets.withLock { sockets in
            defer { sockets = [] }
            return sockets
        }
        // The threads that wait for them come back, and close them.
        for socket in open { shutdown(socket, Int32(SHUT_RDWR)) }
    }

    fileprivate static func isFree(_ port: UInt16) -> Bool {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(listener) }
        let (bound, _) = Forwarder.withAddress(port: port) { unsafe bind(listener, $0, $1) }
        return bound == 0
    }

    private func accept(at listener: Int32) {
        while true {
            let client = systemAccept(listener)
            guard client >= 0 else { break }
            let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            let (connected, _) = Forwarder.withAddress(port: target) {
                unsafe connect(server, $0, $1)
            }
            guard connected == 0 else {
                close(client)
                close(server)
                continue
            }
            sockets.withLock { $0 += [client, server] }
            let left = Lock(2)
            for (from, to) in [(client, server), (server, client)] {
                threads.async {
                    Forwarder.copy(from: from, to: to)
                    let isLast = left.withLock { left in
                        left -= 1
                        return left == 0
                    }
                    guard isLast else { return }
                    self.sockets.withLock { $0.removeAll { $0 == client || $0 == server } }
                    close(client)
                    close(server)
                }
            }
        }
        close(listener)
    }

    private static func copy(from source: Int32, to target: Int32) {
        var buffer = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = unsafe recv(source, &buffer, buffer.count, 0)
            guard count > 0,
                unsafe send(target, &buffer, count, Int32(MSG_NOSIGNAL)) == count
            else { break }
        }
        shutdown(source, Int32(SHUT_RDWR))
        shutdown(target, Int32(SHUT_RDWR))
    }

    /// An address of this machine, and the port that it has afterwards.
    private static func withAddress<Result>(
        port: UInt16, _ body: (UnsafeMutablePointer<sockaddr>, socklen_t) -> Result
    ) -> (result: Result, port: UInt16) {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = unsafe withUnsafeMutablePointer(to: &address) { place in
            unsafe place.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, size)
            }
        }
        return (result, UInt16(bigEndian: address.sin_port))
    }
}

// The method has the name of the function.
private func systemAccept(_ listener: Int32) -> Int32 { accept(listener, nil, nil) }

private let nextPort = Lock(20_000 + UInt16(getpid() % 10_000))

/// A port that nobody has, nor the next one, where nodes have their data socket. The system draws
/// from others for those who connect or bind any, so that both stay free between two lives of
/// whoever binds them.
func freePort() throws -> UInt16 {
    for _ in 0..<1_000 {
        let port = nextPort.withLock { next in
            next = next < 32_000 ? next + 2 : 20_000
            return next
        }
        if Forwarder.isFree(port), Forwarder.isFree(port + 1) { return port }
    }
    throw MartletError(.failed, "The system has no port.")
}
