import CZeroMQ
public import MartletCore

/// Whom a CURVE server lets in.
public enum CurveClients: Sendable {
    /// Those whom the context's ZAP handler accepts for this domain. A context without a handler
    /// lets nobody in.
    case authenticated(domain: String)

    /// Everybody who knows the server's public key; a ZAP handler, if the context has one, is asked
    /// all the same.
    case anyWithServerKey
}

extension Socket {
    /// Encrypts all connections, and proves to those who connect that they have reached the owner
    /// of these keys. Set it before `bind`.
    ///
    /// C: `ZMQ_CURVE_SERVER`, `ZMQ_CURVE_SECRETKEY`, `ZMQ_ZAP_DOMAIN`
    public func useCurve(
        asServer keys: CurveKeyPair, lettingIn clients: CurveClients
    ) throws(MartletError) {
        switch clients {
        case .authenticated(let domain):
            guard (1...254).contains(domain.utf8.count) else {
                throw MartletError(.invalidArgument, "A ZAP domain has 1 to 254 bytes.")
            }
            try set(ZMQ_ZAP_DOMAIN, "ZMQ_ZAP_DOMAIN", to: Array(domain.utf8))
            // Without it, CURVE lets everybody in as long as the handler is missing.
            try set(ZEROMQ_ZAP_ENFORCE_DOMAIN, "ZMQ_ZAP_ENFORCE_DOMAIN", to: 1)
        case .anyWithServerKey:
            break
        }
        try set(ZMQ_CURVE_SERVER, "ZMQ_CURVE_SERVER", to: 1)
        try set(ZMQ_CURVE_SECRETKEY, "ZMQ_CURVE_SECRETKEY", to: keys.secretKey.text)
    }

    /// Encrypts all connections, shows these keys to the servers, and talks to nobody but the owner
    /// of the server key. Set it before `connect`.
    ///
    /// C: `ZMQ_CURVE_SERVERKEY`, `ZMQ_CURVE_PUBLICKEY`, `ZMQ_CURVE_SECRETKEY`
    public func useCurve(
        asClient keys: CurveKeyPair, of server: CurvePublicKey
    ) throws(MartletError) {
        try set(ZMQ_CURVE_SERVERKEY, "ZMQ_CURVE_SERVERKEY", to: server.text)
        try set(ZMQ_CURVE_PUBLICKEY, "ZMQ_CURVE_PUBLICKEY", to: keys.publicKey.text)
        try set(ZMQ_CURVE_SECRETKEY, "ZMQ_CURVE_SECRETKEY", to: keys.secretKey.text)
    }

    private func set(_ option: Int32, _ name: String, to value: Int32) throws(MartletError) {
        let result = handle.set(option, to: value)
        guard result >= 0 else { throw handle.failure(result, "zmq_setsockopt(\(name))") }
    }

    private func set(_ option: Int32, _ name: String, to text: String) throws(MartletError) {
        // A key as text is passed with its terminating zero.
        try set(option, name, to: Array(text.utf8) + [0])
    }

    private func set(_ option: Int32, _ name: String, to bytes: [UInt8]) throws(MartletError) {
        let result = handle.set(option, to: bytes)
        guard result >= 0 else { throw handle.failure(result, "zmq_setsockopt(\(name))") }
    }
}
