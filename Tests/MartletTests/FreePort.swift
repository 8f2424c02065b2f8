import Martlet
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

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
        if isFree(port), isFree(port + 1) { return port }
    }
    throw MartletError(.failed, "The system has no port.")
}

/// Whether nobody has bound it.
private func isFree(_ port: UInt16) -> Bool {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(listener) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    let size = socklen_t(MemoryLayout<sockaddr_in>.size)
    return unsafe withUnsafePointer(to: &address) { place in
        unsafe place.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe bind(listener, $0, size) == 0
        }
    }
}
