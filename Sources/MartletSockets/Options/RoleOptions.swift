import CZeroMQ
public import MartletCore

// The options that only some roles have.

extension SocketOption where Role: SendingRole, Value == Int {
    /// Messages that libzmq queues for each peer before `send` waits, or PUB drops. 0 for no bound.
    ///
    /// C: `ZMQ_SNDHWM`
    public static var sendHighWaterMark: Self {
        .count("ZMQ_SNDHWM", ZMQ_SNDHWM, 0...0x7FFF_FFFF)
    }
}

extension SocketOption where Role: SendingRole, Value == Duration? {
    /// How long `send` waits for room; nil, the default, for ever.
    ///
    /// C: `ZMQ_SNDTIMEO`
    public static var sendTimeout: Self { .durationOrForever("ZMQ_SNDTIMEO", ZMQ_SNDTIMEO) }
}

extension SocketOption where Role: ReceivingRole, Value == Int {
    /// Messages that libzmq queues from each peer before it stops reading. 0 for no bound.
    ///
    /// C: `ZMQ_RCVHWM`
    public static var receiveHighWaterMark: Self {
        .count("ZMQ_RCVHWM", ZMQ_RCVHWM, 0...0x7FFF_FFFF)
    }
}

extension SocketOption where Role: ReceivingRole, Value == Duration? {
    /// How long `receive` waits for a message; nil, the default, for ever.
    ///
    /// C: `ZMQ_RCVTIMEO`
    public static var receiveTimeout: Self { .durationOrForever("ZMQ_RCVTIMEO", ZMQ_RCVTIMEO) }
}

extension SocketOption where Role == Pub, Value == Bool {
    /// Makes `send` wait for the slowest subscriber instead of dropping what it has no room for.
    /// One stalled subscriber then stalls all.
    ///
    /// C: `ZMQ_XPUB_NODROP`
    public static var isLossless: Self { .writeOnlyFlag("ZMQ_XPUB_NODROP", ZMQ_XPUB_NODROP) }
}

extension SocketOption where Role == XPub, Value == Bool {
    /// Makes `send` wait for the slowest subscriber instead of dropping what it has no room for.
    /// One stalled subscriber then stalls all.
    ///
    /// C: `ZMQ_XPUB_NODROP`
    public static var isLossless: Self { .writeOnlyFlag("ZMQ_XPUB_NODROP", ZMQ_XPUB_NODROP) }

    /// Receives every subscription, not only the first to each prefix.
    ///
    /// C: `ZMQ_XPUB_VERBOSE`
    public static var showsRepeatedSubscriptions: Self {
        .writeOnlyFlag("ZMQ_XPUB_VERBOSE", ZMQ_XPUB_VERBOSE)
    }
}

extension SocketOption where Role == Router, Value == Bool {
    /// Makes sending to an unknown peer an error (`unreachable`) instead of a silent loss. On by
    /// default.
    ///
    /// C: `ZMQ_ROUTER_MANDATORY`
    public static var isRouterMandatory: Self {
        .writeOnlyFlag("ZMQ_ROUTER_MANDATORY", ZMQ_ROUTER_MANDATORY)
    }
}

extension SocketOption where Role == Stream, Value == Bool {
    /// Receives an empty part when a connection begins or ends. On by default.
    ///
    /// C: `ZMQ_STREAM_NOTIFY`
    public static var announcesConnections: Self {
        .writeOnlyFlag("ZMQ_STREAM_NOTIFY", ZMQ_STREAM_NOTIFY)
    }
}

extension SocketOption where Role == Req, Value == Bool {
    /// Lets a new request be sent before the reply to the last has come, which is then dropped.
    /// Use it together with `matchesReplies`.
    ///
    /// C: `ZMQ_REQ_RELAXED`
    public static var isRelaxed: Self { .writeOnlyFlag("ZMQ_REQ_RELAXED", ZMQ_REQ_RELAXED) }

    /// Numbers requests, so that only the reply to the last one is received.
    ///
    /// C: `ZMQ_REQ_CORRELATE`
    public static var matchesReplies: Self {
        .writeOnlyFlag("ZMQ_REQ_CORRELATE", ZMQ_REQ_CORRELATE)
    }
}

/// A role whose sockets may name themselves to a ROUTER.
public protocol NamedRole: SocketRole {}
extension Req: NamedRole {}
extension Rep: NamedRole {}
extension Dealer: NamedRole {}
extension Router: NamedRole {}

extension SocketOption where Role: NamedRole, Value == Bytes {
    /// The name by which a ROUTER addresses this socket, 1 to 255 bytes that do not begin with a
    /// zero. Names are claims: a second peer with the same one is ignored. Martlet's own protocol
    /// leaves them to libzmq.
    ///
    /// C: `ZMQ_ROUTING_ID`
    public static var routingID: Self {
        Self(
            "ZMQ_ROUTING_ID",
            write: { value, handle throws(MartletError) in
                let bytes = value.array()
                guard (1...255).contains(bytes.count), bytes[0] != 0 else {
                    throw MartletError(
                        .invalidArgument,
                        "A routing id has 1 to 255 bytes and does not begin with a zero.")
                }
                let result = handle.set(ZMQ_ROUTING_ID, to: bytes)
                guard result >= 0 else {
                    throw handle.failure(result, "zmq_setsockopt(ZMQ_ROUTING_ID)")
                }
            },
            read: { handle in Bytes(handle.bytes(ZMQ_ROUTING_ID) ?? []) })
    }
}

extension SocketOption where Value == Bool {
    /// A switch that libzmq does not tell about.
    fileprivate static func writeOnlyFlag(_ name: String, _ number: Int32) -> Self {
        Self(
            name,
            write: { value, handle throws(MartletError) in
                let result = handle.set(number, to: value ? 1 : 0)
                guard result >= 0 else { throw handle.failure(result, "zmq_setsockopt(\(name))") }
            },
            read: { _ throws(MartletError) in
                throw MartletError(.notSupported, "libzmq does not tell the value of \(name).")
            })
    }
}

// MARK: - Subscriptions

extension Socket where Role: SubscribingRole {
    /// Asks every publisher for the messages that begin with the prefix; an empty one means all.
    /// When it takes effect there depends on the network.
    ///
    /// C: `zmq_setsockopt` with `ZMQ_SUBSCRIBE`
    public func subscribe(to prefix: Bytes = Bytes()) throws(MartletError) {
        try handle.setPrefix(ZMQ_SUBSCRIBE, prefix)
    }

    /// Takes back one subscription to the prefix.
    ///
    /// C: `zmq_setsockopt` with `ZMQ_UNSUBSCRIBE`
    public func unsubscribe(from prefix: Bytes = Bytes()) throws(MartletError) {
        try handle.setPrefix(ZMQ_UNSUBSCRIBE, prefix)
    }
}

extension SocketHandle {
    /// Subscribes or unsubscribes.
    func setPrefix(_ option: Int32, _ prefix: Bytes) throws(MartletError) {
        guard prefix.count <= Limits.subscriptionBytesMax else {
            throw MartletError(
                .invalidArgument,
                "A subscription has at most \(Limits.subscriptionBytesMax) bytes, not "
                    + "\(prefix.count): 4.3.4 garbles longer ones.")
        }
        let result = set(option, to: prefix.array())
        guard result >= 0 else { throw failure(result, "zmq_setsockopt(ZMQ_SUBSCRIBE)") }
    }
}
