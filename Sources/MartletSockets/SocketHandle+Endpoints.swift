import CZeroMQ
import MartletCore

extension SocketHandle {
    func bind(to endpoint: Endpoint) throws(MartletError) -> Endpoint {
        try kind.checkTransport(of: endpoint)
        if let path = endpoint.ipcPath {
            // libzmq would remove whatever lies there, another's listener or a file, in silence.
            try check(unsafe zeromq_ipc_check_free(path), "zmq_bind", endpoint)
        }
        try check(useIPv6(for: endpoint), "zmq_setsockopt(ZMQ_IPV6)", endpoint)
        try check(
            unsafe zeromq_socket_bind(pointer, endpoint.description), "zmq_bind", endpoint)
        guard let bound = lastEndpoint else { return endpoint }
        return try Endpoint(bound)
    }

    func connect(to endpoint: Endpoint) throws(MartletError) {
        try kind.checkTransport(of: endpoint)
        try endpoint.checkConnectable()
        try check(useIPv6(for: endpoint), "zmq_setsockopt(ZMQ_IPV6)", endpoint)
        try check(
            unsafe zeromq_socket_connect(pointer, endpoint.description), "zmq_connect", endpoint)
    }

    func unbind(from endpoint: Endpoint) throws(MartletError) {
        try check(
            unsafe zeromq_socket_unbind(pointer, endpoint.description), "zmq_unbind", endpoint)
    }

    func disconnect(from endpoint: Endpoint) throws(MartletError) {
        try check(
            unsafe zeromq_socket_disconnect(pointer, endpoint.description), "zmq_disconnect",
            endpoint)
    }

    func wait(for readiness: Readiness, atMost timeout: Duration?) throws(MartletError) -> Readiness
    {
        let clock = ContinuousClock()
        let deadline = timeout.map { clock.now + $0 }
        while true {
            var item = unsafe zeromq_poll_socket(pointer, readiness.rawValue)
            let left = deadline.map { ($0 - clock.now).milliseconds(rounded: .up) }
            let ready = unsafe zeromq_poll(&item, 1, left.map { Int(max(0, $0)) } ?? -1)
            if ready == -EINTR { continue }
            guard ready >= 0 else { throw failure(ready, "zmq_poll") }
            return unsafe Readiness(rawValue: item.revents)
        }
    }

    /// With the option on, libzmq turns IPv4 addresses into mapped ones, so it is set anew for
    /// each endpoint.
    private func useIPv6(for endpoint: Endpoint) -> Int32 {
        set(ZMQ_IPV6, to: endpoint.isIPv6 ? 1 : 0)
    }

    private func check(
        _ result: Int32, _ operation: String, _ endpoint: Endpoint
    ) throws(MartletError) {
        guard result >= 0 else {
            throw MartletError.socket(result, operation, at: endpoint.description)
        }
    }
}

extension SocketKind {
    /// Refuses endpoints at which libzmq would do nothing, or abort.
    fileprivate func checkTransport(of endpoint: Endpoint) throws(MartletError) {
        if self == .stream, endpoint.transport != .tcp {
            throw MartletError(
                .invalidEndpoint, "A stream speaks plain TCP, and \(endpoint) is something else.")
        }
        // libzmq asks here about CURVE clients, and aborts the process when what answers is not one
        // of these.
        if endpoint.description == "inproc://zeromq.zap.01", self != .rep, self != .router {
            throw MartletError(
                .invalidEndpoint, "\(endpoint) is for authentication: use a REP or a ROUTER.")
        }
    }
}
