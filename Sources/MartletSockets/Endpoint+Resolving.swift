public import MartletCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension Endpoint {
    /// The endpoint with its host name replaced by an address: one endpoint for every address that
    /// the name has, in the system's order of preference. An endpoint without a name is returned
    /// as it is.
    ///
    /// The lookup runs on a thread of its own, for as long as the system's resolver takes. When
    /// the task is cancelled the call throws `cancelled` at once.
    ///
    /// C: `getaddrinfo`
    public func resolved() async throws(MartletError) -> [Endpoint] {
        guard case .tcp(.name(let name), let port) = address else { return [self] }
        let inbox = Inbox<Lookup>(bound: 1, byteBound: .max, overflow: .keepAll)
        try Lookup.start(name) { lookup in
            inbox.push([lookup], byteCount: 0)
            inbox.close()
        }
        guard let lookup = try await inbox.take()?.first else { return [] }
        guard !lookup.hosts.isEmpty else {
            throw MartletError(
                .unknownHost,
                "\(self): the name `\(name)` has no address (\(lookup.reason)). Check its spelling "
                    + "and this machine's name service.",
                isRetriable: true)
        }
        return lookup.hosts.map { Endpoint(.tcp($0, port: port)) }
    }
}

/// What the system's resolver says about a name.
private struct Lookup: Sendable {
    var hosts: [Endpoint.Host] = []
    var reason = "none"

    private static let underWay = Atomic<Int>(0)

    /// Looks the name up on a thread of its own.
    static func start(
        _ name: String, then report: @escaping @Sendable (Lookup) -> Void
    ) throws(MartletError) {
        let count = underWay.add(1, ordering: .relaxed).newValue
        guard count <= Limits.lookupsMax else {
            underWay.subtract(1, ordering: .relaxed)
            throw MartletError(
                .resourceExhausted,
                "\(Limits.lookupsMax) name lookups are under way. The name service is slow or "
                    + "silent; try again, or use addresses.")
        }
        do throws(MartletError) {
            try DedicatedThread.start(named: "martlet-dns") {
                let lookup = Lookup(name: name)
                underWay.subtract(1, ordering: .relaxed)
                report(lookup)
            }
        } catch {
            underWay.subtract(1, ordering: .relaxed)
            throw error
        }
    }

    /// Blocks until the resolver has answered.
    init(name: String) {
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = AF_UNSPEC
        // One answer per address, not one for each protocol above it.
        #if canImport(Glibc)
            unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        #else
            unsafe hints.ai_socktype = SOCK_STREAM
        #endif
        var first: UnsafeMutablePointer<addrinfo>?
        let status = unsafe getaddrinfo(name, nil, &hints, &first)
        guard status == 0 else {
            reason = unsafe String(cString: gai_strerror(status))
            return
        }
        defer { unsafe freeaddrinfo(first) }
        var next = unsafe first
        while let entry = unsafe next {
            if let host = unsafe Lookup.host(entry.pointee), !hosts.contains(host) {
                hosts.append(host)
            }
            unsafe next = entry.pointee.ai_next
        }
    }

    private static func host(_ entry: addrinfo) -> Endpoint.Host? {
        var text = [CChar](repeating: 0, count: 64)
        let status = unsafe getnameinfo(
            entry.ai_addr, entry.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
        guard status == 0 else { return nil }
        let address = String(
            decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        switch unsafe entry.ai_family {
        case AF_INET: return .ipv4(address)
        case AF_INET6: return .ipv6(address)
        default: return nil
        }
    }
}
