public import MartletCore

/// A ZeroMQ socket that offers the verbs and the options of its role, and no others.
///
/// A socket has one owner and is used by one thread at a time: it moves between threads, it is not
/// shared. It closes when it goes out of scope or is closed; calls that wait do so on the calling
/// thread, so tasks use a `SocketLoop` instead. Messages that are queued when a socket closes are
/// dropped unless `linger` gives them time.
@frozen
public struct Socket<Role: SocketRole>: ~Copyable {
    @usableFromInline let handle: SocketHandle

    init(handle: consuming SocketHandle) {
        self.handle = handle
    }

    /// Hands the socket itself to the loop.
    consuming func intoHandle() -> SocketHandle { handle }

    /// Closes the socket. What is queued is sent within `linger`, by default not at all.
    ///
    /// C: `zmq_close`
    public consuming func close() {}

    /// Listens at an endpoint, and returns where it listens really: `tcp://127.0.0.1:*` becomes
    /// the port that was free.
    ///
    /// C: `zmq_bind`
    @discardableResult
    public func bind(to endpoint: Endpoint) throws(MartletError) -> Endpoint {
        try handle.bind(to: endpoint)
    }

    /// Connects to an endpoint, now or as soon as something listens there.
    ///
    /// Host names are refused, since libzmq would look them up on the thread that moves everybody's
    /// bytes: `try await endpoint.resolved()` gives the addresses to connect to.
    ///
    /// C: `zmq_connect`
    public func connect(to endpoint: Endpoint) throws(MartletError) {
        try handle.connect(to: endpoint)
    }

    /// Stops listening at an endpoint that `bind` returned; connections made there go too.
    ///
    /// C: `zmq_unbind`
    public func unbind(from endpoint: Endpoint) throws(MartletError) {
        try handle.unbind(from: endpoint)
    }

    /// Gives up a connection; what was queued for it is dropped.
    ///
    /// C: `zmq_disconnect`
    public func disconnect(from endpoint: Endpoint) throws(MartletError) {
        try handle.disconnect(from: endpoint)
    }

    /// Waits until the socket is ready for what is asked, at most for so long (nil: for ever).
    /// Returns what it is ready for, nothing after the time has passed.
    ///
    /// C: `zmq_poll`
    public func wait(
        for readiness: Readiness, atMost timeout: Duration?
    ) throws(MartletError) -> Readiness {
        try handle.wait(for: readiness, atMost: timeout)
    }
}

@available(*, unavailable, message: "a socket belongs to one thread at a time; move it instead")
extension Socket: Sendable {}

/// What a socket can do at this moment without waiting.
public struct Readiness: OptionSet, Sendable {
    /// The bits, as `zmq_poll` has them.
    public let rawValue: Int16

    /// Makes a set from `zmq_poll`'s bits.
    public init(rawValue: Int16) { self.rawValue = rawValue }

    /// A message can be received.
    public static let readable = Readiness(rawValue: 1)

    /// A message can be sent.
    public static let writable = Readiness(rawValue: 2)
}
