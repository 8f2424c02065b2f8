import CZeroMQ

/// Something that happened to one of a socket's connections.
public struct MonitorEvent: Sendable, Hashable, CustomStringConvertible {
    /// What happened.
    public let kind: Kind

    /// The endpoint it happened at, as libzmq writes it.
    public let endpoint: String

    package init(kind: Kind, endpoint: String) {
        self.kind = kind
        self.endpoint = endpoint
    }

    /// The kinds of events, with what libzmq says about each.
    public enum Kind: Sendable, Hashable {
        /// A connection was made to a listening peer; the handshake comes next.
        case connected
        /// The attempt to connect goes on in the background.
        case connectDelayed
        /// The attempt failed, and is made again after this time.
        case connectRetried(after: Duration)
        /// The socket listens.
        case listening
        /// The socket could not listen.
        case bindFailed(errno: Int32)
        /// A peer has connected; the handshake comes next.
        case accepted
        /// A peer could not be accepted.
        case acceptFailed(errno: Int32)
        /// A connection or a listener was closed by this side.
        case closed
        /// Closing failed.
        case closeFailed(errno: Int32)
        /// A connection ended, by the peer's doing or the network's, or because the peer sent what
        /// this socket does not accept, such as a message that is too large.
        case disconnected
        /// The peer may now be sent to and received from.
        case handshakeSucceeded
        /// The connection broke during the handshake.
        case handshakeFailed(errno: Int32)
        /// The peer does not speak ZMTP, speaks another security mechanism or has another key; the
        /// code is one of libzmq's `ZMQ_PROTOCOL_ERROR_…`.
        case handshakeFailedProtocol(code: Int32)
        /// The authenticator refused the peer, with this ZAP status, such as 400.
        case handshakeFailedAuthentication(status: Int32)
        /// An event of a newer libzmq.
        case other(event: Int32, value: Int32)
    }

    /// What to do about it, for the events that ask for something.
    public var advice: String? {
        switch kind {
        case .connectRetried:
            "Nothing listens there yet; check the address, and whether the peer runs."
        case .bindFailed, .acceptFailed:
            "Check the address, its permissions, and the limit on open files (ulimit -n)."
        case .disconnected:
            "If it repeats, compare the sizes of the messages with maxMessageBytes at the receiver."
        case .handshakeFailed:
            "The peer went away during the handshake; see its log."
        case .handshakeFailedProtocol(ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH):
            "One side uses CURVE and the other does not; configure keys on both or on neither."
        case .handshakeFailedProtocol(ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC):
            "The keys do not match: the client must know the server's public key."
        case .handshakeFailedProtocol(let code)
        where code & ZMQ_PROTOCOL_ERROR_ZAP_UNSPECIFIED != 0:
            "The context's ZAP handler gave an answer that is not one (RFC 27)."
        case .handshakeFailedProtocol:
            "What is at the other end does not speak ZMTP; check the port."
        case .handshakeFailedAuthentication:
            "The peer's key is not on the list; add it, or find out who it is."
        default: nil
        }
    }

    /// The kind, the endpoint, and what to do.
    public var description: String {
        "\(kind) at \(endpoint)" + (advice.map { ". \($0)" } ?? "")
    }
}

extension MonitorEvent.Kind {
    /// Reads what libzmq sends as the first part of an event.
    init(event: Int32, value: Int32) {
        switch event {
        case ZMQ_EVENT_CONNECTED: self = .connected
        case ZMQ_EVENT_CONNECT_DELAYED: self = .connectDelayed
        case ZMQ_EVENT_CONNECT_RETRIED: self = .connectRetried(after: .milliseconds(value))
        case ZMQ_EVENT_LISTENING: self = .listening
        case ZMQ_EVENT_BIND_FAILED: self = .bindFailed(errno: value)
        case ZMQ_EVENT_ACCEPTED: self = .accepted
        case ZMQ_EVENT_ACCEPT_FAILED: self = .acceptFailed(errno: value)
        case ZMQ_EVENT_CLOSED: self = .closed
        case ZMQ_EVENT_CLOSE_FAILED: self = .closeFailed(errno: value)
        case ZMQ_EVENT_DISCONNECTED: self = .disconnected
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: self = .handshakeSucceeded
        case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL: self = .handshakeFailed(errno: value)
        case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL: self = .handshakeFailedProtocol(code: value)
        case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: self = .handshakeFailedAuthentication(status: value)
        default: self = .other(event: event, value: value)
        }
    }
}
