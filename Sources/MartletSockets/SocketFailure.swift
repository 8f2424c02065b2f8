import CZeroMQ
public import MartletCore

/// What libzmq or the operating system said: the cause of a `MartletError` from a socket.
public struct SocketFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// The errno, among them libzmq's own such as `ETERM`.
    public let number: Int32

    /// The C function that failed.
    public let operation: String

    /// The endpoint it was about, where there is one.
    public let endpoint: String?

    /// Says all three, and libzmq's words for the errno.
    public var description: String {
        let words = unsafe zmq_strerror(number).map { unsafe String(cString: $0) } ?? "errno"
        let place = endpoint.map { " on \($0)" } ?? ""
        return "\(operation)\(place): \(words) (errno \(number))"
    }
}

extension MartletError {
    /// The error for a negative result of the shim.
    @usableFromInline
    static func socket(
        _ result: Int32, _ operation: String, at endpoint: String? = nil
    ) -> MartletError {
        let failure = SocketFailure(number: -result, operation: operation, endpoint: endpoint)
        let (code, advice) = diagnosis(of: failure.number)
        return MartletError(code, "\(failure). \(advice)", cause: failure)
    }

    private static func diagnosis(of number: Int32) -> (Code, String) {
        switch number {
        case ETERM:
            (.closed, "The context has been shut down; nothing more can be sent or received.")
        case ENOTSOCK:
            (.closed, "The socket has been closed.")
        case EFSM, EISCONN, EALREADY:
            (.wrongState, "A REQ sends, then receives; a REP receives, then sends.")
        case EAGAIN:
            (.timedOut, "Nothing could be done in the time allowed; see whether a peer is there.")
        case EADDRINUSE:
            (.addressInUse, "Stop what listens there, or choose another port, or `*` for any.")
        case EADDRNOTAVAIL, ENODEV:
            (
                .addressNotAvailable,
                "Bind to an address or an interface of this machine, or to `*` for all of them."
            )
        case EACCES, EPERM, EROFS:
            (.permissionDenied, "Use a place that this user may write to, or a port above 1023.")
        case EEXIST:
            (
                .invalidEndpoint,
                "A file that is no socket lies there; choose another path, or remove it."
            )
        case ENOENT, ENOTDIR:
            (.invalidEndpoint, "The folder does not exist, or nothing was bound or connected here.")
        case ENAMETOOLONG, EPROTONOSUPPORT, ENOCOMPATPROTO:
            (.invalidEndpoint, "This kind of endpoint does not fit this socket.")
        case EHOSTUNREACH:
            (.unreachable, "No peer has this routing id, or it has gone; wait for it to say hello.")
        case EMSGSIZE:
            (.messageTooLarge, "Send less, or raise maxMessageBytes at the receiver.")
        case EMFILE, ENFILE:
            (
                .resourceExhausted,
                "Close sockets, raise `ulimit -n`, or give the context a higher socketsMax."
            )
        case ENOMEM, EMTHREAD:
            (.resourceExhausted, "Free memory or threads, then try again.")
        case EINVAL:
            (.invalidArgument, "The value is out of bounds, or does not fit this socket.")
        case ENOTSUP:
            (.notSupported, "This libzmq was built without it.")
        default:
            (.failed, "See the manual page of \(number < ZMQ_HAUSNUMERO ? "errno" : "libzmq").")
        }
    }
}
