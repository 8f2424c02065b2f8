#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Reads the text of an endpoint, or says what is wrong with it.
enum EndpointParser {
    /// `sockaddr_un` has 108 bytes for the path and its terminating zero.
    static let ipcPathBytesMax = 107
    static let inprocNameBytesMax = 255
    static let hostNameBytesMax = 253

    static func address(in text: String) throws(MartletError) -> Endpoint.Address {
        guard let separator = text.firstRange(of: "://") else {
            throw malformed(
                text, "it has no transport. Write tcp://HOST:PORT, ipc://PATH or inproc://NAME")
        }
        guard !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
            throw malformed(text, "it contains a control character")
        }
        let rest = String(text[separator.upperBound...])
        switch text[..<separator.lowerBound] {
        case "tcp": return try tcp(rest, in: text)
        case "ipc": return try ipc(rest, in: text)
        case "inproc": return try inproc(rest, in: text)
        case let other:
            throw malformed(text, "`\(other)` is not a transport here. Use tcp, ipc or inproc")
        }
    }

    private static func ipc(_ path: String, in text: String) throws(MartletError)
        -> Endpoint.Address
    {
        guard !path.isEmpty, path != "@" else {
            throw malformed(text, "the path is empty. Write ipc:///run/NAME.sock")
        }
        guard path.utf8.count <= ipcPathBytesMax else {
            throw malformed(
                text,
                "its path has \(path.utf8.count) bytes, and the system allows \(ipcPathBytesMax). "
                    + "Use a shorter folder")
        }
        return .ipc(path: path)
    }

    private static func inproc(
        _ name: String, in text: String
    ) throws(MartletError) -> Endpoint.Address {
        guard (1...inprocNameBytesMax).contains(name.utf8.count) else {
            throw malformed(text, "an inproc name has 1 to \(inprocNameBytesMax) bytes")
        }
        return .inproc(name: name)
    }

    private static func tcp(_ rest: String, in text: String) throws(MartletError)
        -> Endpoint.Address
    {
        guard let colon = rest.lastIndex(of: ":") else {
            throw malformed(
                text, "the port is missing. Write tcp://HOST:PORT, with `*` for any port")
        }
        let host = try host(String(rest[..<colon]), in: text)
        let port = try port(rest[rest.index(after: colon)...], in: text)
        return .tcp(host, port: port)
    }

    private static func port(_ digits: Substring, in text: String) throws(MartletError) -> UInt16 {
        if digits == "*" { return 0 }
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits)
        else {
            throw malformed(text, "`\(digits)` is not a port. Use 1 to 65535, or `*` for any")
        }
        return port
    }

    private static func host(_ host: String, in text: String) throws(MartletError) -> Endpoint.Host
    {
        if host == "*" { return .any }
        if host.hasPrefix("[") {
            guard host.hasSuffix("]"), isIPv6(host.dropFirst().dropLast()) else {
                throw malformed(text, "`\(host)` is not an IPv6 address in brackets")
            }
            return .ipv6(String(host.dropFirst().dropLast()))
        }
        guard !host.isEmpty else { throw malformed(text, "the host is missing") }
        if host.contains(";") {
            throw malformed(text, "a source address before `;` is not supported; leave it out")
        }
        if host.contains(":") {
            throw malformed(text, "write an IPv6 address in brackets, as in tcp://[::1]:5550")
        }
        // Digits and dots alone are meant as an address: `127.0.0.256` is not a name.
        if host.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2E }) {
            guard isIPv4(host) else { throw malformed(text, "`\(host)` is not an IPv4 address") }
            return .ipv4(host)
        }
        guard isName(host) else {
            throw malformed(text, "`\(host)` is neither an address nor a host name")
        }
        return .name(host)
    }

    private static func isIPv4(_ text: String) -> Bool {
        var address = in_addr()
        return unsafe inet_pton(AF_INET, text, &address) == 1
    }

    /// An address, perhaps with a zone as in `fe80::1%eth0`.
    private static func isIPv6(_ text: Substring) -> Bool {
        let parts = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2, !isName(String(parts[1])) { return false }
        var address = in6_addr()
        return unsafe inet_pton(AF_INET6, String(parts[0]), &address) == 1
    }

    /// Labels of letters, digits, hyphens and underscores, separated by dots.
    private static func isName(_ text: String) -> Bool {
        guard text.utf8.count <= hostNameBytesMax else { return false }
        var labels = text.split(separator: ".", omittingEmptySubsequences: false)
        if labels.count > 1, labels.last == "" { labels.removeLast() }
        return labels.allSatisfy { label in
            (1...63).contains(label.utf8.count)
                && label.utf8.first != 0x2D && label.utf8.last != 0x2D
                && label.utf8.allSatisfy { byte in
                    switch byte {
                    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x5F: true
                    default: false
                    }
                }
        }
    }

    private static func malformed(_ text: String, _ reason: String) -> MartletError {
        let shown = text.count > 200 ? text.prefix(200) + "…" : text[...]
        return MartletError(.invalidEndpoint, "`\(shown)` is not an endpoint: \(reason).")
    }
}
