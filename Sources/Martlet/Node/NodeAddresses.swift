internal import MartletSockets

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The addresses of a node: where it binds, and what it tells others.
enum NodeAddresses {
    /// Where the data socket binds beside the service: the next port, or the path with `.data`.
    static func data(beside service: Endpoint) throws(MartletError) -> Endpoint {
        if service.transport == .ipc { return try Endpoint("\(service).data") }
        guard let host = service.host, let port = service.port else { return service }
        guard port < .max else {
            throw MartletError(
                .invalidEndpoint,
                "The data socket binds the port behind \(port), and there is none. Choose another "
                    + "port, or say where `data` is.")
        }
        return try .tcp(host, port: port == 0 ? 0 : port + 1)
    }

    /// Where the socket of a pushed stream binds beside the service: behind the data socket, or the
    /// path with `.push.` and the stream.
    static func push(
        _ number: Int, _ stream: StreamName, beside service: Endpoint
    ) throws(MartletError) -> Endpoint {
        if service.transport == .ipc { return try Endpoint("\(service).push.\(stream)") }
        guard let host = service.host, let port = service.port else { return service }
        guard port == 0 || Int(port) + 2 + number <= Int(UInt16.max) else {
            throw MartletError(
                .invalidEndpoint,
                "The socket of the stream `\(stream)` binds a port behind \(port), and there is "
                    + "none. Choose another port.")
        }
        return try .tcp(host, port: port == 0 ? 0 : port + 2 + UInt16(number))
    }

    /// The data endpoint as readers are told it. Where it has the service's address, that is `*`,
    /// so that each uses the host that it has dialled; a name would have to be looked up again.
    static func told(_ data: Endpoint, beside service: Endpoint) -> String {
        guard data.transport == .tcp, let port = data.port, let host = data.host,
            host == service.host || everywhere.contains(host)
        else { return data.description }
        return "tcp://*:\(port)"
    }

    /// Where a node reaches itself that is bound there.
    static func own(_ bound: Endpoint) -> Endpoint? {
        guard bound.transport == .tcp, let port = bound.port else { return bound }
        switch bound.host {
        case "*", "0.0.0.0": return try? .tcp("127.0.0.1", port: port)
        case "::": return try? .tcp("::1", port: port)
        default: return bound
        }
    }

    /// Where a data socket is, as a peer was told it that has dialled this service endpoint.
    static func data(told text: String, dialled service: Endpoint) throws(MartletError) -> Endpoint
    {
        let prefix = "tcp://*:"
        guard text.hasPrefix(prefix), let host = service.host else { return try Endpoint(text) }
        return try Endpoint("tcp://\(bracketed(host)):\(text.dropFirst(prefix.count))")
    }

    /// The service endpoint that others are told, so that they can tell it to more.
    static func advertised(_ bound: Endpoint, host: String?) -> String {
        guard bound.transport == .tcp, let port = bound.port else { return bound.description }
        var own = host ?? bound.host ?? "*"
        if everywhere.contains(own) { own = machineName ?? own }
        return own == "*" ? "" : "tcp://\(bracketed(own)):\(port)"
    }

    private static let everywhere: Set = ["*", "0.0.0.0", "::"]

    private static func bracketed(_ host: String) -> String {
        host.contains(":") ? "[\(host)]" : host
    }

    private static var machineName: String? {
        var bytes = [CChar](repeating: 0, count: 256)
        // Sound: the array outlives the call, which writes no more than it is told.
        guard unsafe gethostname(&bytes, bytes.count - 1) == 0 else { return nil }
        return String(
            decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
