/// Where a socket listens or connects: `tcp://127.0.0.1:5550`, `ipc:///run/orders.sock`,
/// `inproc://orders`.
///
/// The text is validated when the endpoint is made, so that a mistake shows where it was made.
///
/// - `tcp://HOST:PORT`: the host is an IPv4 address, an IPv6 address in brackets, or a name. To
///   bind, it may also be `*` or an interface, and the port `*` or 0 for any that is free.
/// - `ipc://PATH` of at most 107 bytes, or `ipc://@NAME` in Linux's abstract space. To bind, `*`
///   for any.
/// - `inproc://NAME` of at most 255 bytes, within one context.
public struct Endpoint: Sendable, Hashable {
    /// How bytes travel to the endpoint.
    public enum Transport: String, Sendable {
        case tcp, ipc, inproc
    }

    /// Who is addressed over TCP.
    package enum Host: Sendable, Hashable {
        case any
        case ipv4(String)
        case ipv6(String)
        case name(String)
    }

    package enum Address: Sendable, Hashable {
        case tcp(Host, port: UInt16)
        case ipc(path: String)
        case inproc(name: String)
    }

    package let address: Address

    package init(_ address: Address) {
        self.address = address
    }

    /// Reads an endpoint. Throws `invalidEndpoint` with what is wrong and what was expected.
    public init(_ text: String) throws(MartletError) {
        address = try EndpointParser.address(in: text)
    }

    /// An endpoint over TCP. Port 0 means any free one, and can only be bound.
    public static func tcp(_ host: String, port: UInt16) throws(MartletError) -> Endpoint {
        try Endpoint("tcp://\(host.contains(":") ? "[\(host)]" : host):\(port)")
    }

    /// How bytes travel to it.
    public var transport: Transport {
        switch address {
        case .tcp: .tcp
        case .ipc: .ipc
        case .inproc: .inproc
        }
    }

    /// The host over TCP as it is written, without brackets; nil for the others.
    public var host: String? {
        guard case .tcp(let host, _) = address else { return nil }
        switch host {
        case .any: return "*"
        case .ipv4(let text), .ipv6(let text), .name(let text): return text
        }
    }

    /// The port over TCP, 0 for any; nil for the others.
    public var port: UInt16? {
        guard case .tcp(_, let port) = address else { return nil }
        return port
    }

    /// Whether the host is a name, which must be resolved before a socket can connect to it.
    public var hasHostName: Bool {
        if case .tcp(.name, _) = address { true } else { false }
    }
}

extension Endpoint: CustomStringConvertible {
    /// The endpoint as libzmq reads it.
    public var description: String {
        switch address {
        case .tcp(let host, let port):
            let portText = port == 0 ? "*" : String(port)
            switch host {
            case .any: return "tcp://*:\(portText)"
            case .ipv4(let text), .name(let text): return "tcp://\(text):\(portText)"
            case .ipv6(let text): return "tcp://[\(text)]:\(portText)"
            }
        case .ipc(let path): return "ipc://\(path)"
        case .inproc(let name): return "inproc://\(name)"
        }
    }
}

extension Endpoint: ExpressibleByStringLiteral {
    /// An endpoint written in the program. One that is malformed is a bug, and traps; text from
    /// elsewhere goes through `init(_:)`, which throws.
    public init(stringLiteral text: StaticString) {
        do {
            try self.init(text.description)
        } catch {
            preconditionFailure(error.message)
        }
    }
}

extension Endpoint {
    /// The path of an ipc endpoint in the file system.
    package var ipcPath: String? {
        guard case .ipc(let path) = address, path != "*", !path.hasPrefix("@") else { return nil }
        return path
    }

    package var isIPv6: Bool {
        if case .tcp(.ipv6, _) = address { true } else { false }
    }

    package func checkConnectable() throws(MartletError) {
        switch address {
        case .tcp(.any, _):
            throw Endpoint.unusable(self, "`*` means every address of this machine: name one peer.")
        case .tcp(_, port: 0):
            throw Endpoint.unusable(self, "Name the port that the peer listens on.")
        case .tcp(.name(let name), _):
            throw Endpoint.unusable(
                self, "Look up `\(name)` first: `try await endpoint.resolved()` gives addresses.")
        case .ipc(path: "*"):
            throw Endpoint.unusable(self, "Name the path that the peer listens at.")
        case .tcp, .ipc, .inproc:
            return
        }
    }

    private static func unusable(_ endpoint: Endpoint, _ advice: String) -> MartletError {
        MartletError(.invalidEndpoint, "Cannot connect to \(endpoint). \(advice)")
    }
}
