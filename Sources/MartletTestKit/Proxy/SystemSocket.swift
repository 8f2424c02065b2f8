import MartletCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A TCP socket that never waits, closed with the value. IPv4 alone.
struct SystemSocket: ~Copyable {
    let descriptor: Int32

    private init(_ descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// What a call without waiting comes to.
    enum Outcome {
        case done(Int)
        /// Not now.
        case later
        case failed
    }

    /// One that others connect to.
    static func listening(at endpoint: Endpoint) throws(MartletError) -> SystemSocket {
        let socket = try SystemSocket.fresh()
        var one: Int32 = 1
        // Sound: the option is a local whose size is given.
        unsafe setsockopt(
            socket.descriptor, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        let bound = unsafe try withAddress(of: endpoint) { address, size in
            unsafe bind(socket.descriptor, address, size)
        }
        guard bound == 0, listen(socket.descriptor, 64) == 0 else {
            throw failure("\(endpoint) cannot be bound")
        }
        return socket
    }

    /// One that is about to be connected.
    static func connecting(to endpoint: Endpoint) throws(MartletError) -> SystemSocket {
        let socket = try SystemSocket.fresh()
        let status = unsafe try withAddress(of: endpoint) { address, size in
            unsafe connect(socket.descriptor, address, size)
        }
        guard status == 0 || errno == EINPROGRESS else {
            throw failure("\(endpoint) cannot be reached")
        }
        return socket
    }

    private static func fresh() throws(MartletError) -> SystemSocket {
        #if canImport(Glibc)
            let kind = Int32(SOCK_STREAM.rawValue)
        #else
            let kind = SOCK_STREAM
        #endif
        let descriptor = socket(AF_INET, kind, 0)
        guard descriptor >= 0 else { throw failure("no socket can be made") }
        prepare(descriptor)
        return SystemSocket(descriptor)
    }

    /// Nothing waits, nothing is kept back to be sent with more, and nobody's child has it.
    private static func prepare(_ descriptor: Int32) {
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        var one: Int32 = 1
        // Sound: the option is a local whose size is given.
        unsafe setsockopt(
            descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one,
            socklen_t(MemoryLayout<Int32>.size))
    }

    /// The next one who has connected; nil if nobody has.
    func acceptNext() -> SystemSocket? {
        let client = systemAccept(descriptor)
        guard client >= 0 else { return nil }
        SystemSocket.prepare(client)
        return SystemSocket(client)
    }

    /// What has come, 16 KiB at most.
    func receive(into buffer: inout [UInt8]) -> Outcome {
        // Sound: the buffer is written no further than it goes.
        let count = unsafe buffer.withUnsafeMutableBytes { bytes in
            unsafe recv(descriptor, bytes.baseAddress, bytes.count, 0)
        }
        return outcome(count)
    }

    /// Sends as much as there is room for.
    func send(_ bytes: ArraySlice<UInt8>) -> Outcome {
        #if canImport(Glibc)
            let flags = Int32(MSG_NOSIGNAL)
        #else
            let flags: Int32 = 0
        #endif
        // Sound: no more is read than there is.
        let count = unsafe bytes.withUnsafeBytes { bytes in
            unsafe systemSend(descriptor, bytes, flags)
        }
        return outcome(count)
    }

    private func outcome(_ count: Int) -> Outcome {
        if count >= 0 { return .done(count) }
        return [EAGAIN, EWOULDBLOCK, EINTR, EINPROGRESS, ENOTCONN].contains(errno)
            ? .later : .failed
    }

    /// Says that nothing more is sent.
    func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// The port that it is bound to.
    var port: UInt16 {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        // Sound: the address is a local whose size is given.
        unsafe withUnsafeMutablePointer(to: &address) { place in
            unsafe place.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = unsafe getsockname(descriptor, $0, &size)
            }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    private static func withAddress(
        of endpoint: Endpoint, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws(MartletError) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        guard let port = endpoint.port, let host = endpoint.host,
            unsafe inet_pton(AF_INET, host == "*" ? "0.0.0.0" : host, &address.sin_addr) == 1
        else {
            throw MartletError(
                .invalidEndpoint, "\(endpoint) is no IPv4 address with a port, as a proxy needs it."
            )
        }
        address.sin_port = port.bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        // Sound: an address of this kind begins as all of them do.
        return unsafe withUnsafePointer(to: &address) { place in
            unsafe place.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, size)
            }
        }
    }

    private static func failure(_ what: String) -> MartletError {
        let reason = unsafe String(cString: strerror(errno))
        return MartletError(.failed, "A proxy: \(what): \(reason).")
    }
}

// The methods have the names of the functions.
private func systemAccept(_ listener: Int32) -> Int32 { accept(listener, nil, nil) }

@unsafe
private func systemSend(
    _ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, _ flags: Int32
) -> Int {
    unsafe send(descriptor, bytes.baseAddress, bytes.count, flags)
}
